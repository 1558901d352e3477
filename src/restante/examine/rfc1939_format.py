"""RFC 1939 §11: what a message looks like on the wire, however it is stored."""

from __future__ import annotations

from restante.examine.case import Case, Level
from restante.examine.dialogue import Ask, AskMessage
from restante.examine.fixtures import (
    BARE_CR,
    DOTS,
    EIGHT_BIT,
    FROM_LINES,
    LONG_LINE,
    NO_NEWLINE,
    NUL_INSIDE,
    STORED_CRLF,
    STORED_LF,
    STORED_MIXED,
    Fixture,
)

SOURCE = "RFC 1939 §11"


def shows(
    id_: str,
    title: str,
    level: Level,
    fixture: Fixture,
    *,
    variant: str = "",
    also: tuple[str, ...] = (),
) -> Case:
    """Return a case in which LIST and RETR agree on this fixture to the octet."""
    return Case(
        id=id_,
        title=title,
        source=SOURCE,
        level=level,
        variant=variant,
        also=also,
        mail=(fixture,),
        steps=(
            AskMessage("RETR 1", fixture.wire),
            Ask("LIST 1", rf"\+OK 1 {fixture.size}( .*)?"),
            Ask("STAT", rf"\+OK 1 {fixture.size}( .*)?"),
        ),
    )


CASES = (
    shows(
        "1939-S-104",
        "A last line without its end is shown with one, and counted so",
        Level.INFERRED,
        NO_NEWLINE,
    ),
    shows("1939-S-119", "A line end of one octet in the store counts two", Level.MUST, STORED_LF),
    shows("1939-S-120", "Doubled dots are not counted", Level.MUST, DOTS),
    shows("1939-S-121", "CRLF in the store is shown as it is", Level.INFERRED, STORED_CRLF),
    shows(
        "1939-S-121",
        "LF and CRLF in one message come out as CRLF",
        Level.INFERRED,
        STORED_MIXED,
        variant="mixed",
    ),
    shows(
        "1939-S-122",
        "8-bit octets are shown unchanged",
        Level.INFERRED,
        EIGHT_BIT,
        variant="eight-bit",
    ),
    shows(
        "1939-S-122",
        "A line of 10 000 octets is not folded",
        Level.INFERRED,
        LONG_LINE,
        variant="long-line",
        also=("5322-S-01",),
    ),
    shows(
        "1939-S-122",
        "A bare CR inside a line is shown unchanged",
        Level.INFERRED,
        BARE_CR,
        variant="bare-cr",
    ),
    shows(
        "1939-S-106",
        "A line that begins with From is no envelope and is shown as it is",
        Level.INFERRED,
        FROM_LINES,
    ),
    shows("1939-S-123", "A NUL cuts nothing off", Level.INFERRED, NUL_INSIDE),
)

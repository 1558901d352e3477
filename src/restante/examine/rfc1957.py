"""RFC 1957: what older clients were seen to need."""

from __future__ import annotations

from restante.examine.case import Case, Level
from restante.examine.dialogue import Ask, AskLines, asks
from restante.examine.fixtures import M2

SOURCE = "RFC 1957"

CASES = (
    Case(
        id="1957-S-01",
        title="A space and a text follow the status indicator",
        source=SOURCE,
        level=Level.MAY,
        mail=M2,
        exact=False,
        steps=asks(r"(\+OK|-ERR) .+", "NOOP", "STAT", "LIST 1", "XYZZY", "RSET"),
    ),
    Case(
        id="1957-S-02",
        title="UIDL and TOP are there, which popular clients cannot do without",
        source=SOURCE,
        level=Level.INFERRED,
        mail=M2,
        exact=False,
        steps=(AskLines("UIDL"), AskLines("TOP 1 0"), Ask("NOOP")),
    ),
)

"""RFC 1939 §5: STAT, LIST, RETR, DELE, NOOP and RSET."""

from __future__ import annotations

import random

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import (
    ERR,
    Ask,
    AskLines,
    AskMessage,
    Drop,
    Given,
    Logic,
    LogInAgain,
    Quit,
    asks,
    refuses,
)
from restante.examine.fixtures import (
    BARE_CR,
    EVERY_SHAPE,
    M0,
    M2,
    M5,
    NO_NEWLINE,
    NUL_INSIDE,
    SIZE_120,
    SIZE_200,
)
from restante.examine.outcome import Unmet
from restante.examine.stage import Stage

BAD_NUMBERS = (
    *("-1", "+1", "0x1", "1abc", "1.0", "0", "3", "1_0", "\xef\xbc\x91", "\xb2"),
    *("4294967297", "18446744073709551617", "99999999999999999999", "1" * 100),
)


def number_title(number: str) -> str:
    """Return the number as a title can show it."""
    return ascii(number) if len(number) < 30 else f"{number[:5]}... of {len(number)} digits"


def random_walk(stage: Stage) -> None:
    """Walk at random through marks and listings, with a model of what the server must say."""
    choice = random.Random(1939)  # noqa: S311 - the same walk every time
    marked: set[int] = set()
    for _ in range(150):
        number = choice.randint(1, len(M5))
        command = choice.choice(("DELE", "DELE", "LIST", "STAT", "RETR", "RSET", "NOOP"))
        if command == "DELE":
            _compare(stage.ask(f"DELE {number}").positive, number not in marked, command)
            marked.add(number)
        elif command == "LIST":
            _compare(stage.ask(f"LIST {number}").positive, number not in marked, command)
        elif command == "RETR" and number not in marked:
            _compare(stage.ask_lines(f"RETR {number}").content, M5[number - 1].wire, command)
        elif command == "STAT":
            _compare(
                " ".join(stage.ask("STAT").line.split(" ")[:3]), _drop_listing(marked), command
            )
        elif command == "RSET":
            _compare(stage.ask("RSET").positive, True, command)
            marked.clear()
    _compare(stage.ask("RSET").positive, True, "RSET")


def _drop_listing(marked: set[int]) -> str:
    kept = [fixture.size for number, fixture in enumerate(M5, 1) if number not in marked]
    return f"+OK {len(kept)} {sum(kept)}"


def _compare(seen: object, due: object, command: str) -> None:
    if seen != due:
        raise Unmet(f"{command} gives {seen!a}; expected {due!a}")


def stat_is_the_sum(stage: Stage) -> None:
    """Compare STAT with LIST while message after message is marked."""
    for number in range(1, len(M5) + 1):
        sizes = [int(line.split()[1]) for line in stage.ask_lines("LIST").lines]
        told = " ".join(stage.ask("STAT").line.split(" ")[:3])
        _compare(told, f"+OK {len(sizes)} {sum(sizes)}", "STAT")
        stage.ask(f"DELE {number}")
    stage.ask("RSET")


def size_is_what_comes(stage: Stage) -> None:
    """Compare LIST and STAT with the octets of RETR, whatever these are."""
    octets = len(stage.ask_lines("RETR 1").content)
    for line in ("LIST 1", "STAT"):
        told = " ".join(stage.ask(line).line.split(" ")[:3])
        _compare(told, f"+OK 1 {octets}", line)


CASES = (
    Case(
        id="1939-S-67",
        title="STAT tells how many messages there are and how many octets",
        source="RFC 1939 §5 (STAT)",
        level=Level.MUST,
        mail=M2,
        steps=(Ask("STAT", r"\+OK 2 320( .*)?"),),
    ),
    Case(
        id="1939-S-68",
        title="A drop listing ends with the octets",
        source="RFC 1939 §5 (STAT)",
        level=Level.SHOULD,
        mail=M2,
        exact=False,
        steps=(Ask("STAT", r"\+OK \d+ \d+"),),
    ),
    Case(
        id="1939-S-69",
        title="STAT counts no marked message",
        source="RFC 1939 §5 (STAT)",
        level=Level.MUST,
        mail=M2,
        scratch=True,
        steps=(Given(Ask("DELE 1")), Ask("STAT", r"\+OK 1 200( .*)?"), Ask("RSET")),
    ),
    Case(
        id="1939-S-70",
        title="An empty maildrop is no error",
        source="RFC 1939 §5 (STAT)",
        level=Level.MUST,
        mail=M0,
        steps=(Ask("STAT", r"\+OK 0 0( .*)?"),),
    ),
    Case(
        id="1939-S-71",
        title="STAT is the sum of LIST, whatever is marked",
        source="RFC 1939 §5 (STAT, LIST)",
        level=Level.INFERRED,
        mail=M5,
        exact=False,
        scratch=True,
        steps=(Logic(stat_is_the_sum),),
    ),
    Case(
        id="1939-S-72",
        title="LIST names every message and its size",
        source="RFC 1939 §5 (LIST)",
        level=Level.MUST,
        mail=M2,
        steps=(AskLines("LIST", ("1 120", "2 200")), Ask("NOOP")),
    ),
    Case(
        id="1939-S-73",
        title="LIST with a number is one line",
        source="RFC 1939 §5 (LIST)",
        level=Level.MUST,
        mail=M2,
        steps=(Ask("LIST 2", r"\+OK 2 200( .*)?"), Ask("LIST 1", r"\+OK 1 120( .*)?"), Ask("NOOP")),
    ),
    Case(
        id="1939-S-74",
        title="LIST of an empty maildrop is positive and empty",
        source="RFC 1939 §5 (LIST)",
        level=Level.MUST,
        variant="empty",
        mail=M0,
        steps=(AskLines("LIST", ()), Ask("NOOP")),
    ),
    Case(
        id="1939-S-74",
        title="LIST is positive and empty when every message is marked",
        source="RFC 1939 §5 (LIST)",
        level=Level.MUST,
        variant="all-marked",
        mail=M2,
        exact=False,
        scratch=True,
        steps=(Ask("DELE 1"), Ask("DELE 2"), AskLines("LIST", ()), Ask("RSET")),
    ),
    Case(
        id="1939-S-75",
        title="Marked messages are not listed, and the others keep their numbers",
        source="RFC 1939 §5 (LIST)",
        level=Level.MUST,
        mail=M2,
        scratch=True,
        steps=(Given(Ask("DELE 1")), AskLines("LIST", ("2 200",)), Ask("RSET")),
    ),
    Case(
        id="1939-S-76",
        title="LIST of a marked or absent message is refused",
        source="RFC 1939 §5 (LIST)",
        level=Level.MUST,
        mail=M2,
        exact=False,
        scratch=True,
        steps=(Given(Ask("DELE 1")), *refuses("LIST 1", "LIST 0", "LIST 3", "LIST " + "9" * 20)),
    ),
    *(
        Case(
            id="1939-S-77",
            title=f"{number_title(number)} is not a message number of this maildrop",
            source="RFC 1939 §4",
            level=Level.MUST,
            variant=number_title(number).strip("'"),
            mail=M2,
            exact=False,
            scratch=True,
            steps=(
                *refuses(f"LIST {number}", f"UIDL {number}", f"RETR {number}", f"DELE {number}"),
                Ask(f"TOP {number} 0", ERR),
                Ask("STAT", r"\+OK 2 \d+( .*)?"),
            ),
        )
        for number in BAD_NUMBERS
    ),
    Case(
        id="1939-S-77",
        title="Leading zeros do not change a number",
        source="RFC 1939 §4",
        level=Level.INFERRED,
        variant="leading-zeros",
        mail=M2,
        steps=(
            Ask("LIST 01", r"\+OK 1 120( .*)?", tolerated=ERR),
            Ask("LIST 0000000002", r"\+OK 2 200( .*)?", tolerated=ERR),
        ),
    ),
    Case(
        id="1939-S-78",
        title="A scan listing ends with the size",
        source="RFC 1939 §5 (LIST)",
        level=Level.SHOULD,
        mail=M5,
        exact=False,
        steps=(AskLines("LIST", each=r"\d+ \d+"), Ask("LIST 1", r"\+OK \d+ \d+")),
    ),
    *(
        Case(
            id="1939-S-79",
            title=f"LIST tells exactly the octets that RETR shows: {fixture.name}",
            source="RFC 1939 §11",
            level=Level.INFERRED if fixture is NO_NEWLINE else Level.MUST,
            variant=fixture.name,
            mail=(fixture,),
            exact=False,
            steps=(Logic(size_is_what_comes),),
        )
        for fixture in (*EVERY_SHAPE, NUL_INSIDE, BARE_CR)
    ),
    Case(
        id="1939-S-80",
        title="RETR shows the whole message",
        source="RFC 1939 §5 (RETR)",
        level=Level.MUST,
        also=("TG-G-1",),
        mail=M2,
        steps=(AskMessage("RETR 1", SIZE_120.wire), AskMessage("RETR 2", SIZE_200.wire)),
    ),
    Case(
        id="1939-S-81",
        title="RETR of nothing, of an absent and of a marked message is refused",
        source="RFC 1939 §5 (RETR)",
        level=Level.MUST,
        mail=M2,
        exact=False,
        scratch=True,
        steps=(Given(Ask("DELE 2")), *refuses("RETR", "RETR 3", "RETR 2"), Ask("RSET")),
    ),
    Case(
        id="1939-S-82",
        title="RETR can be repeated",
        source="RFC 1939 §5 (RETR)",
        level=Level.INFERRED,
        mail=M2,
        steps=(AskMessage("RETR 1", SIZE_120.wire),) * 2,
    ),
    Case(
        id="1939-S-84",
        title="DELE marks and removes nothing yet",
        source="RFC 1939 §5 (DELE)",
        level=Level.MUST,
        also=("TG-U-5",),
        mail=M2,
        scratch=True,
        steps=(Ask("DELE 1"), Drop(), LogInAgain(), AskMessage("RETR 1", SIZE_120.wire)),
    ),
    Case(
        id="1939-S-85",
        title="A marked message can no longer be named",
        source="RFC 1939 §5 (DELE)",
        level=Level.MUST,
        also=("1939-S-96", "1939-S-105"),
        mail=M2,
        exact=False,
        scratch=True,
        steps=(
            Ask("DELE 1"),
            *refuses("DELE 1", "RETR 1", "LIST 1", "TOP 1 0", "UIDL 1"),
            Ask("RSET"),
        ),
    ),
    Case(
        id="1939-S-86",
        title="DELE with a bad argument marks nothing",
        source="RFC 1939 §5 (DELE)",
        level=Level.MUST,
        mail=M2,
        exact=False,
        scratch=True,
        steps=(*refuses("DELE", "DELE 0", "DELE 3", "DELE 1 2"), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
    Case(
        id="1939-S-87",
        title="NOOP is answered after the login, and refused before",
        source="RFC 1939 §5 (NOOP)",
        level=Level.MUST,
        start=Start.GREETED,
        steps=(Ask("NOOP", ERR), LogInAgain(), *asks(r"\+OK( .*)?", "NOOP", "NOOP")),
    ),
    Case(
        id="1939-S-88",
        title="RSET takes every mark back",
        source="RFC 1939 §5 (RSET)",
        level=Level.MUST,
        also=("TG-T-5", "TG-U-6"),
        mail=M2,
        scratch=True,
        steps=(
            *asks(r"\+OK( .*)?", "DELE 1", "DELE 2", "RSET"),
            Ask("STAT", r"\+OK 2 320( .*)?"),
            AskMessage("RETR 1", SIZE_120.wire),
            Quit(),
            LogInAgain(),
            Ask("STAT", r"\+OK 2 320( .*)?"),
        ),
    ),
    Case(
        id="1939-S-89",
        title="RSET is positive with nothing marked",
        source="RFC 1939 §5 (RSET)",
        level=Level.MUST,
        mail=M2,
        steps=(Ask("RSET"), Ask("STAT", r"\+OK 2 320( .*)?")),
    ),
    Case(
        id="1939-S-90",
        title="Commands come in any order and as often as one likes",
        source="RFC 1939 §5",
        level=Level.MUST,
        also=("TG-G-3", "TG-T-2"),
        mail=M5,
        scratch=True,
        steps=(Logic(random_walk),),
    ),
)

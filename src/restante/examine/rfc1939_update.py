"""RFC 1939 §6 and §8: QUIT, and every other way a session can end."""

from __future__ import annotations

from restante.examine.case import Case, Level, Start, Trait
from restante.examine.dialogue import (
    ERR,
    Ask,
    AskLines,
    AskMessage,
    Drop,
    Given,
    Hear,
    HearEnd,
    Logic,
    LogIn,
    LogInAgain,
    Open,
    Quit,
    Say,
    Upgrade,
)
from restante.examine.fixtures import M2, M5, SIZE_200, STORED_LF
from restante.examine.stage import Stage

SOURCE = "RFC 1939 §6"
KEPT_UNDER_TLS = (Open("again"), Upgrade(), LogIn(), Ask("STAT", r"\+OK 2 \d+( .*)?"))
KEPT = (LogInAgain(), Ask("STAT", r"\+OK 2 \d+( .*)?"))


def cut_under_tls(stage: Stage) -> None:
    """Mark a message under TLS, then send what is no TLS record and listen to the end."""
    stage.log_in()
    Ask("DELE 1").perform(stage)
    stage.wire.break_tls()


CASES = (
    Case(
        id="1939-S-107",
        title="QUIT removes what is marked, answers and closes",
        source=SOURCE,
        level=Level.MUST,
        also=("TG-U-1", "TG-U-2", "TG-U-4", "TG-U-8", "TG-G-2"),
        mail=M5,
        scratch=True,
        steps=(
            *(Ask(f"DELE {number}") for number in (1, 3)),
            Quit(),
            LogInAgain(),
            AskLines(
                "LIST",
                tuple(f"{n} {f.size}" for n, f in enumerate((M5[1], M5[3], M5[4]), 1)),
            ),
            AskMessage("RETR 1", SIZE_200.wire),
            AskMessage("RETR 2", STORED_LF.wire),
        ),
    ),
    Case(
        id="1939-S-107",
        title="QUIT with every message marked empties the maildrop",
        source=SOURCE,
        level=Level.MUST,
        variant="all",
        mail=M2,
        exact=False,
        scratch=True,
        steps=(Ask("DELE 1"), Ask("DELE 2"), Quit(), LogInAgain(), Ask("STAT", r"\+OK 0 0( .*)?")),
    ),
    Case(
        id="1939-S-110",
        title="QUIT gives the lock back before the next login",
        source=SOURCE,
        level=Level.MUST,
        mail=M2,
        exact=False,
        steps=(Quit(), LogInAgain(), Quit(), LogInAgain(), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
    *(
        Case(
            id="1939-S-111",
            title=f"A session lost by a {how} removes nothing and keeps no lock",
            source=SOURCE,
            level=Level.MUST,
            variant=how,
            also=("1939-S-113", "TG-U-7"),
            mail=M2,
            exact=False,
            scratch=True,
            steps=(Given(Ask("DELE 1")), Drop(how), *KEPT),
        )
        for how in ("close", "reset", "half-close")
    ),
    Case(
        id="1939-S-111",
        title="A session lost in the middle of a long reply removes nothing",
        source=SOURCE,
        level=Level.MUST,
        variant="during-retr",
        also=("1939-S-116",),
        mail=M2,
        exact=False,
        scratch=True,
        steps=(Given(Ask("DELE 1")), Say(b"RETR 2\r\n" * 50), Drop("reset"), *KEPT),
    ),
    Case(
        id="1939-S-111",
        title="STLS after the login is refused and removes nothing",
        source=SOURCE,
        level=Level.MUST,
        variant="stls",
        also=("2595-S-06",),
        mail=M2,
        exact=False,
        scratch=True,
        steps=(Given(Ask("DELE 1")), Ask("STLS", ERR), Drop(), *KEPT),
    ),
    Case(
        id="1939-S-111",
        title="A session under TLS that is cut off removes nothing",
        source=SOURCE,
        level=Level.MUST,
        variant="tls-cut",
        traits=frozenset({Trait.STLS}),
        start=Start.GREETED,
        mail=M2,
        exact=False,
        scratch=True,
        steps=(Given(Upgrade()), Logic(cut_under_tls), *KEPT_UNDER_TLS),
    ),
    Case(
        id="1939-S-114",
        title="What comes behind QUIT is not answered",
        source=SOURCE,
        level=Level.INFERRED,
        mail=M2,
        exact=False,
        steps=(Say(b"QUIT\r\nNOOP\r\nSTAT\r\n"), Hear(r"\+OK( .*)?", to="QUIT"), HearEnd()),
    ),
    Case(
        id="1939-S-115",
        title="A client that closes its side behind QUIT gets its update and the answer",
        source=SOURCE,
        level=Level.INFERRED,
        mail=M2,
        scratch=True,
        steps=(
            Given(Ask("DELE 1")),
            Say(b"QUIT\r\n"),
            Logic(lambda stage: stage.wire.half_close()),
            Hear(r"\+OK( .*)?", to="QUIT"),
            HearEnd(),
            LogInAgain(),
            Ask("STAT", r"\+OK 1 200( .*)?"),
        ),
    ),
    Case(
        id="1939-S-116",
        title="Without a retention policy, what was read and not marked stays",
        source="RFC 1939 §8",
        level=Level.MAY,
        mail=M2,
        exact=False,
        scratch=True,
        steps=(AskLines("RETR 1"), Quit(), LogInAgain(), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
)

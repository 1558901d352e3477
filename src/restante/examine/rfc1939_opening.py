"""RFC 1939 §4: the maildrop that a login opens, its lock and its snapshot."""

from __future__ import annotations

import re

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import (
    ERR,
    Ask,
    AskLines,
    Deliver,
    Drop,
    Given,
    Logic,
    LogIn,
    LogInAgain,
    Open,
    Quit,
    Use,
)
from restante.examine.fixtures import M0, M2, M5, TEN_LINES
from restante.examine.outcome import Unmet
from restante.examine.stage import Stage

SOURCE = "RFC 1939 §4"


def second_login(pattern: str) -> Logic:
    """Return a try to log in once more while the first session lives."""

    def attempt(stage: Stage) -> None:
        stage.begin(Start.GREETED, "second")
        reply = stage.present()
        if not re.fullmatch(pattern, reply.line):
            raise Unmet(f"a second login is answered {reply.line[:100]!a}; expected {pattern}")

    return Logic(attempt)


def sizes_stay(stage: Stage) -> None:
    """Compare two listings with a delivery and a RETR between them."""
    before = stage.ask_lines("LIST").lines
    stage.deliver(TEN_LINES)
    stage.ask_lines("RETR 3")
    after = stage.ask_lines("LIST").lines
    if before != after:
        raise Unmet(f"LIST said {list(before)} and says {list(after)} in the same session")


CASES = (
    Case(
        id="1939-S-46",
        title="While another session holds the lock, a login is refused",
        source=SOURCE,
        level=Level.MUST,
        variant="locked",
        also=("TG-A2-6",),
        mail=M2,
        steps=(second_login(ERR), Use("first"), Ask("STAT", r"\+OK 2 320")),
    ),
    Case(
        id="1939-S-46",
        title="An empty maildrop is locked like any other",
        source=SOURCE,
        level=Level.MUST,
        variant="locked-empty",
        mail=M0,
        steps=(second_login(ERR), Use("first"), Ask("STAT", r"\+OK 0 0")),
    ),
    Case(
        id="1939-S-47",
        title="The refusal of a busy maildrop says so, where response codes are announced",
        source=SOURCE,
        level=Level.MUST,
        variant="in-use",
        also=("2449-S-19",),
        mail=M2,
        capabilities=("RESP-CODES",),
        steps=(second_login(r"-ERR \[IN-USE\].*"),),
    ),
    Case(
        id="1939-S-47",
        title="Mail may arrive while a session holds the lock",
        source=SOURCE,
        level=Level.MUST,
        variant="delivery",
        mail=M2,
        scratch=True,
        steps=(
            Given(Ask("STAT", r"\+OK 2 320")),
            Deliver(TEN_LINES),
            Ask("NOOP"),
            Quit(),
            LogInAgain(),
            Ask("STAT", rf"\+OK 3 {320 + TEN_LINES.size}"),
        ),
    ),
    Case(
        id="1939-S-48",
        title="Every reason to refuse a login gives -ERR",
        source=SOURCE,
        level=Level.MUST,
        mail=M2,
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(
            Given(Ask("USER {user}")),
            Ask("PASS {wrong}", ERR),
            Logic(lambda stage: stage.begin(Start.TRANSACTION)),
            second_login(ERR),
        ),
    ),
    Case(
        id="1939-S-51",
        title="A session begins with nothing marked, whatever the last one did",
        source=SOURCE,
        level=Level.MUST,
        mail=M2,
        scratch=True,
        steps=(
            Given(Ask("DELE 1")),
            Drop(),
            LogInAgain(),
            Ask("STAT", r"\+OK 2 320"),
        ),
    ),
    Case(
        id="1939-S-52",
        title="Messages are numbered from one, in decimal",
        source=SOURCE,
        level=Level.MUST,
        mail=M5,
        steps=(AskLines("LIST", tuple(f"{n} {f.size}" for n, f in enumerate(M5, 1))),),
    ),
    Case(
        id="1939-S-53",
        title="What arrives during a session is not in it, and is in the next",
        source=SOURCE,
        level=Level.MUST,
        mail=M2,
        scratch=True,
        steps=(
            Given(Ask("STAT", r"\+OK 2 320")),
            Deliver(TEN_LINES),
            Ask("STAT", r"\+OK 2 320"),
            AskLines("LIST", ("1 120", "2 200")),
            Ask("LIST 3", ERR),
            Quit(),
            LogInAgain(),
            AskLines("LIST", ("1 120", "2 200", f"3 {TEN_LINES.size}")),
        ),
    ),
    Case(
        id="1939-S-46",
        title="The maildrop is open before the login is answered",
        source=SOURCE,
        level=Level.INFERRED,
        variant="opened-first",
        mail=M2,
        scratch=True,
        steps=(Given(Deliver(TEN_LINES)), Ask("STAT", r"\+OK 2 320")),
    ),
    Case(
        id="1939-S-54",
        title="Sizes do not change during a session",
        source=SOURCE,
        level=Level.MUST,
        mail=M5,
        scratch=True,
        steps=(Logic(sizes_stay),),
    ),
    Case(
        id="1939-S-47",
        title="When the session that holds the lock has ended, the next login succeeds",
        source=SOURCE,
        level=Level.MUST,
        variant="after-quit",
        mail=M2,
        steps=(Quit(), Open("second"), LogIn(), Ask("STAT", r"\+OK 2 320")),
    ),
)

"""RFC 1939 §4: the maildrop that a login opens, its lock and its snapshot."""

from __future__ import annotations

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import (
    EITHER,
    ERR,
    Ask,
    AskLines,
    AskMessage,
    Deliver,
    Drop,
    Given,
    Logic,
    LogIn,
    LogInAgain,
    Open,
    Quit,
    still_refused,
)
from restante.examine.fixtures import M0, M2, M5, SIZE_120, TEN_LINES
from restante.examine.outcome import Differs, NotApplicable, NotTried, Silent, Unmet
from restante.examine.replies import Status
from restante.examine.stage import Stage

SOURCE = "RFC 1939 §4"


def another_session(stage: Stage) -> Status:
    """Try to log in on a second connection; a server may wait for the lock as long as it likes."""
    stage.begin(Start.GREETED, "second")
    try:
        return stage.present()
    except Silent as wait:
        raise NotTried(f"a second login waits for the first session to end: {wait}") from wait


def second_login_is_refused(stage: Stage) -> None:
    """Try to log in once more, and see that the first session goes on."""
    refused = not another_session(stage).positive
    stage.use("first")
    Ask("NOOP").perform(stage)
    if not refused:
        raise Differs("a second session is let in, which an empty maildrop can bear")


def first_session_is_safe(stage: Stage) -> None:
    """Let another session remove what the first one has, if it is let in at all.

    The lock is there "as necessary to prevent messages from being modified or removed": a server
    that gets by without one has to keep the first session's messages for it.
    """
    if another_session(stage).positive:
        Given(Ask("DELE 1")).perform(stage)
        Ask("QUIT", EITHER).perform(stage)
        stage.use("first")
        AskMessage("RETR 1", SIZE_120.wire).perform(stage)
        raise Differs("a second session is let in, and the first keeps what the second removed")
    stage.use("first")
    Ask("STAT", r"\+OK 2 \d+( .*)?").perform(stage)


def busy_is_said(stage: Stage) -> None:
    """Look for the code in the refusal of a second login."""
    reply = another_session(stage)
    if reply.positive:
        raise NotApplicable("a second session is let in")
    if reply.code != "IN-USE":
        raise Unmet(f"a second login is refused with {reply.line[:100]!a}")


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
        also=("TG-A2-6", "1939-S-47"),
        mail=M2,
        exact=False,
        scratch=True,
        steps=(Logic(first_session_is_safe),),
    ),
    Case(
        id="1939-S-46",
        title="An empty maildrop is locked like any other",
        source=SOURCE,
        level=Level.MUST,
        variant="locked-empty",
        mail=M0,
        steps=(Logic(second_login_is_refused), Ask("STAT", r"\+OK 0 0( .*)?")),
    ),
    Case(
        id="1939-S-47",
        title="The refusal of a busy maildrop says so, where response codes are announced",
        source="RFC 2449 §8.1.2",
        level=Level.INFERRED,
        variant="in-use",
        also=("2449-S-19",),
        mail=M2,
        exact=False,
        capabilities=("RESP-CODES",),
        steps=(Logic(busy_is_said),),
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
            Given(Ask("STAT", r"\+OK 2 \d+( .*)?")),
            Deliver(TEN_LINES),
            Ask("NOOP"),
            Quit(),
            LogInAgain(),
            Ask("STAT", rf"\+OK 3 {320 + TEN_LINES.size}( .*)?"),
        ),
    ),
    Case(
        id="1939-S-48",
        title="A login that is refused gives -ERR",
        source=SOURCE,
        level=Level.MUST,
        mail=M2,
        exact=False,
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(
            Given(Ask("USER {user}")),
            Ask("PASS {wrong}", ERR),
            still_refused("STAT"),
        ),
    ),
    Case(
        id="1939-S-51",
        title="A session begins with nothing marked, whatever the last one did",
        source=SOURCE,
        level=Level.MUST,
        mail=M2,
        exact=False,
        scratch=True,
        steps=(
            Given(Ask("DELE 1")),
            Drop(),
            LogInAgain(),
            Ask("STAT", r"\+OK 2 \d+( .*)?"),
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
            Given(Ask("STAT", r"\+OK 2 \d+( .*)?")),
            Deliver(TEN_LINES),
            Ask("STAT", r"\+OK 2 \d+( .*)?"),
            AskLines("LIST", ("1 120", "2 200")),
            Ask("LIST 3", ERR),
            Quit(),
            LogInAgain(),
            Ask("STAT", rf"\+OK 3 {320 + TEN_LINES.size}( .*)?"),
        ),
    ),
    Case(
        id="1939-S-46",
        title="The maildrop is open before the login is answered",
        source=SOURCE,
        level=Level.INFERRED,
        variant="opened-first",
        mail=M2,
        exact=False,
        scratch=True,
        steps=(Given(Deliver(TEN_LINES)), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
    Case(
        id="1939-S-54",
        title="Sizes do not change during a session",
        source=SOURCE,
        level=Level.MUST,
        mail=M5,
        exact=False,
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
        exact=False,
        steps=(Quit(), Open("second"), LogIn(), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
)

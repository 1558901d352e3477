"""RFC 1939 §3 (autologout): what happens to whoever says nothing for long, tried with --slow.

One vigil is kept before the login and one behind it. The floor of ten minutes is the text's; a
server's own time may be longer, and of one that is longer than half an hour nothing is said.
"""

from __future__ import annotations

from collections.abc import Generator

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import Ask, Given, Logic, LogInAgain
from restante.examine.fixtures import SIZE_120, Fixture
from restante.examine.outcome import Broken, Flooded, NotApplicable, NotTried, Unmet
from restante.examine.seen import Silence
from restante.examine.stage import Stage
from restante.examine.vigil import LOOK_SECONDS, Vigil, Watching, keep_silent

SOURCE = "RFC 1939 §3"
FLOOR_SECONDS = 600.0
SHORT_OF_FLOOR_SECONDS = 590.0
"""A silence that no timer of ten minutes ends, whatever the network adds to it."""

LONGEST_SECONDS = 1860.0
"""Half an hour is what servers have where it is not ten minutes."""

READING_SECONDS = 900.0
LARGE = Fixture("large", b"Subject: large\n\n" + (b"x" * 75 + b"\n") * 235_000)
"""So much that after ten minutes more is to come than buffers on the way can hold (some 5 MB)."""


def be_silent_before_login(stage: Stage) -> Watching:
    """Say nothing behind the greeting."""
    stage.seen.parts["before login"] = yield from keep_silent(stage, FLOOR_SECONDS)


def be_silent_in_session(stage: Stage) -> Watching:
    """Read slowly and mark a message, where that may be; be silent, say a word, be silent."""
    may_mark = bool(stage.case.mail)
    if may_mark:
        yield from _read_slowly(stage)
        Given(Ask("DELE 1")).perform(stage)
    ended = yield from keep_silent(stage, SHORT_OF_FLOOR_SECONDS)
    stage.seen.parts["first"] = ended
    if ended.closed:
        stage.seen.failure = NotTried("the session is over before a command could be said")
    else:
        ended = yield from _be_silent_behind(stage, "NOOP")
    if not ended.closed:
        stage.seen.failure = NotApplicable(
            f"a session is still open after {LONGEST_SECONDS / 60:.0f} minutes of silence"
        )
        return
    stage.seen.parts["close"] = ended
    if may_mark:
        stage.log_in_again(" behind the close")
        stage.seen.parts["left"] = stage.ask("STAT").line


def _be_silent_behind(stage: Stage, command: str) -> Generator[None, None, Silence]:
    """Say one word more and wait for the close.

    The server has the word at the earliest when it is sent, and its answer may take its time.
    """
    began = stage.target.pace.now()
    try:
        stage.ask(command)
    except Broken as failure:
        raise NotTried(f"{command} behind a silence is not answered: {failure}") from failure
    last = yield from keep_silent(stage, LONGEST_SECONDS, since=began)
    if last.closed:
        stage.seen.parts["last"] = last
    return last


def _read_slowly(stage: Stage) -> Watching:
    """Take one large message, bit by bit over more than ten minutes."""
    began = stage.target.pace.now()
    bit = int(LARGE.size / READING_SECONDS * LOOK_SECONDS)
    end = b""
    room = 2 * LARGE.size
    try:
        stage.send(b"RETR 2\r\n")
        while not end.endswith(b"\r\n.\r\n"):
            yield
            taken = stage.wire.sip(bit)
            end = (end + taken)[-5:]
            room -= len(taken)
            if room < 0:
                raise Flooded(f"a message of {LARGE.size} octets does not end")
        told = ""
    except Broken as failure:
        told = f"RETR read slowly is cut off after {_minutes(stage, began)} minutes: {failure}"
    stage.wire.remark(told or f"a message read in {_minutes(stage, began)} minutes")
    stage.seen.parts["reading"] = told
    if told:
        Given(LogInAgain()).perform(stage)


def _minutes(stage: Stage, began: float) -> str:
    return f"{(stage.target.pace.now() - began) / 60:.1f}"


def has_a_limit_before_login(stage: Stage) -> None:
    """See whether somebody who never logs in is sent away at all."""
    if not stage.seen.silence("before login").closed:
        raise Unmet("who says nothing behind the greeting is still there after ten minutes")


def is_not_too_short(stage: Stage) -> None:
    """Hold the time of a session to the floor."""
    first = stage.seen.silence("first")
    if first.closed:
        raise Unmet(f"a session is closed after {first.seconds:.0f} s of silence")


def begins_anew(stage: Stage) -> None:
    """Hold the time behind a word to the floor."""
    last = stage.seen.silence("last")
    if last.seconds < FLOOR_SECONDS:
        raise Unmet(f"a session is closed {last.seconds:.0f} s behind a command")


def closes_without_a_word(stage: Stage) -> None:
    """Look at what came before the close."""
    close = stage.seen.silence("close")
    if close.said:
        raise Unmet(f"before the close the server says {close.said[:120]!a}")


def removes_nothing(stage: Stage) -> None:
    """Look for the message that was marked."""
    left = stage.seen.text("left")
    if not left.startswith("+OK 2 "):
        raise Unmet(f"of two messages, one of them marked, the next session is told {left[:80]!a}")


def slow_reading_goes_on(stage: Stage) -> None:
    """See whether the message came to its end."""
    if told := stage.seen.text("reading"):
        raise Unmet(told)


BEFORE_LOGIN = Vigil("before the login", be_silent_before_login)
IN_SESSION = Vigil("in a session", be_silent_in_session)
MARKED = (SIZE_120, LARGE)

CASES = (
    Case(
        id="1939-S-29",
        title="A session is not closed for ten minutes of silence",
        source=SOURCE,
        level=Level.MUST,
        vigil=IN_SESSION,
        steps=(Logic(is_not_too_short),),
    ),
    Case(
        id="1939-S-30",
        title="Any command starts the timer anew",
        source=SOURCE,
        level=Level.SHOULD,
        vigil=IN_SESSION,
        steps=(Logic(begins_anew),),
    ),
    Case(
        id="1939-S-31",
        title="The timer closes without a word",
        source=SOURCE,
        level=Level.SHOULD,
        vigil=IN_SESSION,
        steps=(Logic(closes_without_a_word),),
    ),
    Case(
        id="1939-S-31",
        title="The timer removes nothing, not even what is marked",
        source=SOURCE,
        level=Level.SHOULD,
        variant="marked",
        also=("TG-G-7",),
        mail=MARKED,
        exact=False,
        scratch=True,
        vigil=IN_SESSION,
        steps=(Logic(removes_nothing),),
    ),
    Case(
        id="1939-S-32",
        title="Before the login there is a limit as well",
        source=SOURCE,
        level=Level.INFERRED,
        start=Start.GREETED,
        vigil=BEFORE_LOGIN,
        steps=(Logic(has_a_limit_before_login),),
    ),
    Case(
        id="1939-S-33",
        title="Who reads slowly is not idle",
        source=SOURCE,
        level=Level.INFERRED,
        mail=MARKED,
        exact=False,
        scratch=True,
        vigil=IN_SESSION,
        steps=(Logic(slow_reading_goes_on),),
    ),
)

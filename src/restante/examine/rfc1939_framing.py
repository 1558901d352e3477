"""RFC 1939 §3: the greeting, and the lines of commands and replies.

Which command may come when is in `rfc1939_commands.py`.
"""

from __future__ import annotations

from restante.examine.case import Case, Level, Start, Verdict
from restante.examine.dialogue import (
    EITHER,
    ERR,
    OK,
    Ask,
    AskMessage,
    Given,
    Hear,
    HearEnd,
    HearLine,
    Logic,
    LogInAgain,
    Say,
    asks,
    refuses,
)
from restante.examine.fixtures import BOUNDARIES, DOTS, M0, M1, M2, MD, ML
from restante.examine.outcome import Unmet
from restante.examine.stage import Stage

SOURCE = "RFC 1939 §3"


def status_lines_are_short(stage: Stage) -> None:
    """Provoke an echo, and hold every first line to 512 octets."""
    for line in ("USER " + "n" * 230, "k" * 240, "APOP " + "n" * 200 + " " + "0" * 32, "NOOP"):
        reply = stage.ask(line)
        if len(reply.raw) > 512:
            raise Unmet(f"a first line of {len(reply.raw)} octets answers {line[:20]}...")


def status_lines_are_formed(stage: Stage) -> None:
    """Look at the indicator and the line end of each reply of a whole session."""
    lines = ("NOOP", "STAT", "LIST 1", "UIDL 1", "XYZZY", "RETR 99", "DELE 99", "LIST 0", "RSET")
    for line in lines:
        reply = stage.ask(line)
        if not reply.well_formed:
            raise Unmet(f"{line} is answered {reply.raw[:60]!a}")


def replies_end_in_crlf(stage: Stage) -> None:
    """Look for a line feed without its carriage return in replies of every kind."""
    lines = ("RETR 1", "TOP 1 2", "LIST", "UIDL")
    for line in lines if stage.capabilities() is None else (*lines, "CAPA"):
        answer = stage.ask_lines(line)
        for raw in (answer.status.raw, *answer.raw_lines):
            if not raw.endswith(b"\r\n"):
                raise Unmet(f"a line of {line} ends without CRLF: {raw[-20:]!a}")


CASES = (
    Case(
        id="1939-S-01",
        title="The server listens, and speaks when somebody connects",
        source=SOURCE,
        level=Level.MUST,
        also=("TG-A1-1", "TG-A1-2", "TG-G-4"),
        start=Start.CONNECTED,
        steps=(Hear(EITHER, to="connecting"),),
    ),
    Case(
        id="1939-S-02",
        title="The greeting is one positive line, and nothing follows it unasked",
        source="RFC 1939 §4",
        level=Level.MUST,
        also=("TG-A1-5", "TG-A1-6"),
        start=Start.CONNECTED,
        steps=(
            Hear(OK, to="connecting"),
            Ask("QUIT", OK),
            HearEnd(),
        ),
    ),
    Case(
        id="1939-S-04",
        title="The case of keywords does not matter",
        source=SOURCE,
        level=Level.MUST,
        also=("TG-G-5",),
        start=Start.GREETED,
        capabilities=("USER",),
        steps=asks(OK, "uSeR {user}", "PaSs {password}", "sTaT", "nOOp"),
    ),
    Case(
        id="1939-S-05",
        title="CRLF ends a command",
        source=SOURCE,
        level=Level.MUST,
        steps=(Say(b"NOOP\r\n"), Hear(OK, to="NOOP")),
    ),
    Case(
        id="1939-S-06",
        title="A bare LF ends a command too, and the answer still ends in CRLF",
        source=SOURCE,
        level=Level.INFERRED,
        mail=M2,
        steps=(Say(b"STAT\n"), Hear(r"\+OK 2 320( .*)?", tolerated=ERR, to="STAT and a bare LF")),
    ),
    Case(
        id="1939-S-07",
        title="A bare CR is no line end and no space",
        source=SOURCE,
        level=Level.INFERRED,
        steps=(Say(b"NOOP\rSTAT\r\n"), Hear(ERR, to="NOOP CR STAT"), Ask("NOOP")),
    ),
    Case(
        id="1939-S-08",
        title="A last line without its end is not carried out",
        source=SOURCE,
        level=Level.INFERRED,
        mail=M2,
        scratch=True,
        steps=(
            Given(Ask("DELE 1")),
            Say(b"QUIT"),
            Logic(lambda stage: stage.wire.half_close()),
            HearEnd(),
            LogInAgain(),
            Ask("STAT", r"\+OK 2 320( .*)?"),
        ),
    ),
    Case(
        id="1939-S-09",
        title="One octet in each segment makes no difference",
        source=SOURCE,
        level=Level.INFERRED,
        variant="one-by-one",
        mail=M2,
        steps=(
            Say(b"STAT\r\nLIST 2\r\nNOOP\r\n", cut=1),
            Hear(r"\+OK 2 320( .*)?", to="STAT"),
            Hear(r"\+OK 2 200( .*)?", to="LIST 2"),
            Hear(OK, to="NOOP"),
        ),
    ),
    Case(
        id="1939-S-09",
        title="Ten commands in one segment make no difference",
        source=SOURCE,
        level=Level.INFERRED,
        variant="all-at-once",
        mail=M2,
        steps=(
            Say(b"STAT\r\nLIST 2\r\n" * 5),
            *(Hear(r"\+OK 2 320( .*)?", to="STAT"), Hear(r"\+OK 2 200( .*)?", to="LIST 2")) * 5,
        ),
    ),
    Case(
        id="1939-S-10",
        title="A TAB does not part a keyword from its argument",
        source=SOURCE,
        level=Level.MUST,
        variant="tab",
        mail=M2,
        exact=False,
        scratch=True,
        steps=refuses("LIST\t1", "DELE\t1", "NOOP\t"),
    ),
    Case(
        id="1939-S-10",
        title="Between keyword and arguments stands a single space",
        source=SOURCE,
        level=Level.MUST,
        variant="single-space",
        mail=M2,
        exact=False,
        steps=refuses("LIST  1", "TOP 1  0", " NOOP"),
    ),
    Case(
        id="1939-S-10",
        title="A space at the end of a line is an argument left empty",
        source=SOURCE,
        level=Level.INFERRED,
        variant="trailing-space",
        mail=M2,
        exact=False,
        unmet=Verdict.DIFFERS,
        steps=refuses("LIST 1 ", "NOOP ", "LIST "),
    ),
    Case(
        id="1939-S-11",
        title="A keyword longer or shorter than any is unknown, and the session goes on",
        source=SOURCE,
        level=Level.MUST,
        steps=(*refuses("ABCDEFGHIJ", "NO", "NOOPS", "STA", "N"), Ask("NOOP")),
    ),
    Case(
        id="1939-S-12",
        title="An argument of 40 characters is taken as a name",
        source=SOURCE,
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(Ask("USER " + "n" * 40, OK, tolerated=ERR), Ask("QUIT")),
    ),
    Case(
        id="1939-S-13",
        title="No first line is longer than 512 octets",
        source=SOURCE,
        level=Level.MUST,
        also=("2449-S-04",),
        start=Start.GREETED,
        steps=(Logic(status_lines_are_short),),
    ),
    Case(
        id="1939-S-14",
        title="Every reply begins +OK or -ERR in upper case",
        source=SOURCE,
        level=Level.MUST,
        mail=M2,
        exact=False,
        steps=(Logic(status_lines_are_formed),),
    ),
    Case(
        id="1939-S-15",
        title="Every line of every reply ends in CRLF",
        source=SOURCE,
        level=Level.MUST,
        mail=ML,
        exact=False,
        capabilities=("TOP", "UIDL"),
        steps=(Logic(replies_end_in_crlf),),
    ),
    Case(
        id="1939-S-16",
        title="A line of one dot ends a multi-line reply",
        source=SOURCE,
        level=Level.MUST,
        mail=M0,
        steps=(Ask("LIST"), HearLine(b"."), Ask("NOOP")),
    ),
    Case(
        id="1939-S-17",
        title="A line that begins with a dot gets one more",
        source=SOURCE,
        level=Level.MUST,
        also=("TG-T-6",),
        mail=MD,
        steps=(
            AskMessage("RETR 1", DOTS.wire),
            Ask("RETR 1"),
            *(HearLine(line) for line in DOTS.wire.split(b"\r\n")[:3]),
            *(HearLine(line) for line in (b"..", b"...", b"..x", b"x.", b"", b"..", b"..", b".")),
        ),
    ),
    *(
        Case(
            id="1939-S-18",
            title="Dots are doubled wherever a buffer may end",
            source=SOURCE,
            level=Level.MUST,
            variant=fixture.name,
            mail=(fixture,),
            steps=(AskMessage("RETR 1", fixture.wire), Ask("NOOP")),
        )
        for fixture in BOUNDARIES
    ),
    Case(
        id="1939-S-19",
        title="A refusal is one line, whatever the command",
        source=SOURCE,
        level=Level.MUST,
        mail=M1,
        exact=False,
        steps=tuple(
            step
            for line in ("RETR 99", "LIST 99", "UIDL 99", "TOP 99 1")
            for step in (Ask(line, ERR), Ask("NOOP"))
        ),
    ),
)

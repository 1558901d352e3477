"""RFC 1939 §3: which commands there are, which may come when, and what spoils a command."""

from __future__ import annotations

import re

from restante.examine.case import Case, Level, Start, Verdict
from restante.examine.dialogue import (
    ERR,
    OK,
    Ask,
    AskLines,
    Given,
    Hear,
    Logic,
    LogInAgain,
    Quit,
    Say,
    refuses,
)
from restante.examine.fixtures import M2
from restante.examine.outcome import Broken, Unmet
from restante.examine.proofs import timestamp_in
from restante.examine.stage import Stage

SOURCE = "RFC 1939 §3"
NEEDS_TRANSACTION = ("STAT", "LIST", "RETR 1", "DELE 1", "NOOP", "RSET", "TOP 1 0", "UIDL")
NEEDS_AUTHORIZATION = (
    "USER {user}",
    "PASS {password}",
    "APOP {user} 0123456789abcdef0123456789abcdef",
    "AUTH PLAIN {plain}",
    "STLS",
)


def one_reply_each(stage: Stage) -> None:
    """Send 200 commands at once, each recognisable by its reply, and count."""
    round_of_commands = (("LIST 1", r"\+OK 1 \d+.*"), ("RETR 99", ERR), ("STAT", r"\+OK \d+ \d+.*"))
    mixed = [round_of_commands[n % 3] if n % 12 else ("NOOP", OK) for n in range(200)]
    for start in range(0, len(mixed), 20):
        batch = mixed[start : start + 20]
        stage.send("".join(line + "\r\n" for line, _ in batch).encode())
        for line, pattern in batch:
            reply = stage.wire.status()
            if not re.fullmatch(pattern, reply.line):
                raise Unmet(f"{line} in a row of 200 is answered {reply.line!a}")


def overlong_line_runs_nothing(stage: Stage) -> None:
    """Hide a command behind 20 000 octets without a line end; it must not run."""
    stage.send(b"a" * 20_000 + b"DELE 1\r\n")
    try:
        first = stage.wire.status()
        if first.positive:
            raise Unmet("a line of 20 000 octets is answered +OK")
        marker = stage.ask("STAT")
    except Broken:
        return  # closing is one of the two good answers
    if not re.fullmatch(r"\+OK 2 \d+( .*)?", marker.line):
        raise Unmet(f"behind the line STAT is answered {marker.line!a}, not +OK 2 and the octets")


def overlong_line_before_login(stage: Stage) -> None:
    """Hide a USER behind 20 000 octets without a line end, and try its password."""
    stage.send(b"a" * 20_000 + b"USER {user}\r\n")
    try:
        if stage.wire.status().positive:
            raise Unmet("a line of 20 000 octets is answered +OK")
        reply = stage.ask("PASS {password}")
    except Broken:
        return  # closing is one of the two good answers
    if reply.positive:
        raise Unmet("behind an over-long line a USER was carried out")


def bad_commands_end_without_update(stage: Stage) -> None:
    """Send unknown commands until the server has had enough, or 200 of them."""
    try:
        for _ in range(200):
            if stage.ask("XYZZY").positive:
                raise Unmet("an unknown command is answered +OK")
    except Broken:
        return
    stage.wire.close()


def offers_a_way_in(stage: Stage) -> None:
    """Look for USER, a SASL mechanism or an APOP timestamp."""
    offered = stage.capabilities()
    if offered is None:
        Ask("USER {user}").perform(stage)
    elif not ("USER" in offered or offered.get("SASL")):
        stage.connect()
        if timestamp_in(stage.wire.status().line) is None:
            raise Unmet("neither USER nor SASL nor a timestamp is offered")


CASES = (
    Case(
        id="1939-S-20",
        title="An unknown command is refused, and the state is kept",
        source=SOURCE,
        level=Level.MUST,
        steps=(Ask("XYZZY", ERR), Ask("NOOP")),
    ),
    Case(
        id="1939-S-21",
        title="A command that is known but not carried out is refused",
        source=SOURCE,
        level=Level.MUST,
        also=("DF-S-02", "DF-S-03"),
        unmet=Verdict.DIFFERS,
        steps=(*refuses("RPOP {user}", "XTND BBOARDS", "XTND XMIT"), Ask("NOOP")),
    ),
    *(
        Case(
            id="1939-S-22",
            title=f"{line!r} is a syntax error and does nothing",
            source=SOURCE,
            level=Level.MUST,
            variant=line.lower().replace(" ", "-"),
            also=("TG-U-3",) if line == "QUIT now" else (),
            mail=M2,
            exact=False,
            scratch=True,
            steps=(
                Given(Ask("DELE 2")),
                Ask(line, ERR),
                Ask("STAT", r"\+OK 1 \d+( .*)?"),
            ),
        )
        for line in (
            "RETR",
            "RETR 1 1",
            "RETR x",
            "DELE",
            "DELE 1 1",
            "TOP 1",
            "TOP 1 1 1",
            "STAT x",
            "NOOP x",
            "RSET 1",
            "LIST 1 2",
            "QUIT now",
        )
    ),
    Case(
        id="1939-S-23",
        title="Before the login every command of the Transaction state is refused",
        source=SOURCE,
        level=Level.MUST,
        variant="authorization",
        also=("1939-S-34", "TG-A1-3", "TG-A1-4", "TG-A1-8", "TG-G-6"),
        start=Start.GREETED,
        steps=tuple(
            step
            for line in NEEDS_TRANSACTION
            for step in (Logic(lambda stage: stage.begin(Start.GREETED)), Ask(line, ERR))
        ),
    ),
    Case(
        id="1939-S-23",
        title="After the login every command of the Authorization state is refused",
        source=SOURCE,
        level=Level.MUST,
        variant="transaction",
        also=("TG-T-1",),
        mail=M2,
        exact=False,
        steps=(*refuses(*NEEDS_AUTHORIZATION), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
    Case(
        id="1939-S-24",
        title="Each command gets one reply, in the order of the commands",
        source=SOURCE,
        level=Level.MUST,
        mail=M2,
        exact=False,
        steps=(Logic(one_reply_each),),
    ),
    Case(
        id="1939-S-25",
        title="An empty line gets one refusal",
        source=SOURCE,
        level=Level.INFERRED,
        steps=(Say(b"\r\n"), Hear(ERR, to="an empty line"), Ask("NOOP")),
    ),
    *(
        Case(
            id="1939-S-26",
            title=f"A control or 8-bit octet spoils the whole line: {octets!r}",
            source=SOURCE,
            level=Level.INFERRED,
            variant=variant,
            mail=M2,
            exact=False,
            scratch=True,
            steps=(
                Say(octets + b"\r\n"),
                Hear(ERR, to=repr(octets)),
                Ask("STAT", r"\+OK 2 \d+( .*)?"),
            ),
        )
        for variant, octets in (
            ("nul-behind-argument", b"DELE 1\0x"),
            ("nul-in-keyword", b"ST\0AT"),
            ("nul-behind-keyword", b"NOOP\0"),
            ("nul-first", b"\0NOOP"),
            ("escape", b"NO\x1bOP"),
            ("delete", b"NOOP\x7f"),
            ("eight-bit", b"STA\xd4"),
        )
    ),
    Case(
        id="1939-S-27",
        title="What hides behind an over-long line is not carried out",
        source=SOURCE,
        level=Level.INFERRED,
        mail=M2,
        exact=False,
        scratch=True,
        steps=(
            Logic(overlong_line_runs_nothing),
            LogInAgain(),
            Ask("STAT", r"\+OK 2 \d+( .*)?"),
        ),
    ),
    Case(
        id="1939-S-27",
        title="Before the login, too, an over-long line is refused once and hides nothing",
        source=SOURCE,
        level=Level.INFERRED,
        variant="before-login",
        start=Start.GREETED,
        capabilities=("USER",),
        mail=M2,
        exact=False,
        steps=(Logic(overlong_line_before_login),),
    ),
    Case(
        id="1939-S-28",
        title="Ending a run of bad commands removes no message",
        source=SOURCE,
        level=Level.INFERRED,
        also=("1939-S-111",),
        mail=M2,
        exact=False,
        scratch=True,
        steps=(
            Given(Ask("DELE 1")),
            Logic(bad_commands_end_without_update),
            LogInAgain(),
            Ask("STAT", r"\+OK 2 \d+( .*)?"),
        ),
    ),
    Case(
        id="1939-S-35",
        title="There is a way to log in",
        source="RFC 1939 §4",
        level=Level.MUST,
        start=Start.GREETED,
        steps=(Logic(offers_a_way_in),),
    ),
    Case(
        id="1939-S-91",
        title="What CAPA announces of the optional commands works",
        source="RFC 1939 §7",
        level=Level.MAY,
        mail=M2,
        exact=False,
        capabilities=("TOP", "UIDL"),
        also=("1957-S-02", "TG-T-3"),
        steps=(AskLines("UIDL", each=r"\d+ [!-~]{1,70}"), AskLines("TOP 1 0"), Quit()),
    ),
)

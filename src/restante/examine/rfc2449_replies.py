"""RFC 2449 §6.4, §6.6 and §8: response codes and pipelining."""

from __future__ import annotations

import re
from collections.abc import Iterator

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import ERR, OK, Ask, Given, Hear, HearEnd, HearLine, Logic, Say
from restante.examine.fixtures import M2, SIZE_120
from restante.examine.outcome import Unmet
from restante.examine.replies import Status
from restante.examine.stage import Stage

PIPELINING = "RFC 2449 §6.6"
FLOOD = 10_000
CODE = r"\[[!-.0-Z^-~]+(/[!-.0-Z^-~]+)*\]"
REGISTERED = frozenset(("IN-USE", "LOGIN-DELAY", "AUTH", "UTF8", "SYS"))
PROVOCATIONS = ("USER [x", "PASS [x", "AUTH [X", "XYZZY [x", "[NOOP]", "APOP [a [b")


def text_has_no_bracket(stage: Stage) -> None:
    """Look for a '[' that is no response code, on every kind of reply."""
    for reply in provoked(stage):
        if not re.fullmatch(rf"(\+OK|-ERR)( {CODE}.*| [^\[]*)?", reply.line):
            raise Unmet(f"a reply is {reply.line[:100]!a}")


def provoked(stage: Stage) -> Iterator[Status]:
    """Yield the greeting and refusals of many kinds, each on a connection of its own."""
    stage.connect()
    yield stage.wire.status()
    for line in PROVOCATIONS:
        stage.begin(Start.GREETED)
        yield stage.ask(line)
    stage.begin(Start.GREETED)
    yield from (stage.ask(line) for line in ("USER {unknown}", "PASS {wrong}", "STAT"))


def codes_are_registered(stage: Stage) -> None:
    """Look for a response code that nobody registered."""
    for reply in provoked(stage):
        code = reply.code
        if code and code.partition("/")[0] not in REGISTERED:
            raise Unmet(f"a reply is {reply.line[:100]!a}")


def wrong_password_while_locked(stage: Stage) -> None:
    """Try a wrong password on a maildrop that is in use."""
    stage.begin(Start.GREETED, "second")
    Given(Ask("USER {user}")).perform(stage)
    reply = stage.ask("PASS {wrong}")
    if reply.positive or reply.code == "IN-USE":
        raise Unmet(f"a wrong password for a busy maildrop is answered {reply.line!a}")


def flood_of_commands(stage: Stage) -> None:
    """Queue far more RETR than any window holds, and read only when sending is stuck."""
    stage.send(b"RETR 1\r\n" * FLOOD)
    for _ in range(FLOOD):
        if stage.wire.answer().content != SIZE_120.wire:
            raise Unmet("one of many queued RETR shows another message")


CASES = (
    Case(
        id="2449-S-17",
        title="A text never begins with a bracket that is no response code",
        source="RFC 2449 §6.4",
        level=Level.MUST,
        also=("2449-S-18",),
        start=Start.GREETED,
        capabilities=("RESP-CODES",),
        steps=(Logic(text_has_no_bracket),),
    ),
    Case(
        id="IANA-S-01",
        title="A response code is registered",
        source="RFC 2449 §9; IANA, POP3 response codes",
        level=Level.MUST,
        variant="codes",
        start=Start.GREETED,
        capabilities=("RESP-CODES",),
        steps=(Logic(codes_are_registered),),
    ),
    Case(
        id="2449-S-23",
        title="Queued commands are answered one by one and in order, across the login",
        source=PIPELINING,
        level=Level.MUST,
        start=Start.GREETED,
        mail=M2,
        capabilities=("PIPELINING", "USER"),
        steps=(
            Say(b"USER {user}\r\nPASS {password}\r\nSTAT\r\nLIST\r\nNOOP\r\nQUIT\r\n"),
            Hear(OK, to="USER"),
            Hear(OK, to="PASS"),
            Hear(r"\+OK 2 320( .*)?", to="STAT"),
            Hear(OK, to="LIST"),
            HearLine(b"1 120"),
            HearLine(b"2 200"),
            HearLine(b"."),
            Hear(OK, to="NOOP"),
            Hear(OK, to="QUIT"),
            HearEnd(),
        ),
    ),
    Case(
        id="2449-S-24",
        title=f"{FLOOD} queued RETR do not bring both sides to a halt",
        source=PIPELINING,
        level=Level.MUST,
        mail=(SIZE_120,),
        capabilities=("PIPELINING",),
        steps=(Logic(flood_of_commands), Ask("NOOP")),
    ),
    Case(
        id="2449-S-25",
        title="Commands queued behind a login that fails are refused one by one",
        source=PIPELINING,
        level=Level.INFERRED,
        start=Start.GREETED,
        mail=M2,
        capabilities=("PIPELINING", "USER"),
        steps=(
            Say(b"USER {user}\r\nPASS {wrong}\r\nSTAT\r\nUSER {user}\r\nPASS {password}\r\n"),
            Hear(OK, to="USER"),
            Hear(ERR, to="PASS with a wrong password"),
            Hear(ERR, to="STAT"),
            Hear(OK, to="USER"),
            Hear(OK, to="PASS"),
            Ask("STAT", r"\+OK 2 320( .*)?"),
        ),
    ),
    Case(
        id="2449-S-26",
        title="A line queued behind AUTH is its response and no command",
        source=PIPELINING,
        level=Level.INFERRED,
        also=("5034-S-30",),
        start=Start.GREETED,
        capabilities=("SASL PLAIN",),
        steps=(
            Say(b"AUTH PLAIN\r\nCAPA\r\n"),
            Hear(r"\+ ", to="AUTH PLAIN"),
            Hear(ERR, to="CAPA as a response"),
            Ask("QUIT"),
            HearEnd(),
        ),
    ),
    Case(
        id="2449-S-33",
        title="Only who has proved the identity learns that the maildrop is in use",
        source="RFC 2449 §8.1.2",
        level=Level.MUST,
        mail=M2,
        exact=False,
        capabilities=("RESP-CODES", "USER"),
        steps=(Logic(wrong_password_while_locked),),
    ),
)

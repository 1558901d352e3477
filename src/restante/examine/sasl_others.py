"""Mechanisms beside those of their own files: LOGIN, ANONYMOUS."""

from __future__ import annotations

import base64

from restante.examine.case import Case, Level, Start, Verdict
from restante.examine.dialogue import ERR, OK, Ask, Given, Logic, holds
from restante.examine.fixtures import M2
from restante.examine.outcome import Unmet
from restante.examine.scram import mechanisms
from restante.examine.stage import Stage

LOGIN_DRAFT = "LOGIN, draft-murchison-sasl-login-00"
SENDS_PASSWORD = frozenset({"PLAIN", "LOGIN"})


def other_ways(stage: Stage) -> None:
    """Look for a mechanism that does not send the password."""
    if not set(mechanisms(stage)) - SENDS_PASSWORD:
        raise Unmet("every mechanism announced sends the password")


def login_dialogue(stage: Stage) -> None:
    """Log in by LOGIN's two questions."""
    for line, due in (("AUTH LOGIN", b"Username:"), ("{user}", b"Password:")):
        if line.startswith("AUTH"):
            reply = stage.ask(line)
        else:
            reply = stage.ask_sasl(line.encode(), b"")
        if reply.raw != b"+ " + base64.b64encode(due) + b"\r\n":
            raise Unmet(f"where {due!a} is due the server says {reply.raw[:60]!a}")
    holds(stage.ask_sasl(b"{password}", b""), OK, "the password")


def login_refuses(stage: Stage) -> None:
    """Answer LOGIN's second question wrongly."""
    Given(Ask("AUTH LOGIN", r"\+ .*")).perform(stage)
    holds(stage.ask_sasl(b"{user}", b""), r"\+ .*", "the name")
    holds(stage.ask_sasl(b"{wrong}", b""), ERR, "a wrong password")
    Ask("STAT", ERR).perform(stage)


def anonymous_trace_is_short(stage: Stage) -> None:
    """Send a trace that is longer than any may be."""
    holds(stage.ask_sasl(b"t" * 256, b"AUTH ANONYMOUS "), ERR, "a trace of 256 characters")


CASES = (
    Case(
        id="5034-S-27",
        title="There is a mechanism that does not send the password",
        source="RFC 5034 §4",
        level=Level.SHOULD,
        start=Start.GREETED,
        unmet=Verdict.DIFFERS,
        steps=(Logic(other_ways),),
    ),
    Case(
        id="LOGIN-S-01",
        title="LOGIN asks for a name and a password in the usual words",
        source=LOGIN_DRAFT,
        level=Level.INFERRED,
        start=Start.GREETED,
        capabilities=("SASL LOGIN",),
        mail=M2,
        exact=False,
        steps=(Logic(login_dialogue), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
    Case(
        id="LOGIN-S-01",
        title="LOGIN refuses a wrong password",
        source="RFC 5034 §4",
        level=Level.MUST,
        variant="wrong",
        start=Start.GREETED,
        capabilities=("SASL LOGIN",),
        mail=M2,
        exact=False,
        steps=(Logic(login_refuses),),
    ),
    Case(
        id="4505-S-01",
        title="ANONYMOUS takes no trace of more than 255 characters",
        source="RFC 4505 §2",
        level=Level.INFERRED,
        start=Start.GREETED,
        capabilities=("SASL ANONYMOUS",),
        steps=(Logic(anonymous_trace_is_short),),
    ),
    Case(
        id="6331-S-01",
        title="DIGEST-MD5 is not offered",
        source="RFC 6331 §1",
        level=Level.INFERRED,
        start=Start.GREETED,
        steps=(Ask("AUTH DIGEST-MD5", ERR), Ask("QUIT")),
    ),
)

"""Mechanisms beside those of their own files: EXTERNAL, LOGIN, ANONYMOUS, OAUTHBEARER, XOAUTH2."""

from __future__ import annotations

import base64
import json
import re

from restante.examine.case import Case, Level, Start, Trait, Verdict
from restante.examine.dialogue import ERR, OK, Ask, Given, Logic, Upgrade, holds
from restante.examine.fixtures import M2
from restante.examine.outcome import NotApplicable, Unmet
from restante.examine.replies import capabilities_of
from restante.examine.stage import Stage
from restante.examine.target import Tls

LOGIN_DRAFT = "LOGIN, draft-murchison-sasl-login-00"
SENDS_PASSWORD = frozenset({"PLAIN", "LOGIN"})
BAD_TOKEN = b"n,,\x01auth=Bearer certainly-wrong\x01\x01"
BAD_XTOKEN = b"user={user}\x01auth=Bearer certainly-wrong\x01\x01"
JUST_SEPARATOR = base64.b64encode(b"\x01").decode()


def mechanisms(stage: Stage) -> tuple[str, ...]:
    """Return the mechanisms announced now."""
    return capabilities_of(stage.ask_lines("CAPA")).get("SASL", ())


def refuses_external(identity: bytes) -> Logic:
    """Return a step: without a certificate EXTERNAL lets nobody in."""

    def attempt(stage: Stage) -> None:
        stage.target.pace.guess()
        encoded = base64.b64encode(stage.fill(identity)) or b"="
        stage.send(b"AUTH EXTERNAL " + encoded + b"\r\n")
        holds(stage.wire.status(), ERR, f"EXTERNAL for {identity!a} without a certificate")

    return Logic(attempt)


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


def under_tls(stage: Stage, mechanism: str) -> None:
    """Go under TLS, where bearer tokens belong, and look whether the mechanism is there."""
    if stage.endpoint.tls is Tls.STLS:
        Given(Upgrade()).perform(stage)
    if mechanism not in mechanisms(stage):
        raise NotApplicable(f"the server does not announce {mechanism}")


def bad_token(mechanism: str, message: bytes, answer: str) -> Logic:
    """Return a step: a bad token is told of in JSON, and refused behind the answer."""

    def attempt(stage: Stage) -> None:
        stage.target.pace.guess()
        under_tls(stage, mechanism)
        reply = stage.ask_sasl(message, f"AUTH {mechanism} ".encode())
        found = re.fullmatch(rb"\+ ([A-Za-z0-9+/]+={0,2})\r\n", reply.raw)
        if found is None:
            raise Unmet(f"a bad token is answered {reply.raw[:80]!a}, not by a challenge")
        told = json.loads(base64.b64decode(found[1]))
        if not isinstance(told, dict) or "status" not in told:
            raise Unmet(f"the challenge is {told!a}")
        Ask(answer, ERR).perform(stage)
        Ask("STAT", ERR).perform(stage)

    return Logic(attempt)


def bearer_needs_tls(stage: Stage) -> None:
    """Compare what is announced in clear and under TLS."""
    clear = mechanisms(stage)
    Upgrade().perform(stage)
    bearers = {"OAUTHBEARER", "XOAUTH2"}
    if not bearers & {*clear, *mechanisms(stage)}:
        raise NotApplicable("the server takes no bearer tokens")
    if exposed := bearers & set(clear):
        raise Unmet(f"in clear the server announces {sorted(exposed)}")


CASES = (
    Case(
        id="4422-S-06",
        title="EXTERNAL lets nobody in who showed no certificate",
        source="RFC 4422 Appendix A",
        level=Level.MUST,
        start=Start.GREETED,
        mail=M2,
        exact=False,
        steps=(refuses_external(b""), refuses_external(b"{user}"), Ask("STAT", ERR)),
    ),
    Case(
        id="4422-S-07",
        title="EXTERNAL takes no malformed identity",
        source="RFC 4422 Appendix A",
        level=Level.INFERRED,
        start=Start.GREETED,
        capabilities=("SASL EXTERNAL",),
        mail=M2,
        exact=False,
        steps=(
            refuses_external(b"\xff{user}"),
            refuses_external(b"{user}\0"),
            Ask("STAT", ERR),
        ),
    ),
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
    Case(
        id="7628-S-01",
        title="Bearer tokens are for TLS alone",
        source="RFC 7628 §3",
        level=Level.MUST,
        traits=frozenset({Trait.STLS}),
        start=Start.GREETED,
        steps=(Logic(bearer_needs_tls),),
    ),
    Case(
        id="7628-S-04",
        title="OAUTHBEARER tells in JSON why a token is bad, and then refuses",
        source="RFC 7628 §3.2.2, §3.2.3",
        level=Level.MUST,
        traits=frozenset({Trait.TLS}),
        start=Start.GREETED,
        steps=(bad_token("OAUTHBEARER", BAD_TOKEN, JUST_SEPARATOR),),
    ),
    Case(
        id="7628-S-04",
        title="OAUTHBEARER may be cancelled where it tells why a token is bad",
        source="RFC 7628 §3.2.3",
        level=Level.MUST,
        variant="cancelled",
        traits=frozenset({Trait.TLS}),
        start=Start.GREETED,
        steps=(bad_token("OAUTHBEARER", BAD_TOKEN, "*"),),
    ),
    Case(
        id="7628-S-05",
        title="A first message of a lone separator lets nobody in",
        source="RFC 7628 §3.1",
        level=Level.MUST,
        traits=frozenset({Trait.TLS}),
        start=Start.GREETED,
        steps=(
            Logic(lambda stage: under_tls(stage, "OAUTHBEARER")),
            Ask(f"AUTH OAUTHBEARER {JUST_SEPARATOR}", r"(-ERR|\+ ).*"),
            Ask("*", ERR),
        ),
    ),
    Case(
        id="XOAUTH2-S-01",
        title="XOAUTH2 tells in JSON why a token is bad, and refuses behind an empty line",
        source="XOAUTH2, as deployed",
        level=Level.INFERRED,
        traits=frozenset({Trait.TLS}),
        start=Start.GREETED,
        mail=M2,
        exact=False,
        steps=(bad_token("XOAUTH2", BAD_XTOKEN, ""),),
    ),
    Case(
        id="XOAUTH2-S-02",
        title="XOAUTH2 takes the answer that OAUTHBEARER has as well",
        source="XOAUTH2, as deployed",
        level=Level.INFERRED,
        traits=frozenset({Trait.TLS}),
        start=Start.GREETED,
        mail=M2,
        exact=False,
        steps=(bad_token("XOAUTH2", BAD_XTOKEN, JUST_SEPARATOR),),
    ),
)

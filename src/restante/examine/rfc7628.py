"""RFC 7628: OAUTHBEARER, its message and its refusal; XOAUTH2, which is in use beside it.

Most of it can be tried with a token that is good for nothing. Whether a good one lets in, and whom,
takes one that the account's owner got, with --oauth-token-file.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

from restante.examine.case import Case, Level, Start, Step, Trait, Verdict
from restante.examine.dialogue import ERR, OK, Ask, Given, Logic, Upgrade, holds
from restante.examine.fixtures import M2
from restante.examine.outcome import NotApplicable, NotTried, Unmet
from restante.examine.replies import Status, capabilities_of
from restante.examine.stage import Stage
from restante.examine.target import Tls

OAUTHBEARER, XOAUTH2 = "OAUTHBEARER", "XOAUTH2"
DEPLOYED = "XOAUTH2, as deployed"
BAD_TOKEN = b"n,a={user},\x01auth=Bearer certainly-wrong\x01\x01"
BAD_XTOKEN = b"user={user}\x01auth=Bearer certainly-wrong\x01\x01"
GOOD = b"n,a={user},\x01auth=Bearer {token}\x01\x01"
GOOD_X = b"user={user}\x01auth=Bearer {token}\x01\x01"
JUST_SEPARATOR = base64.b64encode(b"\x01").decode()


def mechanisms(stage: Stage) -> tuple[str, ...]:
    """Return the mechanisms announced now."""
    return capabilities_of(stage.ask_lines("CAPA")).get("SASL", ())


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


def show(stage: Stage, mechanism: str, message: bytes) -> Status:
    """Send a message, hear out why it is refused where it is, and return the last reply."""
    reply = stage.ask_sasl(message, f"AUTH {mechanism} ".encode())
    if reply.raw.startswith(b"+ "):
        return stage.ask(JUST_SEPARATOR if mechanism == OAUTHBEARER else "")
    return reply


def with_token(mechanism: str) -> Callable[[Stage], None]:
    """Return a beginning: the mechanism is there under TLS, and there is a token to show."""

    def begin(stage: Stage) -> None:
        under_tls(stage, mechanism)
        if not stage.has_token:
            raise NotTried("it needs a token that lets the account in: --oauth-token-file")
        stage.target.pace.before_login()

    return begin


def lets_in(mechanism: str, message: bytes) -> Logic:
    """Return a step: this message with the token lets in, or the token is of no use."""

    def attempt(stage: Stage) -> None:
        with_token(mechanism)(stage)
        reply = show(stage, mechanism, message)
        if not reply.positive:
            raise NotTried(f"the token is refused, {reply.line[:80]!a}: it may have expired")

    return Logic(attempt)


def after_the_token(mechanism: str, good: bytes, judge: Callable[[Stage], None]) -> Logic:
    """Return a step: the token lets in, and then, on another connection, something is tried."""

    def attempt(stage: Stage) -> None:
        lets_in(mechanism, good).perform(stage)
        Given(Ask("QUIT")).perform(stage)
        stage.begin(Start.GREETED)
        with_token(mechanism)(stage)
        judge(stage)

    return Logic(attempt)


def takes(message: bytes, what: str) -> Logic:
    """Return a step: a message that says the same in another form lets in as well."""

    def judge(stage: Stage) -> None:
        holds(show(stage, OAUTHBEARER, message), OK, what)

    return after_the_token(OAUTHBEARER, GOOD, judge)


def refuses(mechanism: str, good: bytes, message: bytes, what: str) -> Logic:
    """Return a step: a message with the token and something wrong lets nobody in."""

    def judge(stage: Stage) -> None:
        stage.target.pace.guess()
        holds(show(stage, mechanism, message), ERR, what)
        Ask("STAT", ERR).perform(stage)

    return after_the_token(mechanism, good, judge)


def altered_token(mechanism: str, good: bytes) -> Logic:
    """Return a step: the token with one character changed lets nobody in."""

    def judge(stage: Stage) -> None:
        stage.target.pace.guess()
        message = good.replace(b"{token}", b"{spoilt_token}")
        holds(show(stage, mechanism, message), ERR, "a token with a character changed")
        Ask("STAT", ERR).perform(stage)

    return after_the_token(mechanism, good, judge)


def token_case(
    id_: str,
    title: str,
    level: Level,
    *steps: Step,
    variant: str,
    source: str = "RFC 7628 §3.1",
    second_account: bool = False,
    unmet: Verdict | None = None,
) -> Case:
    """Return a case about what a token is good for."""
    return Case(
        id=id_,
        title=title,
        source=source,
        level=level,
        variant=variant,
        traits=frozenset({Trait.TLS}),
        start=Start.GREETED,
        mail=M2,
        exact=False,
        second_account=second_account,
        unmet=unmet,
        steps=steps,
    )


STAT_OF_TWO = Ask("STAT", r"\+OK 2 \d+( .*)?")

CASES = (
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
    token_case(
        "7628-S-02",
        "A good token lets in",
        Level.MUST,
        lets_in(OAUTHBEARER, GOOD),
        STAT_OF_TWO,
        variant="token",
    ),
    *(
        token_case(
            "7628-S-02",
            title,
            Level.MUST,
            takes(message, title),
            STAT_OF_TWO,
            variant=variant,
        )
        for variant, title, message in (
            (
                "unknown-key",
                "A key that nobody knows is ignored",
                b"n,a={user},\x01unknown=x y\x01auth=Bearer {token}\x01more=\x01\x01",
            ),
            (
                "scheme",
                "The scheme means the same in any case",
                b"n,a={user},\x01auth=bEaReR {token}\x01\x01",
            ),
        )
    ),
    token_case(
        "7628-S-02",
        "A message without auth lets nobody in",
        Level.MUST,
        refuses(OAUTHBEARER, GOOD, b"n,a={user},\x01host=x\x01\x01", "a message without auth"),
        variant="no-auth",
    ),
    token_case(
        "7628-S-02",
        "A message that breaks the grammar lets nobody in",
        Level.INFERRED,
        refuses(OAUTHBEARER, GOOD, b"n,a={user},\x01auth=Bearer {token}", "a message cut short"),
        variant="cut",
    ),
    token_case(
        "7628-S-03",
        "A token for another host lets nobody in",
        Level.MUST,
        refuses(
            OAUTHBEARER,
            GOOD,
            b"n,a={user},\x01host=elsewhere.invalid\x01port=1\x01auth=Bearer {token}\x01\x01",
            "the host elsewhere.invalid and the port 1",
        ),
        variant="host",
        source="RFC 7628 §3.2",
        unmet=Verdict.DIFFERS,
    ),
    token_case(
        "7628-S-06",
        "A token of one lets nobody in as somebody else",
        Level.MUST,
        refuses(
            OAUTHBEARER,
            GOOD,
            b"n,a={second_user},\x01auth=Bearer {token}\x01\x01",
            "the token for another account",
        ),
        variant="other",
        source="RFC 7628 §3.2",
        second_account=True,
    ),
    token_case(
        "7628-S-06",
        "A token that was tampered with lets nobody in",
        Level.MUST,
        altered_token(OAUTHBEARER, GOOD),
        variant="altered",
        source="RFC 7628 §3.2",
    ),
    token_case(
        "XOAUTH2-S-01",
        "A good token lets in by XOAUTH2",
        Level.INFERRED,
        lets_in(XOAUTH2, GOOD_X),
        STAT_OF_TWO,
        variant="token",
        source=DEPLOYED,
    ),
    token_case(
        "XOAUTH2-S-01",
        "By XOAUTH2 a token of one lets nobody in as somebody else",
        Level.INFERRED,
        refuses(
            XOAUTH2,
            GOOD_X,
            b"user={second_user}\x01auth=Bearer {token}\x01\x01",
            "the token for another account",
        ),
        variant="other",
        source=DEPLOYED,
        second_account=True,
    ),
)

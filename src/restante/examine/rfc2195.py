"""RFC 2195: CRAM-MD5, its challenge and its response."""

from __future__ import annotations

import base64
import re

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import ERR, OK, Ask, Given, Logic, holds
from restante.examine.fixtures import M2
from restante.examine.outcome import Unmet
from restante.examine.proofs import cram_response
from restante.examine.replies import Status
from restante.examine.stage import Stage
from restante.examine.ways_in import WayIn

SOURCE = "RFC 2195 §2"
CRAM = ("SASL CRAM-MD5",)
CHALLENGES = 8


def challenge(stage: Stage) -> bytes:
    """Begin an exchange and return what the server challenges with."""
    reply = stage.ask("AUTH CRAM-MD5")
    if not re.fullmatch(rb"\+ [A-Za-z0-9+/]+={0,2}\r\n", reply.raw):
        raise Unmet(f"AUTH CRAM-MD5 is answered {reply.raw[:80]!a}")
    return base64.b64decode(reply.raw[2:-2], validate=True)


def answer(stage: Stage, response: bytes) -> Status:
    """Send a response and read what the server makes of it."""
    return stage.ask_sasl(response, b"")


def right(stage: Stage, over: bytes) -> bytes:
    """Return the response that the password gives to a challenge."""
    assert stage.account is not None
    response = cram_response(stage.account.name, stage.account.password, over)
    stage.record.hide([response.rpartition(b" ")[2]])
    return response


WAY_IN = WayIn("CRAM-MD5", "response", lambda stage: answer(stage, right(stage, challenge(stage))))


def challenges_differ(stage: Stage) -> None:
    """Look at the form of some challenges, and for one that comes again."""
    seen = []
    for _ in range(CHALLENGES):
        seen.append(challenge(stage))
        if not re.fullmatch(rb"<[!-;=?-~]+@[!-;=?-~]+>", seen[-1]):
            raise Unmet(f"the challenge is {seen[-1]!a}")
        stage.begin(Start.GREETED)
    if len(set(seen)) != len(seen):
        raise Unmet(f"of {len(seen)} challenges {len(set(seen))} differ")


def old_challenge(stage: Stage) -> None:
    """Answer a challenge with the response to the one before it."""
    stage.target.pace.guess()
    replayed = right(stage, challenge(stage))
    stage.begin(Start.GREETED)
    challenge(stage)
    holds(answer(stage, replayed), ERR, "the response to another challenge")
    Ask("STAT", ERR).perform(stage)


def spoilt_digest(stage: Stage) -> None:
    """Answer with a digest of which one digit is another, then rightly."""
    stage.target.pace.guess()
    response = right(stage, challenge(stage))
    spoilt = response[:-1] + (b"0" if response[-1:] != b"0" else b"1")
    holds(answer(stage, spoilt), ERR, "a wrong digest")
    Ask("STAT", ERR).perform(stage)
    holds(answer(stage, right(stage, challenge(stage))), OK, "the right digest behind it")


def malformed(stage: Stage) -> None:
    """Answer without a digest, and with one that is cut short."""
    stage.target.pace.guess()
    for cut in (-33, -1):
        response = right(stage, challenge(stage))[:cut]
        holds(answer(stage, response), ERR, f"a response of {len(response)} octets")
        stage.begin(Start.GREETED)
    Ask("STAT", ERR).perform(stage)


def refusals_read_alike(stage: Stage) -> None:
    """Compare the refusals of an unknown name and of a wrong digest."""
    challenge(stage)
    unknown = answer(stage, b"{unknown} " + b"0" * 32).line
    stage.begin(Start.GREETED)
    challenge(stage)
    wrong = answer(stage, b"{user} " + b"0" * 32).line
    if unknown != wrong:
        raise Unmet(f"unknown user: {unknown!a}, wrong digest: {wrong!a}")


def gets_in_at_all(stage: Stage) -> None:
    """Make sure that the server takes the name at all, by PLAIN where there is that."""
    if "PLAIN" in (stage.capabilities() or {}).get("SASL", ()):
        Given(Ask("AUTH PLAIN {plain}")).perform(stage)
    else:
        stage.log_in()
    Given(Ask("QUIT")).perform(stage)
    stage.begin(Start.GREETED)


def last_space_parts(stage: Stage) -> None:
    """Log in with a name that has a space in it."""
    stage.target.pace.before_login()
    response = right(stage, challenge(stage))
    holds(answer(stage, response), OK, "the response of a name with a space in it")


def one_way_in(stage: Stage) -> None:
    """See whether the account that CRAM-MD5 lets in is let in by its password as well."""
    if stage.present().positive:
        raise Unmet("the same account is let in by CRAM-MD5 and by its password")


def cram_case(
    id_: str,
    title: str,
    level: Level,
    *steps: Logic | Ask,
    variant: str = "",
    also: tuple[str, ...] = (),
    source: str = SOURCE,
    named: str = "",
) -> Case:
    """Return a case about a server that offers CRAM-MD5."""
    return Case(
        id=id_,
        title=title,
        source=source,
        level=level,
        variant=variant,
        also=also,
        start=Start.GREETED,
        capabilities=CRAM,
        mail=M2,
        exact=False,
        named=named,
        steps=steps,
    )


CASES = (
    cram_case(
        "2195-S-01",
        "Each challenge is new and looks like a message-id",
        Level.MUST,
        Logic(challenges_differ),
        also=("5034-S-07",),
    ),
    cram_case(
        "2195-S-01",
        "The response to another challenge lets nobody in",
        Level.MUST,
        Logic(WAY_IN.can_log_in),
        Logic(old_challenge),
        variant="replay",
    ),
    cram_case(
        "2195-S-02",
        "The name and the HMAC-MD5 of the challenge let in",
        Level.MUST,
        Logic(WAY_IN.lets_in),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
        also=("1734-S-01",),
    ),
    cram_case(
        "2195-S-02",
        "A wrong digest is refused, and another exchange may follow",
        Level.MUST,
        Logic(WAY_IN.can_log_in),
        Logic(spoilt_digest),
        variant="wrong",
        also=("5034-S-17",),
    ),
    cram_case(
        "2195-S-02",
        "A response without all of its digest is refused",
        Level.MUST,
        Logic(WAY_IN.can_log_in),
        Logic(malformed),
        variant="malformed",
    ),
    cram_case(
        "2195-S-03",
        "The last space parts the name and the digest",
        Level.INFERRED,
        Logic(gets_in_at_all),
        Logic(last_space_parts),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
        named=" ",
    ),
    cram_case(
        "2195-S-04",
        "An account is for CRAM-MD5 or for passwords sent, and not for both",
        Level.SHOULD,
        Logic(WAY_IN.can_log_in),
        Logic(one_way_in),
        source="RFC 2195 §4",
    ),
    cram_case(
        "4422-S-02",
        "CRAM-MD5 refuses an unknown name and a wrong digest in the same words",
        Level.INFERRED,
        Logic(refusals_read_alike),
        variant="cram-md5",
        source="RFC 4422 §3.6",
    ),
    cram_case(
        "5034-S-11",
        "A mechanism that begins with a challenge takes no initial response",
        Level.MUST,
        Ask("AUTH CRAM-MD5 AGFs", ERR),
        Ask("STAT", ERR),
        source="RFC 5034 §4",
    ),
    cram_case(
        "5034-S-14",
        "A line of '*' cancels CRAM-MD5",
        Level.MUST,
        Logic(lambda stage: _begins_and_cancels(stage)),
        Ask("STAT", ERR),
        variant="cram-md5",
        source="RFC 5034 §4",
    ),
)


def _begins_and_cancels(stage: Stage) -> None:
    challenge(stage)
    Ask("*", ERR).perform(stage)

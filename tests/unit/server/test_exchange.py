"""An exchange holds its verdict until the client has heard the mechanism's last word."""

import pytest

from restante.errors import AuthenticationFailed, Refusal
from restante.identity import (
    Identity,
    PasswordCredentials,
    SaltRequest,
    ScramParameters,
)
from restante.sasl import MechanismError, PlainServer
from restante.sasl.mechanism import Challenge, Step
from restante.secret import Secret
from restante.server.exchange import Exchange, Verdict

BOB = Identity("bob")
CREDENTIALS = PasswordCredentials("bob", Secret(b"secret"), "PLAIN")


class Talkative:
    """A mechanism with a last word for either verdict, if there is anything to say."""

    name = "TALKATIVE"

    def __init__(self, *, speaks: bool = True) -> None:
        self.speaks = speaks

    def start(self, initial_response: bytes | None) -> Step:
        return SaltRequest("bob", self.name)

    def respond(self, response: bytes) -> Step:
        return CREDENTIALS

    def salted(self, parameters: ScramParameters) -> Challenge:
        return Challenge(b"salt " + parameters.salt)

    def admitted(self, identity: Identity) -> Challenge | None:
        return Challenge(b"welcome") if self.speaks else None

    def refused(self, refusal: Refusal) -> Challenge | None:
        return Challenge(b"sorry") if self.speaks else None

    def acknowledge(self, response: bytes) -> None:
        if response:
            raise MechanismError("nothing is to be said here")


def test_steps_are_the_mechanisms() -> None:
    exchange = Exchange(Talkative())
    assert exchange.mechanism == "TALKATIVE"
    assert exchange.start(None) == SaltRequest("bob", "TALKATIVE")
    assert exchange.salted(ScramParameters(b"x", 4096)) == Challenge(b"salt x")
    assert exchange.respond(b"proof") is CREDENTIALS


@pytest.mark.parametrize(
    ("outcome", "word"), [(BOB, b"welcome"), (AuthenticationFailed(), b"sorry")]
)
def test_a_verdict_waits_for_the_acknowledgement(outcome: Identity | Refusal, word: bytes) -> None:
    exchange = Exchange(Talkative())
    assert exchange.hold(CREDENTIALS, outcome) == Challenge(word)
    with pytest.raises(MechanismError):
        exchange.respond(b"what?")
    assert exchange.respond(b"") == Verdict(CREDENTIALS, outcome)


@pytest.mark.parametrize("mechanism", [PlainServer(), Talkative(speaks=False)])
def test_without_a_last_word_nothing_is_held(mechanism: PlainServer | Talkative) -> None:
    exchange = Exchange(mechanism)
    assert exchange.hold(CREDENTIALS, BOB) is None
    assert exchange.hold(CREDENTIALS, AuthenticationFailed()) is None
    assert isinstance(exchange.respond(b"\0bob\0secret"), PasswordCredentials)

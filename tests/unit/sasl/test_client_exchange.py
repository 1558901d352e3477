"""One run of a mechanism as a client: when the first message goes, and what a success is worth."""

import pytest

from restante.sasl.client_exchange import STEPS, ClientExchange
from restante.sasl.client_mechanism import ClientMechanism, ServerUnproved
from restante.sasl.external import ExternalClient
from restante.sasl.fields import write_base64
from restante.sasl.login import LoginClient
from restante.sasl.mechanism import Channel, MechanismError
from restante.sasl.oauthbearer import OAuthBearerClient
from restante.sasl.plain import PlainClient
from restante.secret import Secret

PLAIN = PlainClient("alice", Secret(b"secret"))
MESSAGE = b"\0alice\0secret"


def test_the_first_message_goes_with_the_command() -> None:
    exchange = ClientExchange(PLAIN)
    assert exchange.mechanism == "PLAIN"
    assert exchange.initial_response == MESSAGE
    exchange.succeeded()


def test_the_first_message_answers_an_empty_challenge() -> None:
    """conformance: 5034-C-01"""
    exchange = ClientExchange(PLAIN, initial_response=False)
    assert exchange.initial_response is None
    assert exchange.respond(b"") == MESSAGE
    exchange.succeeded()


def test_another_challenge_than_an_empty_one() -> None:
    exchange = ClientExchange(PLAIN, initial_response=False)
    with pytest.raises(MechanismError, match="was to begin"):
        exchange.respond(b"Username:")


def test_a_success_before_the_first_message_is_none() -> None:
    with pytest.raises(ServerUnproved):
        ClientExchange(PLAIN, initial_response=False).succeeded()


def test_an_empty_first_message_is_one() -> None:
    """conformance: 5034-C-03"""
    assert ClientExchange(ExternalClient()).initial_response == b""


@pytest.mark.parametrize(("octets", "at_once"), [(180, True), (181, False), (4000, False)])
def test_what_is_too_long_for_the_command_goes_in_two_steps(octets: int, at_once: bool) -> None:
    """conformance: 5034-C-02, XOAUTH2-C-01"""
    client = PlainClient("alice", Secret(b"p" * (octets - len("\0alice\0"))))
    assert len(client.first_message()) == octets
    exchange = ClientExchange(client)
    assert (exchange.initial_response is not None) == at_once
    if at_once:
        line = b"AUTH PLAIN " + write_base64(client.first_message()) + b"\r\n"
        assert len(line) <= 255


def test_a_token_has_less_room() -> None:
    """conformance: 5034-C-02"""
    bare = len(OAuthBearerClient(Secret(b"t"), Channel()).first_message()) - 1
    for octets, at_once in ((177, True), (178, False)):
        client = OAuthBearerClient(Secret(b"t" * (octets - bare)), Channel())
        assert (ClientExchange(client).initial_response is not None) == at_once


def test_where_the_server_begins_nothing_goes_with_the_command() -> None:
    """conformance: 5034-S-11"""
    exchange = ClientExchange(LoginClient("alice", Secret(b"secret")))
    assert exchange.initial_response is None
    assert exchange.respond(b"Username:") == b"alice"
    with pytest.raises(ServerUnproved, match="without the proof"):
        exchange.succeeded()
    assert exchange.respond(b"Password:") == b"secret"
    exchange.succeeded()
    assert exchange.failure == ""


def test_a_server_that_never_ends() -> None:
    class Patient:
        name = "PATIENT"
        failure = ""
        verified = False

        def first_message(self) -> None:
            return None

        def step(self, challenge: bytes) -> bytes:
            return challenge

    patient: ClientMechanism = Patient()
    exchange = ClientExchange(patient)
    for _ in range(STEPS):
        assert exchange.respond(b"more") == b"more"
    with pytest.raises(MechanismError, match="never comes to an end"):
        exchange.respond(b"more")

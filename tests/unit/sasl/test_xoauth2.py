"""XOAUTH2: its form, and how a failure is told."""

import json
from binascii import a2b_base64

import pytest

from restante.errors import AuthenticationFailed
from restante.identity import TokenCredentials
from restante.sasl.client_mechanism import MechanismUnusable
from restante.sasl.mechanism import Challenge, Channel, MechanismError
from restante.sasl.xoauth2 import XOAuth2Client, XOAuth2Server
from restante.secret import Secret

EXAMPLE = a2b_base64(b"dXNlcj11QGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIHRvawEB")
CHANNEL = Channel()


def test_it_asks_for_the_message() -> None:
    assert XOAuth2Server(CHANNEL).start(None) == Challenge(b"")


def test_the_example() -> None:
    """conformance: XOAUTH2-S-01"""
    expected = TokenCredentials("u@example.com", Secret(b"tok"), "XOAUTH2", "")
    assert XOAuth2Server(CHANNEL).start(EXAMPLE) == expected
    assert XOAuth2Server(CHANNEL).respond(EXAMPLE) == expected


@pytest.mark.parametrize("response", [b"", b"\x01"])
def test_a_refusal_is_told_in_a_challenge(response: bytes) -> None:
    """conformance: XOAUTH2-S-01, XOAUTH2-S-02"""
    server = XOAuth2Server(CHANNEL, scope="https://mail.example.com/")
    server.start(EXAMPLE)
    challenge = server.refused(AuthenticationFailed())
    assert challenge is not None
    assert json.loads(challenge.data) == {
        "status": "401",
        "schemes": "bearer",
        "scope": "https://mail.example.com/",
    }
    server.acknowledge(response)


def test_a_message_without_a_token() -> None:
    server = XOAuth2Server(CHANNEL)
    challenge = server.start(b"user=alice\x01auth=\x01\x01")
    assert challenge == Challenge(b'{"status": "400", "schemes": "bearer"}')
    with pytest.raises(AuthenticationFailed):
        server.respond(b"")


@pytest.mark.parametrize(
    "message",
    [
        *(b"", b"\x01", EXAMPLE[:-1], b"n,," + EXAMPLE, b"auth=Bearer t\x01\x01"),
        *(b"user=\x01auth=Bearer t\x01\x01", b"user=\xff\x01auth=Bearer t\x01\x01"),
        b"user=" + b"u" * 1025 + b"\x01auth=Bearer t\x01\x01",
    ],
)
def test_what_is_no_message(message: bytes) -> None:
    """conformance: XOAUTH2-S-01"""
    with pytest.raises(MechanismError):
        XOAuth2Server(CHANNEL).start(message)


def test_what_a_client_sends() -> None:
    """conformance: XOAUTH2-S-01"""
    assert XOAuth2Client("u@example.com", Secret(b"tok")).first_message() == EXAMPLE


def test_how_a_client_ends_a_failed_exchange() -> None:
    """conformance: XOAUTH2-S-01"""
    client = XOAuth2Client("u@example.com", Secret(b"tok"))
    assert client.step(b'{"status":"401"}') == b""
    assert client.failure == "401"


@pytest.mark.parametrize("user", ["", "a\x01auth=Bearer other", "a\0b"])
def test_what_no_client_can_send(user: str) -> None:
    with pytest.raises(MechanismUnusable):
        XOAuth2Client(user, Secret(b"tok"))

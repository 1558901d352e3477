"""The client's side of bearer tokens: the message, and the end of a failed exchange."""

import json

import pytest

from restante.sasl.bearer_client import BearerClient
from restante.sasl.client_mechanism import MechanismUnusable
from restante.sasl.mechanism import MechanismError
from restante.secret import Secret


class ShortClient(BearerClient):
    """A mechanism with a short message."""

    name = "SHORT"
    acknowledgement = b"\x01"

    def _pairs(self) -> list[bytes]:
        return [b"a=b"]


def client() -> ShortClient:
    return ShortClient(Secret(b"token"))


def test_a_message() -> None:
    assert client().first_message() == b"a=b\x01auth=Bearer token\x01\x01"
    assert client().verified
    assert client().failure == client().wanted_scope == client().openid_configuration == ""


@pytest.mark.parametrize("token", [b"", b" ", b"a b", b"a\x01", b"\xff", b"a\n", b"t" * 65_537])
def test_what_is_no_token(token: bytes) -> None:
    with pytest.raises(MechanismUnusable, match="token"):
        ShortClient(Secret(token))


def test_a_failure() -> None:
    """conformance: 7628-C-01"""
    dialogue = client()
    told = {"status": "invalid_token", "scope": "mail", "openid-configuration": "https://a/"}
    assert dialogue.step(json.dumps(told).encode()) == b"\x01"
    assert dialogue.failure == "invalid_token"
    assert dialogue.wanted_scope == "mail"
    assert dialogue.openid_configuration == "https://a/"
    assert not dialogue.verified
    with pytest.raises(MechanismError, match="once"):
        dialogue.step(b"{}")


@pytest.mark.parametrize(
    "challenge",
    [
        *(b"", b"{", b"[]", b'"status"', b"\xff", b'{"status": 5}', b'{"status": "\\u001b[1m"}'),
        *(b'{"status": "\xc3\xbc"}', b"[" * 8000, b'{"status": "' + b"a" * 8192 + b'"}'),
        b'{"n": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_failure_that_says_nothing(challenge: bytes) -> None:
    """conformance: 7628-C-01"""
    dialogue = client()
    assert dialogue.step(challenge) == b"\x01"
    assert dialogue.failure == ""
    assert not dialogue.verified


def test_a_status_is_short() -> None:
    dialogue = client()
    dialogue.step(b'{"status": "' + b"a" * 5000 + b'"}')
    assert dialogue.failure == "a" * 128

"""Bearer tokens: lists of pairs, the token among them, and how a failure is told."""

import pytest

from restante.errors import AuthenticationFailed, MaildropInUse, TemporaryFailure
from restante.identity import Identity, TokenCredentials
from restante.sasl.bearer import BearerServer, read_pairs, read_token
from restante.sasl.mechanism import Challenge, Channel, HasLastWord, MechanismError
from restante.secret import Secret


class ShortServer(BearerServer):
    """A mechanism whose message is the token."""

    name = "SHORT"
    invalid_request = "wrong"
    invalid_token = "unknown"

    def _read(self, message: bytes) -> TokenCredentials | str:
        return TokenCredentials("", Secret(message), self.name) if message else "no token"

    def _explanation(self) -> dict[str, str]:
        return {"scope": self._scope, "more": ""}


def server() -> ShortServer:
    return ShortServer(Channel(), "mail")


def test_an_exchange() -> None:
    dialogue = server()
    assert isinstance(dialogue, HasLastWord)
    assert dialogue.start(None) == Challenge(b"")
    assert dialogue.respond(b"abc") == TokenCredentials("", Secret(b"abc"), "SHORT")
    assert dialogue.admitted(Identity("alice")) is None
    with pytest.raises(MechanismError, match="no message is due"):
        dialogue.respond(b"abc")


@pytest.mark.parametrize("response", [b"\x01", b""])
def test_a_refused_token_is_told_before_the_reply(response: bytes) -> None:
    """conformance: 7628-S-04, XOAUTH2-S-02"""
    dialogue = server()
    dialogue.start(b"abc")
    word = dialogue.refused(AuthenticationFailed())
    assert word == Challenge(b'{"status": "unknown", "scope": "mail"}')
    dialogue.acknowledge(response)


def test_what_says_nothing_of_the_token_is_told_by_the_reply() -> None:
    for refusal in (TemporaryFailure(), MaildropInUse()):
        assert server().refused(refusal) is None


@pytest.mark.parametrize("response", [b"\x01", b""])
def test_a_message_without_a_token_fails_behind_its_explanation(response: bytes) -> None:
    """conformance: 7628-S-04"""
    dialogue = server()
    assert dialogue.start(b"") == Challenge(b'{"status": "wrong", "scope": "mail"}')
    with pytest.raises(AuthenticationFailed) as caught:
        dialogue.respond(response)
    assert caught.value.reason == "no token"


def test_another_response_to_an_explanation() -> None:
    dialogue = server()
    dialogue.start(b"")
    with pytest.raises(MechanismError, match="empty, or a separator"):
        dialogue.respond(b"abc")


@pytest.mark.parametrize(
    ("octets", "pairs"),
    [
        (b"\x01\x01", None),
        (b"\x01", {}),
        (b"a=b\x01\x01", {b"a": b"b"}),
        (b"a=\x01Key=b=c\n\x01\x01", {b"a": b"", b"Key": b"b=c\n"}),
    ],
)
def test_pairs(octets: bytes, pairs: dict[bytes, bytes] | None) -> None:
    """conformance: 7628-S-02"""
    if pairs is None:
        with pytest.raises(MechanismError):
            read_pairs(octets)
    else:
        assert read_pairs(octets) == pairs


@pytest.mark.parametrize(
    "octets",
    [
        *(b"", b"a=b", b"a=b\x01", b"\x01a=b\x01\x01", b"a=b\x01\x01\x01", b"a=b\x01\x01c"),
        *(b"a=b\x01a=c\x01\x01", b"=b\x01\x01", b"a\x01\x01", b"a1=b\x01\x01"),
        b"a=" + b"b" * 80_000 + b"\x01\x01",
    ],
)
def test_what_are_no_pairs(octets: bytes) -> None:
    """conformance: 7628-S-02"""
    with pytest.raises(MechanismError):
        read_pairs(octets)


def test_pairs_are_counted() -> None:
    parts = [b"%c=v\x01" % letter for letter in b"abcdefghijklmnopqrstuvwxyzABCDEFG"]
    assert len(read_pairs(b"".join(parts[:32]) + b"\x01")) == 32
    with pytest.raises(MechanismError):
        read_pairs(b"".join(parts) + b"\x01")


@pytest.mark.parametrize(
    ("value", "token"),
    [
        (b"Bearer abc", b"abc"),
        (b"bEaReR  abc==", b"abc=="),
        (b"Bearer " + b"t" * 65_536, b"t" * 65_536),
        (b"Bearer " + b"t" * 65_537, None),
        (b"", None),
        (b"Bearer", None),
        (b"Bearer ", None),
        (b"Bearer a b", None),
        (b"Bearer a\n", None),
        (b"Basic abc", None),
        (b" Bearer abc", None),
        (b"Bearer \xff", None),
    ],
)
def test_tokens(value: bytes, token: bytes | None) -> None:
    """conformance: 7628-S-02"""
    assert read_token(value) == token

"""OAUTHBEARER: the examples of RFC 7628 §4, and how a failure is told."""

import json
from dataclasses import replace

import pytest

from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.identity import Identity, TokenCredentials
from restante.sasl.client_mechanism import MechanismUnusable
from restante.sasl.mechanism import Challenge, Channel, HasLastWord, MechanismError
from restante.sasl.oauthbearer import OAuthBearerClient, OAuthBearerServer
from restante.secret import Secret

TOKEN = b"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
CHANNEL = Channel(
    hostname="server.example.com", other_names=frozenset({"Other.example.com"}), port=143
)
EXAMPLE = (
    b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
    b"auth=Bearer " + TOKEN + b"\x01\x01"
)


def told(challenge: object) -> dict[str, str]:
    assert isinstance(challenge, Challenge)
    found = json.loads(challenge.data)
    assert isinstance(found, dict)
    return found


def test_it_asks_for_the_message() -> None:
    assert OAuthBearerServer(CHANNEL).start(None) == Challenge(b"")


def test_the_example_of_the_rfc() -> None:
    """conformance: 7628-S-02, 7628-S-03"""
    expected = TokenCredentials("user@example.com", Secret(TOKEN), "OAUTHBEARER", "")
    assert OAuthBearerServer(CHANNEL).start(EXAMPLE) == expected


@pytest.mark.parametrize(
    "message",
    [
        b"n,,\x01auth=bEaReR t\x01\x01",
        b"y,,\x01auth=Bearer t\x01port=143\x01host=SERVER.example.COM.\x01\x01",
        b"n,,\x01unknown=what\tever\r\n\x01auth=Bearer t\x01host=other.example.com\x01\x01",
    ],
)
def test_order_case_and_unknown_keys(message: bytes) -> None:
    """conformance: 7628-S-02"""
    expected = TokenCredentials("", Secret(b"t"), "OAUTHBEARER")
    assert OAuthBearerServer(CHANNEL).start(message) == expected


@pytest.mark.parametrize(
    "host", ["pop.example.net", "POP.example.net.", "192.0.2.1", "[2001:DB8::1]"]
)
def test_names_of_a_level_and_addresses_are_ours(host: str) -> None:
    """A certificate for all of a domain says `*.`, and some clients connect by address."""
    names = frozenset({"*.example.net", "192.0.2.1", "2001:db8::1"})
    server = OAuthBearerServer(replace(CHANNEL, other_names=names))
    message = b"n,,\x01host=" + host.encode() + b"\x01auth=Bearer t\x01\x01"
    assert isinstance(server.start(message), TokenCredentials)


@pytest.mark.parametrize("host", ["example.net", "a.b.example.net", ".net", "net", "192.0.2.2"])
def test_a_name_of_a_level_is_of_that_level_alone(host: str) -> None:
    server = OAuthBearerServer(replace(CHANNEL, other_names=frozenset({"*.example.net"})))
    message = b"n,,\x01host=" + host.encode() + b"\x01auth=Bearer t\x01\x01"
    assert isinstance(server.start(message), Challenge)


def test_a_port_nobody_knows_is_not_checked() -> None:
    server = OAuthBearerServer(replace(CHANNEL, port=0))
    assert isinstance(server.start(b"n,,\x01auth=Bearer t\x01port=9\x01\x01"), TokenCredentials)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (b"host=evil.example.com\x01auth=Bearer t\x01", "meant for another server"),
        (b"host=\x01auth=Bearer t\x01", "meant for another server"),
        (b"port=110\x01auth=Bearer t\x01", "meant for another server"),
        (b"port=0143\x01auth=Bearer t\x01", "meant for another server"),
        (b"auth=\x01", "no bearer token"),
        (b"auth=Basic abc\x01", "no bearer token"),
        (b"", "no bearer token"),
    ],
)
@pytest.mark.parametrize("response", [b"\x01", b""])
def test_what_proves_nothing_whoever_is_asked(pairs: bytes, reason: str, response: bytes) -> None:
    """conformance: 7628-S-03, 7628-S-04"""
    server = OAuthBearerServer(
        CHANNEL, scope="mail", openid_configuration="https://example.com/.well-known/openid"
    )
    assert told(server.start(b"n,,\x01" + pairs + b"\x01")) == {
        "status": "invalid_request",
        "scope": "mail",
        "openid-configuration": "https://example.com/.well-known/openid",
    }
    with pytest.raises(AuthenticationFailed) as caught:
        server.respond(response)
    assert caught.value.reason == reason


def test_a_refusal_is_told_in_a_challenge() -> None:
    """conformance: 7628-S-04"""
    server = OAuthBearerServer(CHANNEL)
    assert isinstance(server, HasLastWord)
    server.start(EXAMPLE)
    assert told(server.refused(AuthenticationFailed())) == {"status": "invalid_token"}
    server.acknowledge(b"\x01")
    server.acknowledge(b"")
    with pytest.raises(MechanismError, match="empty, or a separator"):
        server.acknowledge(b"\x01\x01")


def test_what_is_no_refusal_of_a_token_is_not_told_as_one() -> None:
    assert OAuthBearerServer(CHANNEL).refused(TemporaryFailure()) is None


def test_a_success_needs_no_word() -> None:
    server: HasLastWord = OAuthBearerServer(CHANNEL)
    assert server.admitted(Identity("user@example.com")) is None


def test_there_is_one_message() -> None:
    server = OAuthBearerServer(CHANNEL)
    server.start(EXAMPLE)
    with pytest.raises(MechanismError, match="no message is due"):
        server.respond(EXAMPLE)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x01",
        b"n,,",
        b"n,,\x01",
        b"n,,\x01auth=Bearer t\x01",
        b"n,,auth=Bearer t\x01\x01",
        b"p=tls-unique,,\x01auth=Bearer t\x01\x01",
        b"x,,\x01auth=Bearer t\x01\x01",
        b"n,user=someuser@example.com,\x01auth=Bearer t\x01\x01",
        b"n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01",
        b"n,,\x01auth=Bearer t\x01key=\xc3\xbc\x01\x01",
        b"n,,\x01auth=Bearer t\x01key=\0\x01\x01",
        b"n,a=\xff,\x01auth=Bearer t\x01\x01",
    ],
)
def test_what_is_no_message(message: bytes) -> None:
    """conformance: 7628-S-02, 7628-S-05"""
    with pytest.raises(MechanismError):
        OAuthBearerServer(CHANNEL).start(message)


def test_a_token_of_64_kib() -> None:
    token = b"t" * 65_536
    credentials = OAuthBearerServer(CHANNEL).start(b"n,,\x01auth=Bearer " + token + b"\x01\x01")
    assert credentials == TokenCredentials("", Secret(token), "OAUTHBEARER")


def test_what_a_client_sends() -> None:
    """conformance: 7628-C-02"""
    client = OAuthBearerClient(Secret(TOKEN), CHANNEL, "user@example.com")
    assert client.first_message() == EXAMPLE
    short = OAuthBearerClient(Secret(b"t"), Channel(hostname="h"), "a,b")
    assert short.first_message() == b"n,a=a=2Cb,\x01host=h\x01auth=Bearer t\x01\x01"
    assert OAuthBearerServer(Channel(hostname="h")).start(short.first_message())


def test_how_a_client_ends_a_failed_exchange() -> None:
    """conformance: 7628-C-01"""
    client = OAuthBearerClient(Secret(TOKEN), CHANNEL)
    assert client.step(b'{"status": "invalid_token"}') == b"\x01"


def test_whom_no_client_can_act_as() -> None:
    with pytest.raises(MechanismUnusable):
        OAuthBearerClient(Secret(TOKEN), CHANNEL, "a\0b")

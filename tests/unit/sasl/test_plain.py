"""PLAIN: three parts, two NULs, UTF-8."""

import traceback
from binascii import a2b_base64

import pytest

from restante.identity import PasswordCredentials
from restante.sasl.client_mechanism import MechanismUnusable
from restante.sasl.mechanism import Challenge, MechanismError
from restante.sasl.plain import PlainClient, PlainServer
from restante.secret import Secret

BIRD = b"kanarienvogel"


def test_it_asks_for_the_message() -> None:
    """conformance: 5034-S-08"""
    assert PlainServer().start(None) == Challenge(b"")


def test_the_example_of_the_rfc() -> None:
    """conformance: 4422-S-04, 4616-S-01"""
    expected = PasswordCredentials("tim", Secret(b"tanstaaftanstaaf"), "PLAIN", "")
    message = a2b_base64(b"AHRpbQB0YW5zdGFhZnRhbnN0YWFm")
    assert PlainServer().start(message) == expected
    assert PlainServer().respond(message) == expected


def test_an_authorization_identity() -> None:
    """conformance: 4422-S-03"""
    credentials = PlainServer().respond(b"ursel\0kurt\0xipj3plmq")
    assert isinstance(credentials, PasswordCredentials)
    assert credentials.authorization_name == "ursel"
    assert credentials.name == "kurt"


def test_parts_may_be_long_and_not_ascii() -> None:
    """conformance: 4616-S-02"""
    part = "ü" * 127 + "u"
    credentials = PlainServer().respond("\0".join([part] * 3).encode())
    assert credentials == PasswordCredentials(part, Secret(part.encode()), "PLAIN", part)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"alice",
        b"alice\0secret",
        b"\0alice\0secret\0",
        b"\0\0alice\0secret",
        b"\0\0",
        b"\0alice\0",
        b"\0\0secret",
        b"a\0\0",
        b"\xff\0alice\0secret",
        b"\0\xc0\xaf\0secret",
        b"\0alice\0\xed\xa0\x80",
        b"\0alice\0\x80",
    ],
)
def test_what_is_no_plain_message(message: bytes) -> None:
    """conformance: 4616-S-01, 5034-S-09"""
    with pytest.raises(MechanismError):
        PlainServer().start(message)


def test_a_malformed_password_is_in_no_traceback() -> None:
    """conformance: 5034-S-31"""
    message = b"\0alice\0" + BIRD + b"\xff"
    with pytest.raises(MechanismError) as caught:
        PlainServer().respond(message)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert BIRD.decode() not in "".join(traceback.format_exception(caught.value))


def test_a_mechanism_names_itself() -> None:
    assert PlainServer.name == "PLAIN"


def test_what_a_client_sends() -> None:
    """conformance: 5034-C-09, 4616-S-01"""
    client = PlainClient("tim", Secret(b"tanstaaftanstaaf"))
    assert client.first_message() == a2b_base64(b"AHRpbQB0YW5zdGFhZnRhbnN0YWFm")
    assert client.verified
    acting = PlainClient("kurt", Secret("xipj3plmqü".encode()), "ursel")
    assert acting.first_message() == "ursel\0kurt\0xipj3plmqü".encode()


def test_a_client_takes_no_challenge() -> None:
    with pytest.raises(MechanismError, match="no challenge"):
        PlainClient("tim", Secret(b"tanstaaftanstaaf")).step(b"")


def test_what_no_client_can_send() -> None:
    for user, password, authorization_name in (("", b"p", ""), ("u", b"", ""), ("u", b"p", "\0")):
        with pytest.raises(MechanismUnusable):
            PlainClient(user, Secret(password), authorization_name)

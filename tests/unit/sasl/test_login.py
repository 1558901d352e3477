"""LOGIN: two prompts, a name and a password."""

import pytest

from restante.identity import PasswordCredentials
from restante.sasl.login import LoginClient, LoginServer
from restante.sasl.mechanism import Challenge, MechanismError
from restante.secret import Secret


def test_a_login() -> None:
    """conformance: LOGIN-S-01"""
    server = LoginServer()
    assert server.start(None) == Challenge(b"Username:")
    assert server.respond("jürgen".encode()) == Challenge(b"Password:")
    expected = PasswordCredentials("jürgen", Secret(b"pass word"), "LOGIN", "")
    assert server.respond(b"pass word") == expected


def test_the_name_may_come_at_once() -> None:
    """conformance: LOGIN-S-01"""
    server = LoginServer()
    assert server.start(b"alice") == Challenge(b"Password:")
    assert server.respond(b"secret") == PasswordCredentials("alice", Secret(b"secret"), "LOGIN")


@pytest.mark.parametrize("name", [b"", b"\xff", b"a\0b", b"a" * 1025])
def test_what_is_no_name(name: bytes) -> None:
    with pytest.raises(MechanismError, match="a name in UTF-8"):
        LoginServer().start(name)


@pytest.mark.parametrize("password", [b"", b"\xff", b"a\0b", b"a" * 4097])
def test_what_is_no_password(password: bytes) -> None:
    server = LoginServer()
    server.start(b"alice")
    with pytest.raises(MechanismError, match="a password in UTF-8") as caught:
        server.respond(password)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("first", "second"), [(b"Username:", b"Password:"), (b"User Name\0", b"pass"), (b"", b"")]
)
def test_a_client_does_not_read_the_prompts(first: bytes, second: bytes) -> None:
    """conformance: LOGIN-S-01"""
    client = LoginClient("jürgen", Secret(b"secret"))
    assert not client.verified
    assert client.step(first) == "jürgen".encode()
    assert not client.verified
    assert client.step(second) == b"secret"
    assert client.verified
    with pytest.raises(MechanismError, match="two prompts"):
        client.step(b"")

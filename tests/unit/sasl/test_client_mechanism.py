"""The client's contract: what each mechanism is made of, and what it refuses to carry."""

import traceback

import pytest

from restante.errors import RestanteError
from restante.sasl import (
    ClientMechanism,
    CramMd5Client,
    ExternalClient,
    LoginClient,
    OAuthBearerClient,
    PlainClient,
    ScramClient,
    XOAuth2Client,
)
from restante.sasl.client_mechanism import (
    MechanismUnusable,
    ServerUnproved,
    usable_authorization_name,
    usable_name,
    usable_password,
)
from restante.sasl.mechanism import Channel
from restante.secret import Secret

CHANNEL = Channel(random=bytes(18))
SECRET = Secret(b"kanarienvogel")
CLIENTS: list[ClientMechanism] = [
    PlainClient("alice", SECRET),
    LoginClient("alice", SECRET),
    CramMd5Client("alice", SECRET),
    ExternalClient(),
    OAuthBearerClient(SECRET, CHANNEL),
    XOAuth2Client("alice", SECRET),
    ScramClient("SCRAM-SHA-256", "alice", SECRET, CHANNEL),
]


@pytest.mark.parametrize("client", CLIENTS)
def test_who_begins(client: ClientMechanism) -> None:
    """conformance: 5034-S-11"""
    begins = client.first_message() is not None
    assert begins == (client.name not in ("LOGIN", "CRAM-MD5"))


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_prints_the_secret(client: ClientMechanism) -> None:
    """conformance: 5034-S-31"""
    assert "kanarienvogel" not in f"{client!r}{client}"
    assert client.failure == ""


def test_names() -> None:
    assert usable_name("jürgen") == "jürgen".encode()
    assert usable_authorization_name("") == b""
    assert usable_authorization_name("bob") == b"bob"
    for name in ("a\0b", "a" * 1025, "\ud800"):
        with pytest.raises(MechanismUnusable, match="user name"):
            usable_name(name)
        with pytest.raises(MechanismUnusable, match="authorization identity"):
            usable_authorization_name(name)
    with pytest.raises(MechanismUnusable, match="user name"):
        usable_name("")


def test_passwords() -> None:
    """conformance: 5034-S-31"""
    assert usable_password(SECRET) == b"kanarienvogel"
    for password in (b"", b"kanarienvogel\0", b"kanarienvogel\xff", b"p" * 4097):
        with pytest.raises(MechanismUnusable, match="password") as caught:
            usable_password(Secret(password))
        assert "kanarien" not in "".join(traceback.format_exception(caught.value))


def test_errors_are_the_projects() -> None:
    for error in (MechanismUnusable, ServerUnproved):
        assert issubclass(error, RestanteError)

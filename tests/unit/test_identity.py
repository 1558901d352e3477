"""The contract of identities: values that keep what they are told."""

import pytest

from restante.identity import Identity, PasswordCredentials, Peer
from restante.secret import Secret


def test_a_peer_begins_in_clear() -> None:
    peer = Peer("2001:db8::1", 50000, "2001:db8::2", 110)
    assert (peer.session, peer.tls) == ("", None)


def test_credentials_by_default_are_those_of_user_and_pass() -> None:
    """conformance: 4422-S-04"""
    credentials = PasswordCredentials("alice", Secret(b"secret"))
    assert credentials.mechanism == "USER"
    assert credentials.authorization_name == ""
    assert "secret" not in repr(credentials).lower().replace("secret(…)", "")


def test_attributes_say_nothing_of_who_it_is() -> None:
    assert Identity("alice", attributes={"a": "b"}) == Identity("alice")
    assert Identity("alice", "one") != Identity("alice", "two")
    assert not Identity("alice").attributes


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Identity("alice"), "name"),
        (PasswordCredentials("alice", Secret(b"x")), "name"),
        (Peer("::1", 1, "::1", 2), "address"),
    ],
)
def test_nobody_changes_after_the_fact(
    value: Identity | PasswordCredentials | Peer, name: str
) -> None:
    with pytest.raises(AttributeError):
        setattr(value, name, "mallory")

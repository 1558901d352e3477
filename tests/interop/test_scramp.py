"""scramp, an implementation of SCRAM by others: both sides, with and without channel binding."""

import pytest
from scramp import ScramClient as TheirClient  # type: ignore[import-untyped]
from scramp import ScramException, ScramMechanism

from restante.identity import Identity
from restante.sasl import ScramClient, ScramServer, ServerUnproved
from restante.sasl.mechanism import Channel
from restante.secret import Secret
from unit.sasl.dialogue import Account, Host

END_POINT = b"\x5a" * 32
BINDING = ("tls-server-end-point", END_POINT)
CLEAR = Channel(random=b"eighteen octets at least")
TLS = Channel(random=CLEAR.random, bindings=dict([BINDING]), binding_offered=True)
NAMES = pytest.mark.parametrize(
    "name", ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"]
)
USERS = pytest.mark.parametrize(
    ("user", "password"),
    [("alice", "pencil"), ("a,b=c", "p,=c"), ("I\u00adX", "\u2168\u00a0\u00bd"), ("é", "e\u0301")],
)


def channel(name: str) -> Channel:
    return TLS if name.endswith("-PLUS") else CLEAR


@NAMES
@USERS
def test_their_client(name: str, user: str, password: str) -> None:
    """conformance: 5802-S-01, 5802-S-13"""
    binding = BINDING if name.endswith("-PLUS") else None
    client = TheirClient([name], user, password, channel_binding=binding)
    account = Account(user.replace("\u00ad", ""), password.encode())
    host = Host(ScramServer(name, channel(name)), account)
    challenge = host.start(client.get_client_first().encode())
    assert challenge is not None
    client.set_server_first(challenge.decode())
    last = host.respond(client.get_client_final().encode())
    assert last is not None
    client.set_server_final(last.decode())
    host.respond(b"")
    assert isinstance(host.outcome, Identity)


@NAMES
@USERS
def test_their_server(name: str, user: str, password: str) -> None:
    """conformance: 5802-S-01, 5802-C-01"""
    mechanism = ScramMechanism(name)
    known = mechanism.make_auth_info(password, iteration_count=4096)
    binding = BINDING if name.endswith("-PLUS") else None
    server = mechanism.make_server(lambda _: known, channel_binding=binding)
    client = ScramClient(name, user, Secret(password.encode()), channel(name))
    server.set_client_first(client.first_message().decode())
    final = client.step(server.get_server_first().encode())
    server.set_client_final(final.decode())
    assert client.step(server.get_server_final().encode()) == b""
    assert client.verified


def test_their_server_does_not_bind_to_another_channel() -> None:
    """conformance: 5802-S-08"""
    mechanism = ScramMechanism("SCRAM-SHA-256-PLUS")
    known = mechanism.make_auth_info("pencil", iteration_count=4096)
    server = mechanism.make_server(
        lambda _: known, channel_binding=("tls-server-end-point", b"other")
    )
    client = ScramClient("SCRAM-SHA-256-PLUS", "alice", Secret(b"pencil"), TLS)
    server.set_client_first(client.first_message().decode())
    final = client.step(server.get_server_first().encode())
    with pytest.raises(ScramException, match="channel"):
        server.set_client_final(final.decode())
    assert client.step(server.get_server_final().encode()) == b""
    assert client.failure == "channel-bindings-dont-match"
    assert not client.verified


def test_their_server_with_another_password_convinces_nobody() -> None:
    """conformance: 5802-C-01"""
    mechanism = ScramMechanism("SCRAM-SHA-256")
    salt, stored_key, _, count = mechanism.make_auth_info("pencil", iteration_count=4096)
    _, _, other_key, _ = mechanism.make_auth_info("pen", iteration_count=4096, salt=salt)
    known = (salt, stored_key, other_key, count)
    server = mechanism.make_server(lambda _: known)
    client = ScramClient("SCRAM-SHA-256", "alice", Secret(b"pencil"), CLEAR)
    server.set_client_first(client.first_message().decode())
    server.set_client_final(client.step(server.get_server_first().encode()).decode())
    with pytest.raises(ServerUnproved):
        client.step(server.get_server_final().encode())

"""Mechanisms, both sides: every client with every server, and any octets in any place.

Nothing but the errors of the contract leaves a mechanism whatever is sent, and no text, cause or
traceback of them holds an octet of it.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.errors import AuthenticationFailed, RestanteError
from restante.identity import Identity
from restante.sasl import (
    ClientExchange,
    ClientMechanism,
    CramMd5Client,
    CramMd5Server,
    ExternalClient,
    ExternalServer,
    LoginClient,
    LoginServer,
    MechanismError,
    OAuthBearerClient,
    OAuthBearerServer,
    PlainClient,
    PlainServer,
    ScramClient,
    ScramServer,
    ServerMechanism,
    ServerUnproved,
    XOAuth2Client,
    XOAuth2Server,
)
from restante.sasl.mechanism import Channel
from restante.secret import Secret
from unit.sasl.dialogue import Account, Host, converse

CLEAR = Channel(hostname="pop.example.org", random=b"an-octet-that-is-random", certificate=b"DER")
TLS = replace(
    CLEAR,
    bindings={"tls-server-end-point": b"\x5a" * 32},
    binding_offered=True,
    port=995,
)
PENCIL, TOKEN = Secret(b"pencil"), Secret(b"token")
CANARY = "kanarienvogel"


@dataclass(frozen=True)
class Pair:
    """A mechanism with its two sides, for alice or for somebody with another secret."""

    server: Callable[[], ServerMechanism]
    client: Callable[[Account], ClientMechanism]


def scram(name: str, channel: Channel) -> Pair:
    return Pair(
        lambda: ScramServer(name, channel),
        lambda who: ScramClient(name, who.name, Secret(who.password), channel),
    )


PAIRS = {
    "PLAIN": Pair(PlainServer, lambda who: PlainClient(who.name, Secret(who.password))),
    "LOGIN": Pair(LoginServer, lambda who: LoginClient(who.name, Secret(who.password))),
    "CRAM-MD5": Pair(
        lambda: CramMd5Server(CLEAR), lambda who: CramMd5Client(who.name, Secret(who.password))
    ),
    "EXTERNAL": Pair(
        lambda: ExternalServer(CLEAR),
        lambda who: ExternalClient("" if who.name == "alice" else who.name),
    ),
    "OAUTHBEARER": Pair(
        lambda: OAuthBearerServer(TLS, scope="mail"),
        lambda who: OAuthBearerClient(Secret(who.token), TLS, who.name),
    ),
    "XOAUTH2": Pair(
        lambda: XOAuth2Server(TLS), lambda who: XOAuth2Client(who.name, Secret(who.token))
    ),
    "SCRAM-SHA-1": scram("SCRAM-SHA-1", CLEAR),
    "SCRAM-SHA-256": scram("SCRAM-SHA-256", CLEAR),
    "SCRAM-SHA-1-PLUS": scram("SCRAM-SHA-1-PLUS", TLS),
    "SCRAM-SHA-256-PLUS": scram("SCRAM-SHA-256-PLUS", TLS),
}
BOTH = pytest.mark.parametrize("name", PAIRS)


@BOTH
@pytest.mark.parametrize("at_once", [True, False])
def test_a_client_and_a_server(name: str, at_once: bool) -> None:
    """conformance: 5034-S-20"""
    alice, pair = Account(), PAIRS[name]
    client = ClientExchange(pair.client(alice), initial_response=at_once)
    outcome = converse(client, Host(pair.server(), alice))
    assert isinstance(outcome, Identity)
    assert outcome.name == "alice"


@BOTH
@pytest.mark.parametrize("at_once", [True, False])
def test_somebody_else(name: str, at_once: bool) -> None:
    eve, pair = Account("eve", b"pen", b"other"), PAIRS[name]
    client = ClientExchange(pair.client(eve), initial_response=at_once)
    assert isinstance(converse(client, Host(pair.server(), Account())), AuthenticationFailed)
    assert client.failure in ("", "401", "invalid_token")


@pytest.mark.parametrize("name", [name for name in PAIRS if name.startswith("SCRAM")])
def test_a_server_without_the_password_convinces_nobody(name: str) -> None:
    """conformance: 5802-C-01"""
    client = PAIRS[name].client(Account())
    first = client.first_message()
    assert first is not None
    host = Host(PAIRS[name].server(), Account())
    challenge = host.start(first)
    assert challenge is not None
    client.step(challenge)
    with pytest.raises(ServerUnproved):
        client.step(b"v=" + b"A" * 42 + b"A=")


@pytest.mark.parametrize(
    ("server", "client"),
    list(
        product((CLEAR, TLS, replace(TLS, bindings={"tls-server-end-point": b"x"})), (CLEAR, TLS))
    ),
)
def test_one_channel_or_none(server: Channel, client: Channel) -> None:
    """conformance: 5802-S-08, 5802-S-09, 5802-S-10"""
    name = "SCRAM-SHA-256-PLUS" if client.bindings else "SCRAM-SHA-256"
    ours = ClientExchange(ScramClient(name, "alice", PENCIL, client))
    host = Host(ScramServer(name, server), Account())
    try:
        outcome = converse(ours, host)
    except MechanismError:
        assert client.bindings
        assert not server.bindings
        return
    assert isinstance(outcome, Identity) == (
        not client.bindings or client.bindings == server.bindings
    )


def test_a_hidden_plus_is_noticed() -> None:
    """Somebody in the middle takes -PLUS from the list, and the client says so.

    conformance: 5802-S-09
    """
    deceived = replace(TLS, binding_offered=False)
    client = ClientExchange(ScramClient("SCRAM-SHA-256", "alice", PENCIL, deceived))
    outcome = converse(client, Host(ScramServer("SCRAM-SHA-256", TLS), Account()))
    assert isinstance(outcome, AuthenticationFailed)
    assert outcome.reason == "channel binding was hidden from the client"


FIRST = [
    *(b"", b"\0alice\0pencil", b"alice", b"\x01", b"n,,n=alice,r=abc", b"y,,n=alice,r=abc"),
    *(b"p=tls-server-end-point,,n=alice,r=abc", b"n,a=alice,\x01auth=Bearer token\x01\x01"),
    *(b"user=alice\x01auth=Bearer token\x01\x01", b"c=biws,r=abc,p=AAAA", b"v=AAAA", b"e=x"),
    *(b"r=abcdef,s=AAAA,i=4096", b'{"status":"401"}', b"alice " + b"0" * 32),
]
"""Messages of every mechanism, to begin from."""
MESSAGES = st.one_of(
    st.sampled_from(FIRST),
    st.binary(max_size=80),
    st.builds(
        lambda seed, at, cut, put: seed[: at % 99] + put + seed[at % 99 + cut :],
        st.sampled_from(FIRST),
        st.integers(0, 98),
        st.integers(0, 3),
        st.one_of(st.binary(max_size=3), st.sampled_from([b",", b"=", b"\x01", b"\0", b"\xff"])),
    ),
)


def holds_nothing(error: RestanteError) -> None:
    assert CANARY not in "".join(traceback.format_exception(error))
    assert error.__context__ is None
    assert str(error).isascii()
    assert len(str(error)) < 100


@BOTH
@given(messages=st.lists(MESSAGES, min_size=1, max_size=4), at_once=st.booleans())
def test_a_server_takes_any_octets(name: str, messages: list[bytes], at_once: bool) -> None:
    host = Host(PAIRS[name].server(), Account(password=b"never sent"))
    if not at_once:
        messages = [b"", *messages]
    try:
        challenge = host.start(messages[0] if at_once else None)
        for message in messages[1:]:
            if challenge is None:
                break
            challenge = host.respond(message)
    except MechanismError as error:
        holds_nothing(error)
    if isinstance(host.outcome, AuthenticationFailed):
        holds_nothing(host.outcome)


@BOTH
@given(challenges=st.lists(MESSAGES, max_size=4))
def test_a_client_takes_any_octets(name: str, challenges: list[bytes]) -> None:
    client = ClientExchange(PAIRS[name].client(Account()))
    try:
        for challenge in challenges:
            client.respond(challenge)
    except (MechanismError, ServerUnproved) as error:
        holds_nothing(error)
    if name.startswith("SCRAM"):
        with pytest.raises(ServerUnproved):
            client.succeeded()


@BOTH
@pytest.mark.parametrize(
    "shape",
    [
        "%s",
        "\0%s\0%s\0",
        "\0%s\0",
        "%s,",
        "x,,n=%s",
        "n,,n=%s=,r=abc",
        "n,,n=%s,r=abc,m=1",
        "n,,\x01auth=Bearer %s\x01",
        "user=%s\x01auth=Bearer %s\x01",
        "%s \x7f",
        "c=%s,r=%s,p=%s",
        "c=biws,r=%s,p=AAAA",
    ],
)
@pytest.mark.parametrize("tail", [b"", b"\xff"])
def test_no_error_holds_what_was_sent(name: str, shape: str, tail: bytes) -> None:
    """conformance: 5034-S-31"""
    message = shape.replace("%s", CANARY).encode() + tail
    for before in ([], [b"n,,n=alice,r=abc"], [b"alice"]):
        host = Host(PAIRS[name].server(), Account(password=b"never sent"))
        try:
            host.start(None)
            for earlier in before:
                host.respond(earlier)
            host.respond(message)
        except MechanismError as error:
            holds_nothing(error)

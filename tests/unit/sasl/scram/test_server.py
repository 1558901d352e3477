"""SCRAM's server side: the RFCs' exchanges, channel binding, and what fails."""

from binascii import a2b_base64
from dataclasses import replace
from itertools import product

import pytest

from restante.errors import AuthenticationFailed
from restante.identity import MutualIdentity, SaltRequest, ScramCredentials, ScramParameters
from restante.sasl.fields import write_base64
from restante.sasl.mechanism import (
    Challenge,
    Channel,
    HasLastWord,
    MechanismError,
    Salted,
    ServerMechanism,
)
from restante.sasl.scram import ScramServer
from restante.secret import Secret

CLEAR = Channel(random=bytes(range(18)))
NONCE = write_base64(CLEAR.random)
BINDINGS = {"tls-server-end-point": b"\x5a" * 32, "tls-unique": b"\xa5" * 12}
TLS = replace(CLEAR, bindings=BINDINGS, binding_offered=True)
PARAMETERS = ScramParameters(b"salt", 4096)
PROOF = write_base64(bytes(32))


def salted(first: bytes, channel: Channel = CLEAR, name: str = "SCRAM-SHA-256") -> ScramServer:
    """Return a server that waits for the final message."""
    server = ScramServer(name, channel)
    assert isinstance(server.start(first), SaltRequest)
    server.salted(PARAMETERS)
    return server


def final(binding: bytes, nonce: bytes = b"nonce" + NONCE, proof: bytes = PROOF) -> bytes:
    return b"c=%s,r=%s,p=%s" % (write_base64(binding), nonce, proof)


def test_an_exchange() -> None:
    """conformance: 5802-S-06, 5802-S-16"""
    server = ScramServer("SCRAM-SHA-256", CLEAR)
    assert isinstance(server, Salted)
    assert isinstance(server, HasLastWord)
    assert server.start(None) == Challenge(b"")
    assert server.respond(b"n,,n=alice,r=nonce") == SaltRequest("alice", "SCRAM-SHA-256")
    first = b"r=nonce" + NONCE + b",s=c2FsdA==,i=4096"
    assert server.salted(PARAMETERS) == Challenge(first)
    assert server.respond(final(b"n,,")) == ScramCredentials(
        name="alice",
        auth_message=b"n=alice,r=nonce," + first + b",c=biws,r=nonce" + NONCE,
        proof=Secret(bytes(32)),
        mechanism="SCRAM-SHA-256",
        authorization_name="",
    )
    identity = MutualIdentity("alice", server_signature=b"signature")
    assert server.admitted(identity) == Challenge(b"v=c2lnbmF0dXJl")
    server.acknowledge(b"")


@pytest.mark.parametrize("response", [b"\0", b"=", b"n,,n=alice,r=nonce"])
def test_the_response_to_the_servers_proof_is_empty(response: bytes) -> None:
    """conformance: 5802-S-16"""
    with pytest.raises(MechanismError, match="is empty"):
        ScramServer("SCRAM-SHA-256", CLEAR).acknowledge(response)


def test_a_failure_has_no_word_of_its_own() -> None:
    """conformance: 5802-S-15"""
    word: HasLastWord = ScramServer("SCRAM-SHA-256", CLEAR)
    assert word.refused(AuthenticationFailed()) is None


@pytest.mark.parametrize(
    ("name", "first", "server_nonce", "server_first", "binding", "proof"),
    [
        (
            "SCRAM-SHA-1",
            b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            b"3rfcNHYJY1ZVvWVs7j",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
            b"v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        ),
        (
            "SCRAM-SHA-256",
            b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        ),
    ],
)
def test_the_examples_of_the_rfcs(
    name: str,
    first: bytes,
    server_nonce: bytes,
    server_first: bytes,
    binding: bytes,
    proof: bytes,
) -> None:
    """conformance: 5802-S-01"""
    server = ScramServer(name, CLEAR)
    server._server_nonce = server_nonce
    assert server.start(first) == SaltRequest("user", name)
    salt = server_first.split(b",")[1].removeprefix(b"s=")
    assert server.salted(ScramParameters(a2b_base64(salt), 4096)).data == server_first
    credentials = server.respond(binding + b",p=" + proof)
    assert isinstance(credentials, ScramCredentials)
    bare = first.removeprefix(b"n,,")
    assert credentials.auth_message == b",".join((bare, server_first, binding))
    assert credentials.proof == Secret(a2b_base64(proof))


def test_nonces_are_new() -> None:
    """conformance: 5802-S-06"""
    other = replace(CLEAR, random=bytes(18))
    challenges = set()
    for channel in (CLEAR, other):
        server = ScramServer("SCRAM-SHA-256", channel)
        server.start(b"n,,n=alice,r=nonce")
        challenges.add(server.salted(PARAMETERS).data)
    assert len(challenges) == 2
    with pytest.raises(ValueError, match="too few"):
        ScramServer("SCRAM-SHA-256", Channel())


@pytest.mark.parametrize(
    "nonce", [b"nonce", NONCE, b"nonc" + NONCE, b"nonce" + NONCE[:-1], b"nonce" + NONCE + b"a"]
)
def test_another_nonce(nonce: bytes) -> None:
    """conformance: 5802-S-06"""
    with pytest.raises(AuthenticationFailed) as caught:
        salted(b"n,,n=alice,r=nonce").respond(final(b"n,,", nonce))
    assert caught.value.reason == "another nonce"


def test_what_a_binding_field_says_without_a_binding() -> None:
    """conformance: 5802-S-08"""
    for flag, encoded in ((b"n,,", b"biws"), (b"y,,", b"eSws")):
        message = b"c=" + encoded + b",r=nonce" + NONCE + b",p=" + PROOF
        server = salted(flag + b"n=alice,r=nonce")
        assert isinstance(server.respond(message), ScramCredentials)


@pytest.mark.parametrize(
    ("flag", "binding"),
    [
        (b"y,,", b"n,,"),
        (b"n,,", b"y,,"),
        (b"n,,", b"n,,data"),
        (b"n,a=bob,", b"n,,"),
        (b"n,a=bob,", b"n,a=eve,"),
        (b"n,,", b"\0"),
    ],
)
def test_another_binding_field(flag: bytes, binding: bytes) -> None:
    """conformance: 5802-S-08"""
    with pytest.raises(AuthenticationFailed) as caught:
        salted(flag + b"n=alice,r=nonce").respond(final(binding))
    assert caught.value.reason == "another channel binding"


@pytest.mark.parametrize("kind", BINDINGS)
def test_a_channel_binding(kind: str) -> None:
    """conformance: 5802-S-08, 5802-S-10"""
    header = b"p=" + kind.encode() + b",a=bob,"
    server = salted(header + b"n=alice,r=nonce", TLS, "SCRAM-SHA-256-PLUS")
    credentials = server.respond(final(header + BINDINGS[kind]))
    assert isinstance(credentials, ScramCredentials)
    assert credentials.authorization_name == "bob"
    assert credentials.mechanism == "SCRAM-SHA-256-PLUS"


@pytest.mark.parametrize("data", [b"", b"\x5a" * 31, b"\x5a" * 33, BINDINGS["tls-unique"]])
def test_another_channel(data: bytes) -> None:
    """conformance: 5802-S-08"""
    header = b"p=tls-server-end-point,,"
    server = salted(header + b"n=alice,r=nonce", TLS, "SCRAM-SHA-256-PLUS")
    with pytest.raises(AuthenticationFailed):
        server.respond(final(header + data))


ACCEPTED = {
    ("SCRAM-SHA-256", b"n", True),
    ("SCRAM-SHA-256", b"n", False),
    ("SCRAM-SHA-256", b"y", False),
    ("SCRAM-SHA-256-PLUS", b"p=tls-unique", True),
    ("SCRAM-SHA-256-PLUS", b"p=tls-unique", False),
}


@pytest.mark.parametrize(
    ("name", "flag", "offered"),
    [
        *product(
            ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"),
            (b"n", b"y", b"p=tls-unique", b"p=tls-exporter"),
            (True, False),
        )
    ],
)
def test_flags_and_names(name: str, flag: bytes, offered: bool) -> None:
    """conformance: 5802-S-09, 5802-S-10"""
    server = ScramServer(name, replace(TLS, binding_offered=offered))
    message = flag + b",,n=alice,r=nonce"
    if (name, flag, offered) in ACCEPTED:
        assert server.start(message) == SaltRequest("alice", name)
        return
    with pytest.raises((MechanismError, AuthenticationFailed)) as caught:
        server.start(message)
    downgraded = (name, flag, offered) == ("SCRAM-SHA-256", b"y", True)
    assert isinstance(caught.value, AuthenticationFailed) == downgraded


def test_a_name_is_signed_as_received() -> None:
    """conformance: 5802-S-13"""
    server = salted("n,,n=al\u00adice,r=nonce".encode())
    credentials = server.respond(final(b"n,,"))
    assert isinstance(credentials, ScramCredentials)
    assert credentials.name == "al\u00adice"
    assert credentials.auth_message.startswith("n=al\u00adice,".encode())


@pytest.mark.parametrize(
    ("name", "octets"), [("SCRAM-SHA-256", 20), ("SCRAM-SHA-1", 32), ("SCRAM-SHA-256", 33)]
)
def test_a_proof_is_as_long_as_the_digest(name: str, octets: int) -> None:
    server = salted(b"n,,n=alice,r=nonce", name=name)
    with pytest.raises(MechanismError, match="proof"):
        server.respond(final(b"n,,", proof=write_base64(bytes(octets))))


def test_messages_have_their_turns() -> None:
    unsalted = ScramServer("SCRAM-SHA-256", CLEAR)
    unsalted.start(b"n,,n=alice,r=nonce")
    done = salted(b"n,,n=alice,r=nonce")
    done.respond(final(b"n,,"))
    failed: ServerMechanism = ScramServer("SCRAM-SHA-256", CLEAR)
    with pytest.raises(MechanismError):
        failed.start(b"x")
    for server in (unsalted, done, failed):
        with pytest.raises(MechanismError, match="no message is due"):
            server.respond(final(b"n,,"))

"""SCRAM's client side: the RFCs' exchanges, flags, bounds, and servers that prove nothing."""

from dataclasses import replace

import pytest

from restante.sasl.client_exchange import ClientExchange
from restante.sasl.client_mechanism import MechanismUnusable, ServerUnproved
from restante.sasl.fields import write_base64
from restante.sasl.mechanism import Channel, MechanismError
from restante.sasl.scram import ScramClient
from restante.secret import Secret

PENCIL = Secret(b"pencil")
CLEAR = Channel(random=bytes(range(18)))
NONCE = write_base64(CLEAR.random)
TLS = replace(CLEAR, bindings={"tls-server-end-point": b"\x5a" * 32, "tls-unique": b"\xa5" * 12})


def client(channel: Channel = CLEAR, name: str = "SCRAM-SHA-256") -> ScramClient:
    return ScramClient(name, "user", PENCIL, channel)


@pytest.mark.parametrize(
    ("name", "nonce", "server_first", "final", "server_final"),
    [
        (
            "SCRAM-SHA-1",
            b"fyko+d2lbbFgONRv9qkxdawL",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            "SCRAM-SHA-256",
            b"rOprNGfwEbeRWgbNEkqO",
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            b"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ],
)
def test_the_examples_of_the_rfcs(
    name: str, nonce: bytes, server_first: bytes, final: bytes, server_final: bytes
) -> None:
    """conformance: 5802-S-01, 5802-C-01"""
    ours = client(name=name)
    ours._nonce, ours._bare = nonce, b"n=user,r=" + nonce
    assert ours.first_message() == b"n,,n=user,r=" + nonce
    assert ours.step(server_first) == final
    assert not ours.verified
    assert ours.step(server_final) == b""
    assert ours.verified
    with pytest.raises(MechanismError, match="two challenges"):
        ours.step(server_final)


def challenged(nonce: bytes = NONCE + b"theirs", iterations: int = 4096) -> bytes:
    return b"r=%s,s=c2FsdA==,i=%d" % (nonce, iterations)


@pytest.mark.parametrize(
    "nonce", [NONCE, NONCE[1:] + b"theirs", b"theirs", b"x" + NONCE, NONCE[:-1]]
)
def test_a_nonce_that_is_not_made_from_ours(nonce: bytes) -> None:
    """conformance: 5802-C-02"""
    with pytest.raises(ServerUnproved, match="nonce"):
        client().step(challenged(nonce))


@pytest.mark.parametrize("iterations", [1, 4095, 1_000_001, 2**31])
def test_iteration_counts_are_bounded(iterations: int) -> None:
    """conformance: 5802-C-03"""
    with pytest.raises(MechanismError, match="too low or too high"):
        client().step(challenged(iterations=iterations))


def test_bounds_of_iteration_counts_can_be_set() -> None:
    ours = ScramClient("SCRAM-SHA-1", "user", PENCIL, CLEAR, iterations=range(1, 10))
    assert ours.step(challenged(iterations=9))


@pytest.mark.parametrize("proof", [b"AAEC", write_base64(bytes(32))])
def test_a_server_that_does_not_know_the_password(proof: bytes) -> None:
    """conformance: 5802-C-01"""
    ours = client()
    ours.step(challenged())
    with pytest.raises(ServerUnproved, match="proof is wrong"):
        ours.step(b"v=" + proof)
    assert not ours.verified


def test_a_success_without_a_proof_is_none() -> None:
    """conformance: 5802-C-01"""
    exchange = ClientExchange(client())
    with pytest.raises(ServerUnproved):
        exchange.succeeded()
    exchange.respond(challenged())
    with pytest.raises(ServerUnproved):
        exchange.succeeded()


def test_an_error_in_stead_of_a_proof() -> None:
    """conformance: 5802-C-01"""
    ours = client()
    ours.step(challenged())
    assert ours.step(b"e=invalid-proof") == b""
    assert ours.failure == "invalid-proof"
    assert not ours.verified


@pytest.mark.parametrize(
    ("name", "bindings", "offered", "header"),
    [
        ("SCRAM-SHA-256", False, False, b"n,,"),
        ("SCRAM-SHA-256", False, True, b"n,,"),
        ("SCRAM-SHA-256", True, False, b"y,,"),
        ("SCRAM-SHA-256", True, True, None),
        ("SCRAM-SHA-256-PLUS", True, True, b"p=tls-server-end-point,,"),
        ("SCRAM-SHA-256-PLUS", True, False, b"p=tls-server-end-point,,"),
        ("SCRAM-SHA-256-PLUS", False, True, None),
    ],
)
def test_flags(name: str, bindings: bool, offered: bool, header: bytes | None) -> None:
    """conformance: 5802-C-04"""
    channel = replace(TLS if bindings else CLEAR, binding_offered=offered)
    if header is None:
        with pytest.raises(MechanismUnusable, match="channel binding"):
            client(channel, name)
    else:
        assert client(channel, name).first_message() == header + b"n=user,r=" + NONCE


def test_what_is_bound() -> None:
    """conformance: 5802-S-08"""
    final = client(TLS, "SCRAM-SHA-256-PLUS").step(challenged())
    expected = write_base64(b"p=tls-server-end-point,," + b"\x5a" * 32)
    assert final.startswith(b"c=" + expected + b",r=")
    unique = ScramClient("SCRAM-SHA-1-PLUS", "user", PENCIL, TLS, binding="tls-unique")
    assert unique.first_message().startswith(b"p=tls-unique,,")


def test_names_and_passwords_are_prepared() -> None:
    """conformance: 5802-S-13"""
    ours = ScramClient(
        "SCRAM-SHA-256", "I\u00adX=,", Secret("\u2168".encode()), CLEAR, authorization_name="a,b"
    )
    assert ours.first_message() == b"n,a=a=2Cb,n=IX=3D=2C,r=" + NONCE
    plain = ScramClient("SCRAM-SHA-256", "IX=,", Secret(b"IX"), CLEAR, authorization_name="a,b")
    assert ours.step(challenged()) == plain.step(challenged())


@pytest.mark.parametrize(
    ("user", "password", "authorization_name"),
    [("", b"p", ""), ("a\x07", b"p", ""), ("a\0", b"p", ""), ("a", b"", ""), ("a", b"p", "\0")],
)
def test_what_no_client_can_send(user: str, password: bytes, authorization_name: str) -> None:
    with pytest.raises(MechanismUnusable) as caught:
        ScramClient(
            "SCRAM-SHA-256",
            user,
            Secret(password),
            CLEAR,
            authorization_name=authorization_name,
        )
    assert caught.value.__context__ is None

"""SCRAM: the arithmetic, by the examples of RFC 5802 §5 and RFC 7677 §3."""

from binascii import a2b_base64
from typing import NamedTuple

import pytest

from restante.sasl.scram import ScramKeys, check_proof, derive, family, server_signature
from restante.sasl.scram.keys import client_keys, client_proof, digest_octets


class Example(NamedTuple):
    """One exchange of an RFC; the password is `pencil`."""

    mechanism: str
    salt: bytes
    auth_message: bytes
    proof: bytes
    signature: bytes


SHA_1 = Example(
    "SCRAM-SHA-1",
    a2b_base64("QSXCR+Q6sek8bf92"),
    b"n=user,r=fyko+d2lbbFgONRv9qkxdawL,"
    b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,"
    b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
    a2b_base64("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="),
    a2b_base64("rmF9pqV8S7suAoZWja4dJRkFsKQ="),
)
SHA_256 = Example(
    "SCRAM-SHA-256",
    a2b_base64("W22ZaJ0SNY7soEsUEjb6gQ=="),
    b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    a2b_base64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
    a2b_base64("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
)
EXAMPLES = pytest.mark.parametrize("example", [SHA_1, SHA_256])


def keys(example: Example) -> ScramKeys:
    return derive(example.mechanism, b"pencil", example.salt, 4096)


@EXAMPLES
@pytest.mark.parametrize("suffix", ["", "-PLUS"])
def test_the_examples_of_the_rfcs(example: Example, suffix: str) -> None:
    """conformance: 5802-S-01"""
    mechanism = example.mechanism + suffix
    stored = derive(mechanism, b"pencil", example.salt, 4096)
    assert check_proof(mechanism, stored.stored_key, example.auth_message, example.proof)
    signature = server_signature(mechanism, stored.server_key, example.auth_message)
    assert signature == example.signature


@EXAMPLES
def test_what_a_client_computes(example: Example) -> None:
    """conformance: 5802-S-01"""
    ours = client_keys(example.mechanism, b"pencil", example.salt, 4096)
    assert client_proof(example.mechanism, ours.client_key, example.auth_message) == example.proof
    assert ours.server_key == keys(example).server_key


@EXAMPLES
def test_what_proves_nothing(example: Example) -> None:
    stored_key = keys(example).stored_key
    flipped = bytes([example.proof[0] ^ 1]) + example.proof[1:]
    for proof in (flipped, b"", example.proof[:-1], example.proof + b"\0"):
        assert not check_proof(example.mechanism, stored_key, example.auth_message, proof)
    other = derive(example.mechanism, b"pencils", example.salt, 4096).stored_key
    for key, message in (
        (other, example.auth_message),
        (stored_key, example.auth_message + b"a"),
        (b"", example.auth_message),
    ):
        assert not check_proof(example.mechanism, key, message, example.proof)


@EXAMPLES
def test_salt_and_iterations_make_other_keys(example: Example) -> None:
    assert derive(example.mechanism, b"pencil", example.salt, 4097) != keys(example)
    assert derive(example.mechanism, b"pencil", example.salt + b"a", 4096) != keys(example)


def test_keys_do_not_print_themselves() -> None:
    stored = keys(SHA_256)
    ours = client_keys("SCRAM-SHA-256", b"pencil", SHA_256.salt, 4096)
    assert repr(stored) == str(stored) == "ScramKeys(…)"
    assert repr(ours) == str(ours) == "ClientKeys(…)"


def test_families_and_lengths() -> None:
    assert family("SCRAM-SHA-256-PLUS") == family("SCRAM-SHA-256") == "SCRAM-SHA-256"
    assert digest_octets("SCRAM-SHA-256-PLUS") == 32
    assert digest_octets("SCRAM-SHA-1") == 20

"""MD5 and HMAC-MD5: the vectors of RFC 1321 and RFC 2104, and a platform without them."""

import hashlib

import pytest

from restante.sasl import md5
from restante.sasl.md5 import hex_digest, hmac_md5, md5_available


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (b"", "d41d8cd98f00b204e9800998ecf8427e"),
        (b"a", "0cc175b9c0f1b6a831c399e269772661"),
        (b"message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (b"1234567890" * 8, "57edf4a22be3c955ac49da2e2107b67a"),
    ],
)
def test_md5(text: bytes, digest: str) -> None:
    assert md5.md5(text).hex() == digest


@pytest.mark.parametrize(
    ("key", "text", "digest"),
    [
        (b"\x0b" * 16, b"Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),
        (b"Jefe", b"what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"),
        (b"\xaa" * 16, b"\xdd" * 50, "56be34521d144c88dbb8c733f0e8b3f6"),
    ],
)
def test_hmac_md5(key: bytes, text: bytes, digest: str) -> None:
    assert hmac_md5(key, text).hex() == digest


def test_a_key_longer_than_a_block_is_digested_first() -> None:
    key = b"k" * 65
    assert hmac_md5(key, b"text") == hmac_md5(hashlib.md5(key).digest(), b"text")


def test_a_platform_without_md5(monkeypatch: pytest.MonkeyPatch) -> None:
    """conformance: 1321-S-01"""
    assert md5_available()

    def forbidden(data: bytes = b"") -> None:
        raise ValueError("[digital envelope routines] unsupported")

    monkeypatch.setattr(md5, "_md5", forbidden)
    assert not md5_available()


def test_it_is_said_to_be_no_use_for_security(monkeypatch: pytest.MonkeyPatch) -> None:
    """conformance: 1321-S-01"""
    assert md5._md5.keywords == {"usedforsecurity": False}


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (b"0123456789abcdef" * 2, bytes.fromhex("0123456789abcdef" * 2)),
        (b"0123456789ABCDEF" * 2, bytes.fromhex("0123456789abcdef" * 2)),
        (b"", None),
        (b"0" * 31, None),
        (b"0" * 33, None),
        (b"0" * 31 + b"g", None),
        (b"0" * 30 + b"  ", None),
        (b"0" * 31 + b"\xb2", None),
    ],
)
def test_hexadecimal_digests(text: bytes, digest: bytes | None) -> None:
    """conformance: 1939-S-61, 1939-S-64"""
    assert hex_digest(text) == digest

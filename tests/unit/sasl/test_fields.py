"""The fields of messages: what they may be, and how long."""

import pytest

from restante.sasl.fields import (
    NAME_OCTETS,
    PASSWORD_OCTETS,
    is_password,
    read_base64,
    read_name,
    read_text,
    write_base64,
    write_name,
)


@pytest.mark.parametrize("octets", [b"\xff", b"a\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"a\0b"])
def test_what_is_no_text(octets: bytes) -> None:
    assert read_text(octets) is None
    assert read_name(octets) is None
    assert not is_password(octets)


def test_bounds() -> None:
    """conformance: 4616-S-02"""
    assert read_name(b"") == ""
    assert read_name(b"n" * NAME_OCTETS) == "n" * NAME_OCTETS
    assert read_name(b"n" * (NAME_OCTETS + 1)) is None
    assert not is_password(b"")
    assert is_password("ü".encode() * (PASSWORD_OCTETS // 2))
    assert not is_password(b"p" * (PASSWORD_OCTETS + 1))


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", bytes(range(256))])
def test_base64(data: bytes) -> None:
    assert read_base64(write_base64(data)) == data


@pytest.mark.parametrize("octets", [b"=", b"QR==", b"QQ=", b"QQ", b"Q Q=", b"QQ==\n", b"QQ==QQ=="])
def test_what_is_no_base64(octets: bytes) -> None:
    """conformance: 5034-S-16"""
    assert read_base64(octets) is None


def test_names_as_octets() -> None:
    assert write_name("") == b""
    assert write_name("jürgen") == "jürgen".encode()
    for name in ("a\0b", "\ud800", "n" * (NAME_OCTETS + 1)):
        assert write_name(name) is None

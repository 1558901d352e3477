"""The GS2 header: flag, type of binding, authorization identity."""

import pytest

from restante.sasl.fields import NAME_OCTETS
from restante.sasl.gs2 import Gs2Header, escape, parse_header, split_header, unescape
from restante.sasl.mechanism import MechanismError


@pytest.mark.parametrize(
    ("octets", "header"),
    [
        (b"n,,", Gs2Header("n")),
        (b"y,,", Gs2Header("y")),
        (b"n,a=someuser,", Gs2Header("n", "", "someuser")),
        (b"p=tls-server-end-point,,", Gs2Header("p", "tls-server-end-point")),
        (b"p=tls-unique,a=a=2Cb=3D,", Gs2Header("p", "tls-unique", "a,b=")),
        ("n,a=ü,".encode(), Gs2Header("n", "", "ü")),
    ],
)
def test_a_header(octets: bytes, header: Gs2Header) -> None:
    """conformance: 5802-S-02, 5802-S-12"""
    assert split_header(octets + b"n=user,r=a") == (octets, b"n=user,r=a")
    assert split_header(octets) == (octets, b"")
    assert parse_header(octets) == header
    assert header.encode() == octets


@pytest.mark.parametrize("octets", [b"", b"n", b"n,", b"\x01", b"n=user"])
def test_a_message_without_a_header(octets: bytes) -> None:
    with pytest.raises(MechanismError, match="no GS2 header"):
        split_header(octets)


@pytest.mark.parametrize(
    "octets",
    [
        *(b"x,,", b",,", b"N,,", b"nn,,", b"p,,", b"p=,,", b"p=a_b,,", b"n=a,,", b" n,,"),
        b"p=" + b"a" * 65 + b",,",
        *(b"n,b,", b"n,a=,", b"n,b=c,", b"n,a=a=b,", b"n,a=\xff,", b"n,a=a\0,"),
        b"n,a=" + b"a" * (NAME_OCTETS + 1) + b",",
    ],
)
def test_what_is_no_header(octets: bytes) -> None:
    """conformance: 5802-S-02, 4422-S-07"""
    with pytest.raises(MechanismError):
        parse_header(octets)


@pytest.mark.parametrize("name", ["alice", "a,b", "a=b", "=2C", "=3D2C", ",=", "a=2Cb\n", "ü"])
def test_escapes(name: str) -> None:
    """conformance: 5802-S-03"""
    assert unescape(escape(name)) == name
    assert b"," not in escape(name)


@pytest.mark.parametrize("octets", [b"", b"=", b"a=b", b"=2c", b"=2", b"a,b", b"==2C", b"\xff"])
def test_what_is_no_name(octets: bytes) -> None:
    """conformance: 5802-S-03"""
    assert unescape(octets) is None


def test_names_are_bounded_before_and_behind_their_escapes() -> None:
    assert unescape(b"=2C" * NAME_OCTETS) == "," * NAME_OCTETS
    assert unescape(b"=2C" * NAME_OCTETS + b"a") is None
    assert unescape(b"a" * (NAME_OCTETS + 1)) is None

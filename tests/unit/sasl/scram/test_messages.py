"""The messages of SCRAM: attributes, their order, their bounds."""

import pytest

from restante.sasl.gs2 import Gs2Header
from restante.sasl.mechanism import MechanismError
from restante.sasl.scram.messages import (
    ATTRIBUTES,
    MESSAGE_OCTETS,
    NONCE_OCTETS,
    ServerFirst,
    read_client_final,
    read_client_first,
    read_nonce,
    read_server_final,
    read_server_first,
    read_values,
)


def test_a_first_message() -> None:
    """conformance: 5802-S-03, 5802-S-04, 5802-S-12"""
    first = read_client_first(b"n,a=b=2Cob,n=al=3Dice,r=nonce=x,x=y,z=1=2")
    assert first.header == Gs2Header("n", "", "b,ob")
    assert first.header_octets == b"n,a=b=2Cob,"
    assert first.bare == b"n=al=3Dice,r=nonce=x,x=y,z=1=2"
    assert first.name == "al=ice"
    assert first.nonce == b"nonce=x"


@pytest.mark.parametrize(
    "message",
    [
        *(b"", b"n,,", b"n,,n=user", b"n,,r=nonce", b"n,,r=nonce,n=user", b"x,,n=user,r=nonce"),
        *(b"n,,n=,r=nonce", b"n,,n=user,r=", b"n,,n=user,r=nonce,", b"n,,n=user,,r=nonce"),
        *(b"n,,m=1,n=user,r=nonce", b"n,,n=user,r=nonce,m=1", b"n,,n=user,m=1,r=nonce"),
        *(b"n,,N=user,r=nonce", b"n,,n=user,R=nonce", b"n,,n=user,x=1,r=nonce"),
        *(b"n,,n=user,r=nonce,n=root", b"n,,n=user,r=nonce,x", b"n,,n=user,r=nonce,1=2"),
        *(b"n,,n=a=b,r=nonce", b"n,,n=user,r=non ce", b"n,,n=user,r=non\x7fce"),
        *(b"n,,n=\xff,r=nonce", b"n,,n=us\0er,r=nonce", b"n,,n=user,r=nonce,x=\0"),
        *("n,,n=user,r=nöncé".encode(), b"F,n,,n=user,r=nonce"),
    ],
)
def test_what_is_no_first_message(message: bytes) -> None:
    """conformance: 5802-S-02, 5802-S-03, 5802-S-04, 5802-S-05"""
    with pytest.raises(MechanismError):
        read_client_first(message)


def test_a_final_message() -> None:
    """conformance: 5802-S-04"""
    final = read_client_final(b"c=biws,r=nonce,x=y,p=AAEC")
    assert final.without_proof == b"c=biws,r=nonce,x=y"
    assert (final.binding, final.nonce, final.proof) == (b"biws", b"nonce", b"\0\1\2")
    assert "AAEC" not in repr(final)
    assert repr(final.proof) not in repr(final)


@pytest.mark.parametrize(
    "message",
    [
        *(b"", b"c=biws,r=nonce", b"p=AAEC", b",p=AAEC", b"c=biws,p=AAEC", b"r=nonce,p=AAEC"),
        *(b"r=nonce,c=biws,p=AAEC", b"c=,r=nonce,p=AAEC", b"c=biws,r=nonce,p="),
        *(b"c=biws,r=nonce,p=AAE", b"c=biws,r=nonce,p=AAEC,x=y", b"c=biws,r=nonce,m=1,p=AAEC"),
        *(b"c=biws,r=nonce,p=AAEC,p=AAEC", b"c=biws,r=nonce,p=A\xff=="),
    ],
)
def test_what_is_no_final_message(message: bytes) -> None:
    """conformance: 5802-S-04, 5802-S-05"""
    with pytest.raises(MechanismError) as caught:
        read_client_final(message)
    assert caught.value.__context__ is None


def test_bounds() -> None:
    assert read_nonce(b"n" * NONCE_OCTETS)
    for nonce in (b"n" * (NONCE_OCTETS + 1), b"a,b", b""):
        with pytest.raises(MechanismError, match="nonce"):
            read_nonce(nonce)
    assert len(read_values(b"n=a" + b",x=y" * (ATTRIBUTES - 1), b"n")) == 1
    with pytest.raises(MechanismError, match="a few"):
        read_values(b"n=a" + b",x=y" * ATTRIBUTES, b"n")
    with pytest.raises(MechanismError, match="short text"):
        read_values(b"n=" + b"a" * MESSAGE_OCTETS, b"n")


def test_a_servers_first_message() -> None:
    first = read_server_first(b"r=nonce,s=c2FsdA==,i=4096,x=y")
    assert first == ServerFirst(b"nonce", b"salt", 4096)
    assert read_server_first(b"r=n,s=AA==,i=9999999999").iterations == 9_999_999_999


@pytest.mark.parametrize(
    "message",
    [
        *(b"", b"r=n,s=AA==", b"s=AA==,r=n,i=1", b"m=1,r=n,s=AA==,i=1", b"r=n,s=,i=1"),
        *(b"r=n,s=A,i=1", b"r=n,s=AA==,i=0", b"r=n,s=AA==,i=01", b"r=n,s=AA==,i=-1"),
        *(b"r=n,s=AA==,i=1e9", b"r=n,s=AA==,i=99999999999", b"r=n n,s=AA==,i=1", b"e=other-error"),
        "r=n,s=AA==,i=\u0664".encode(),
    ],
)
def test_what_is_no_servers_first_message(message: bytes) -> None:
    """conformance: 5802-C-03"""
    with pytest.raises(MechanismError):
        read_server_first(message)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"v=AAEC", b"\0\1\2"),
        (b"v=AAEC,x=y", b"\0\1\2"),
        (b"e=invalid-proof", "invalid-proof"),
        (b"e=invalid-proof,x=y", "invalid-proof"),
        (b"e=\x1b[1m", "other-error"),
    ],
)
def test_a_servers_final_message(message: bytes, said: bytes | str) -> None:
    """conformance: 5802-C-01"""
    assert read_server_final(message) == said


@pytest.mark.parametrize("message", [b"", b"v=", b"v=A", b"e=", b"x=y", b"m=1,v=AAEC", b"v=AAEC,v"])
def test_what_is_no_servers_final_message(message: bytes) -> None:
    """conformance: 5802-C-01"""
    with pytest.raises(MechanismError):
        read_server_final(message)

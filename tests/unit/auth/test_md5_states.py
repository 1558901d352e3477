"""MD5 taken up in the midst, held to the library's own."""

import hashlib
import hmac
import subprocess

import pytest

from restante.auth import hashes
from restante.auth.md5_states import _START, STATES_OCTETS, _digest, hmac_md5_from, states_of

from conftest import require

SIZES = [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1_000]


@pytest.mark.parametrize("size", SIZES)
def test_md5_from_its_start(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    assert _digest(_START, data, 0) == hashlib.md5(data, usedforsecurity=False).digest()


@pytest.mark.parametrize("size", SIZES)
def test_hmac_of_every_size(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    states = states_of(data)
    assert len(states) == STATES_OCTETS
    for message in (b"", data, b"<1896.697170952@postoffice.reston.mci.net>"):
        assert hmac_md5_from(states, message) == hmac.digest(data, message, "md5")


def test_the_example_of_rfc_2195() -> None:
    """conformance: 2195-S-02"""
    states = states_of(b"tanstaaftanstaaf")
    made = hmac_md5_from(states, b"<1896.697170952@postoffice.reston.mci.net>")
    assert made.hex() == "b913a602c7eda7a495b4e6e7334d3890"


def test_dovecot_keeps_the_same() -> None:
    require("doveadm")
    done = subprocess.run(
        ["doveadm", "pw", "-s", "CRAM-MD5", "-p", "tanstaaf"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    stored = done.stdout.strip()
    assert hashes.hmac_states(stored) == states_of(b"tanstaaf")
    assert hashes.verify(stored, b"tanstaaf")
    for wrong in (b"Tanstaaf", b"tanstaaf\0", b""):
        assert not hashes.verify(stored, wrong)


@pytest.mark.parametrize("text", ["", "ab", "ab" * 31, "ab" * 33, "zz" * 32, "ab " * 32])
def test_what_is_none_is_told(text: str) -> None:
    stored = "{CRAM-MD5}" + text
    assert hashes.hmac_states(stored) is None
    with pytest.raises(hashes.UnusableHash, match="scheme CRAM-MD5 is malformed"):
        hashes.verify(stored, b"x")


def test_other_schemes_have_none() -> None:
    for stored in ("{PLAIN}" + "ab" * 32, "{CRAM-MD5.B64}" + "ab" * 32, "ab" * 32):
        assert hashes.hmac_states(stored) is None

"""APOP: the example of RFC 1939 §7, and which greetings a client believes."""

import pytest

from restante.sasl.apop import apop_digest, check_apop, timestamp_of

TIMESTAMP = b"<1896.697170952@dbc.mtview.ca.us>"
DIGEST = bytes.fromhex("c4c9334bac560ecc979e58001b3e22fb")


def test_the_example_of_the_rfc() -> None:
    """conformance: 1939-S-60, 1939-C-23"""
    assert apop_digest(TIMESTAMP, b"tanstaaf") == DIGEST


def test_a_digest_is_checked() -> None:
    assert check_apop(TIMESTAMP, b"tanstaaf", DIGEST)
    assert not check_apop(TIMESTAMP, b"tanstaaf", DIGEST[:-1] + b"\0")
    assert not check_apop(TIMESTAMP, b"tanstaaf", b"")
    assert not check_apop(TIMESTAMP, b"tanstaag", DIGEST)
    assert not check_apop(TIMESTAMP[1:], b"tanstaaf", DIGEST)


@pytest.mark.parametrize(
    ("greeting", "timestamp"),
    [
        (b"+OK POP3 server ready " + TIMESTAMP, TIMESTAMP),
        (b"+OK <hi> ready <1.2@h>", b"<1.2@h>"),
        (b"+OK <1.2@h> ready <here>", b"<1.2@h>"),
        (b"+OK <1.2@h><3.4@h>", b"<3.4@h>"),
        (b"+OK <<1.2@h>>", b"<1.2@h>"),
        (b"+OK POP3 server ready", None),
        (b"+OK <@h> <1@> <> <1.2@h", None),
        (b"+OK <1 2@h>", None),
        (b"+OK <1.2@a@b>", b"<1.2@a@b>"),
        (b"+OK <@1.2@h>", None),
        (b"+OK " + b"<@" * 30_000 + b"@" * 60_000, None),
        (b"+OK <1.2@h\t>", None),
        (b"", None),
    ],
)
def test_the_timestamp_of_a_greeting(greeting: bytes, timestamp: bytes | None) -> None:
    """conformance: 1939-C-25, 1939-S-57"""
    assert timestamp_of(greeting) == timestamp


@pytest.mark.parametrize("octets", [b"<1.\x802@h>", b"\xe4 <1.2@h>", b"<1.2@h> \xff"])
def test_a_greeting_that_could_make_md5_collide_has_none(octets: bytes) -> None:
    """conformance: 1939-C-24"""
    assert timestamp_of(b"+OK " + octets) is None

"""The hand-written ClientHello: a real TLS server understands it, and answers are read right."""

from __future__ import annotations

import ssl

import pytest

from restante.examine.hello import (
    ALPN,
    DHE,
    ECDHE_GCM,
    EXTENDED_MASTER_SECRET,
    OLD_SUITES,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    TLS_1_1,
    TLS_1_2,
    Flight,
    Hello,
    say_hello,
)
from restante.examine.outcome import Ended
from unit.examine.crooked_tls import server_context


class MemoryWire:
    """What `say_hello` needs of a connection, with OpenSSL's server behind it."""

    def __init__(self, answer: bytes | None = None) -> None:
        self._answer = answer
        self._read = b""

    def send(self, octets: bytes, *, shown: bytes) -> None:
        self._read = self._answer if self._answer is not None else openssl_answers(octets)

    def deadline(self) -> float:
        return 0.0

    def exactly(self, count: int, deadline: float) -> bytes:
        if len(self._read) < count:
            raise Ended("that was all")
        octets, self._read = self._read[:count], self._read[count:]
        return octets


def openssl_answers(hello: bytes) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context().wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(hello)
    try:
        server.do_handshake()
    except ssl.SSLError:
        return outgoing.read()
    raise AssertionError("a hello alone completes no handshake")


def flight_for(hello: Hello, answer: bytes | None = None) -> Flight:
    return say_hello(MemoryWire(answer), hello)  # type: ignore[arg-type]


def test_openssl_goes_along_with_a_modern_hello() -> None:
    flight = flight_for(Hello())
    assert flight.version == TLS_1_2
    assert flight.suite in ECDHE_GCM
    assert flight.compression == 0
    assert EXTENDED_MASTER_SECRET in flight.extensions
    assert flight.messages[0] == SERVER_HELLO
    assert flight.messages[-1] == SERVER_HELLO_DONE


def test_openssl_refuses_an_old_version_with_an_alert() -> None:
    flight = flight_for(Hello(OLD_SUITES, TLS_1_1))
    assert not flight.accepted
    assert flight.alert == 70


def test_openssl_reads_the_names_that_are_offered() -> None:
    flight = flight_for(Hello(server_name="pop.example.org", protocols=("h2", "pop3")))
    assert flight.extensions[ALPN] == b"\0\x05\x04pop3"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"+OK POP3 server ready\r\n",
        b"\x16\x03\x03\xff\xff",
        b"\x16\x03\x03\0\x04\x02\xff\xff\xff",
        b"\x15\x03\x03\0\0",
        b"\x16\x03\x03\0\x06\x02\0\0\x02\x03\x03",
    ],
    ids=["nothing", "clear", "cut-record", "cut-message", "empty-alert", "short-hello"],
)
def test_nonsense_is_no_agreement(answer: bytes) -> None:
    assert not flight_for(Hello(), answer).accepted


@pytest.mark.parametrize(("prime", "bits"), [(b"\xff" * 256, 2048), (b"\0\x7f" * 1, 7), (b"", 0)])
def test_the_size_of_a_group_is_read(prime: bytes, bits: int) -> None:
    hello = b"\x03\x03" + bytes(32) + b"\0" + DHE[0].to_bytes(2) + b"\0"
    exchange = len(prime).to_bytes(2) + prime + b"\0\x01\x02"
    messages = b"\x02" + len(hello).to_bytes(3) + hello
    messages += b"\x0c" + len(exchange).to_bytes(3) + exchange
    answer = b"\x16\x03\x03" + len(messages).to_bytes(2) + messages
    assert flight_for(Hello(DHE), answer).prime_bits == bits


def test_a_record_shows_what_is_offered() -> None:
    plain = Hello(suites=(0xC02B, 0x000A))
    assert plain.told == "<ClientHello of TLS 1.2, suites c02b 000a>"
    rich = Hello((1,), 0x0300, compressions=b"\1\0", server_name="a.example", protocols=("pop3",))
    assert rich.told == (
        "<ClientHello of TLS 0x300, for a.example, protocols pop3, compressions 01 00, suites 0001>"
    )

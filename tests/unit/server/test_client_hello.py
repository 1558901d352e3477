"""ClientHellos: as clients send them, in pieces, and made up by somebody who means no good."""

import ssl
import struct
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.server.client_hello import (
    MAXIMUM_OCTETS,
    ClientHello,
    NotAClientHello,
    Reading,
    parse,
)


def sent(name: str | None, protocols: tuple[str, ...], newest: ssl.TLSVersion) -> bytes:
    """Return what a real client begins with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = newest
    if protocols:
        context.set_alpn_protocols(list(protocols))
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", [None, "pop.example.org", "x" * 60 + ".example.org"])
@pytest.mark.parametrize("protocols", [(), ("pop3",), ("h2", "http/1.1", "pop3")])
def test_what_real_clients_ask_for(
    newest: ssl.TLSVersion, name: str | None, protocols: tuple[str, ...]
) -> None:
    hello = sent(name, protocols, newest)
    expected = tuple(each.encode() for each in protocols) or None
    assert parse(hello) == ClientHello(random_of(hello), name, expected, True)
    for cut in range(len(hello)):
        assert parse(hello[:cut]) is None


def random_of(hello: bytes) -> bytes:
    """Return the random of a ClientHello that is one record."""
    return hello[5 + 4 + 2 :][:32]


def vector(data: bytes, size_octets: int) -> bytes:
    return len(data).to_bytes(size_octets, "big") + data


def message(*extensions: tuple[int, bytes], behind: bytes = b"") -> bytes:
    """Return a handshake message with these extensions."""
    body = b"\x03\x03" + bytes(32) + vector(b"", 1) + vector(b"\x13\x01", 2) + vector(b"\0", 1)
    if extensions:
        body += vector(b"".join(struct.pack(">H", k) + vector(v, 2) for k, v in extensions), 2)
    return b"\x01" + vector(body + behind, 3)


def records(data: bytes, size: int = 16_384) -> bytes:
    """Return a message in records of a size."""
    return b"".join(
        b"\x16\x03\x01" + vector(data[start : start + size], 2)
        for start in range(0, len(data), size)
    )


SNI = (0, vector(b"\0" + vector(b"pop.example.org", 2), 2))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_a_message_may_be_spread_over_records(size: int) -> None:
    octets = records(message(SNI), size)
    assert parse(octets) == ClientHello(bytes(32), "pop.example.org", None, False)
    assert parse(octets[:-1]) is None


def test_a_client_without_extensions_asks_for_nothing() -> None:
    assert parse(records(message())) == ClientHello(bytes(32), None, None, False)


def test_an_extension_that_comes_twice_counts_once() -> None:
    other = (0, vector(b"\0" + vector(b"other", 2), 2))
    assert parse(records(message(SNI, other))) == ClientHello(
        bytes(32), "pop.example.org", None, False
    )


def test_an_extended_master_secret_is_asked_for_by_its_extension() -> None:
    """RFC 7627 §5.1. conformance: 7677-S-01"""
    assert parse(records(message((23, b"")))) == ClientHello(bytes(32), None, None, True)


def test_a_name_of_another_kind_is_no_host_name() -> None:
    strange = (0, vector(b"\x01" + vector(b"x", 2), 2))
    assert parse(records(message(strange))) == ClientHello(bytes(32), None, None, False)


def test_alpn_that_offers_nothing_is_alpn_all_the_same() -> None:
    assert parse(records(message((16, vector(b"", 2))))) == ClientHello(bytes(32), None, (), False)


@pytest.mark.parametrize(
    "octets",
    [
        b"USER alice\r\n",
        b"\x80",
        b"\x16\x02",
        b"\x15\x03\x01\x00\x02\x01\x00",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
        records(b"\x01" + vector(b"\x03\x03", 3)),
        records(message((0, b"\xff\xff"))),
        records(message((0, vector(b"\0\xff\xff", 2)))),
        records(message((16, vector(b"\x09h2", 2)))),
        records(b"\x01" + vector(b"\x03\x03" + bytes(32) + b"\xff", 3)),
    ],
)
def test_nonsense_is_told_from_what_is_not_there_yet(octets: bytes) -> None:
    with pytest.raises(NotAClientHello):
        parse(octets)


def test_a_message_has_its_bound() -> None:
    just = message((77, bytes(MAXIMUM_OCTETS - 4 - 45 - 4)))
    assert parse(records(just)) == ClientHello(bytes(32), None, None, False)
    with pytest.raises(NotAClientHello):
        parse(records(message((77, bytes(MAXIMUM_OCTETS)))))


@given(st.binary(max_size=300))
def test_anything_is_something(octets: bytes) -> None:
    for start in (b"", b"\x16\x03\x01", records(message(SNI))[:60]):
        try:
            parse(start + octets)
        except NotAClientHello:
            continue


@given(st.integers(0, 500), st.integers(0, 255))
def test_an_octet_that_was_changed_is_no_disaster(place: int, octet: int) -> None:
    hello = bytearray(sent("pop.example.org", ("pop3",), ssl.TLSVersion.TLSv1_3))
    hello[place % len(hello)] = octet
    try:
        parse(bytes(hello))
    except NotAClientHello:
        return


@given(
    st.sampled_from(
        [sent("pop.example.org", ("pop3",), ssl.TLSVersion.TLSv1_3), b"USER x\r\n" * 9]
    ),
    st.integers(1, 600),
    st.lists(st.integers(1, 300), max_size=20),
)
def test_segments_make_no_difference(data: bytes, size: int, cuts: list[int]) -> None:
    random = random_of(data)
    if data[0] == 22:
        data = records(data[5:], size)
    reading, answers = Reading(), []
    try:
        for octets in [*cuts, len(data)]:
            answers.append(reading.feed(data[:octets]))
            data = data[octets:]
            if answers[-1] is not None:
                break
    except NotAClientHello:
        assert data.startswith(b"USER") or not answers
    else:
        assert answers[-1] == ClientHello(random, "pop.example.org", (b"pop3",), True)
        assert set(answers[:-1]) <= {None}


def test_octets_that_come_singly_in_records_of_one_cost_little() -> None:
    data = records(b"\x01" + vector(bytes(16_000), 3), 1)[:MAXIMUM_OCTETS]
    reading = Reading()
    before = process_time()
    for octet in data:
        assert reading.feed(bytes([octet])) is None
    # Looking at all of it again for each octet took twenty seconds.
    assert process_time() - before < 1

"""Messages between processes: whole, bounded, and nothing but JSON objects."""

import json
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.server.channel import BadMessage, Channel, Decoder, Message, encode

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
messages = st.dictionaries(st.text(), values, max_size=4)


@given(st.lists(messages, max_size=5), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_messages_come_out_however_they_are_cut(sent: list[Message], sizes: list[int]) -> None:
    octets = b"".join(map(encode, sent))
    decoder = Decoder()
    received: list[Message] = []
    number = 0
    while octets:
        size = sizes[number % len(sizes)]
        received += decoder.feed(octets[:size])
        octets, number = octets[size:], number + 1
    assert received == sent


@pytest.mark.parametrize(
    "line", [b"\n", b"[]\n", b"5\n", b'"x"\n', b"null\n", b"{\n", b"\xff\n", b"[" * 100_000 + b"\n"]
)
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(BadMessage):
        list(Decoder().feed(line))


def test_a_message_without_end_is_refused() -> None:
    decoder = Decoder(maximum_octets=100)
    assert list(decoder.feed(b"x" * 100)) == []
    with pytest.raises(BadMessage):
        list(decoder.feed(b"x"))


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    one, other = map(Channel, socket.socketpair())
    yield one, other
    one.close()
    other.close()


def test_what_one_end_sends_the_other_receives(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    assert other.receive() == []
    one.send({"a": 1})
    one.send({"b": "ü\n"})
    assert other.receive() == [{"a": 1}, {"b": "ü\n"}]
    other.send({"c": None})
    assert one.receive() == [{"c": None}]


def test_what_the_socket_does_not_take_waits(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    message: Message = {"x": "y" * 5_000_000}
    one.send(message)
    assert one.wants_to_write
    received: list[Message] = []
    while not received:
        one.write()
        found = other.receive()
        assert found is not None
        received += found
    assert received == [message]
    assert not one.wants_to_write


def test_the_other_end_is_gone(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    other.close()
    assert other.closed
    assert one.receive() is None
    one.send({"a": 1})
    assert not one.wants_to_write, "nobody will ever take it"


def test_who_talks_nonsense_is_as_good_as_gone(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    one.socket.send(b"nonsense\n")
    assert other.receive() is None


def test_a_message_is_a_line_of_json() -> None:
    encoded = encode({"text": "two\nlines"})
    assert encoded.count(b"\n") == 1
    assert json.loads(encoded) == {"text": "two\nlines"}

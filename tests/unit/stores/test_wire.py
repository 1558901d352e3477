"""One place turns stored octets into octets on the wire, however they come in pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.stores.wire import WireCounter, WireEncoder, encode
from restante.testing.stores import SHAPES

OCTETS = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b".", b"\0"])).map(b"".join)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape(shape: str) -> None:
    stored, wire = SHAPES[shape]
    assert encode(stored) == wire


def reference(stored: bytes) -> bytes:
    """Return what goes over the wire, octet by octet."""
    wire = bytearray()
    last = None
    for octet in stored:
        if octet == 0x0A and last != 0x0D:
            wire.append(0x0D)
        wire.append(octet)
        last = octet
    if last not in (None, 0x0A):
        wire += b"\r\n"
    return bytes(wire)


@given(OCTETS, st.lists(st.integers(0, 40)))
def test_pieces_make_no_difference(stored: bytes, cuts: list[int]) -> None:
    encoder, counter = WireEncoder(), WireCounter()
    wire = b""
    bounds = [0, *sorted(cut for cut in cuts if cut < len(stored)), len(stored)]
    for start, end in pairwise(bounds):
        piece = encoder.feed(stored[start:end])
        # An empty piece would be taken for the end of the message.
        assert bool(piece) == (end > start)
        wire += piece
        counter.feed(stored[start:end])
    wire += encoder.end()
    assert wire == reference(stored)
    assert counter.octets == len(wire)
    assert encoder.end() == b""


@given(OCTETS)
def test_what_is_on_the_wire_stays_as_it_is(stored: bytes) -> None:
    wire = encode(stored)
    assert encode(wire) == wire
    assert wire.count(b"\n") == wire.count(b"\r\n")

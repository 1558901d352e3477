"""The queue of output: order kept, chunks bounded, buffers shared and not copied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.server.outlet import CHUNK_OCTETS, TAIL_OCTETS, Outlet


@given(st.lists(st.integers(0, 3 * CHUNK_OCTETS), max_size=6))
def test_octets_come_out_as_they_went_in(sizes: list[int]) -> None:
    buffers = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    outlet = Outlet()
    outlet.put(buffers)
    sent = b""
    while outlet:
        chunk = b"".join(map(bytes, outlet.take()))
        sent += chunk
        is_last = len(sent) == sum(sizes)
        assert len(chunk) <= CHUNK_OCTETS + (TAIL_OCTETS if is_last else 0)
    assert sent == b"".join(buffers)


def test_a_large_buffer_is_cut_and_not_copied() -> None:
    large = bytearray(3 * CHUNK_OCTETS)
    outlet = Outlet()
    outlet.put([large])
    (first,) = outlet.take()
    assert isinstance(first, memoryview)
    assert first.obj is large


@pytest.mark.parametrize("octets", [CHUNK_OCTETS - 1, CHUNK_OCTETS])
def test_what_fits_is_handed_over_as_it_is(octets: int) -> None:
    data = b"x" * octets
    outlet = Outlet()
    outlet.put([data])
    (only,) = outlet.take()
    assert only is data
    assert not outlet


def test_a_chunk_that_grew_a_little_goes_out_whole() -> None:
    grown = b"x" * (CHUNK_OCTETS - 100)
    outlet = Outlet()
    outlet.put([b"+OK\r\n", grown, b"y" * (TAIL_OCTETS + 92), b".\r\n"])
    assert sum(map(len, outlet.take())) == CHUNK_OCTETS + TAIL_OCTETS
    assert not outlet
    outlet.put([b"+OK\r\n", grown, b"y" * (TAIL_OCTETS + 93), b".\r\n"])
    assert sum(map(len, outlet.take())) == CHUNK_OCTETS
    assert outlet

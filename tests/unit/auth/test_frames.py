"""Frames: what goes in comes out, however it was cut; anything else is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.frames import (
    AUTHENTICATE,
    CANCEL,
    KINDS,
    MAXIMUM_OCTETS,
    BadFrame,
    Decoder,
    Frame,
    encode,
    encode_number,
    encode_rest,
)

HEAD = struct.Struct("!IBI")
"""Number of the request, kind, size of the body."""

FRAMES = st.tuples(
    st.integers(0, 0xFFFFFFFF), st.sampled_from(sorted(KINDS)), st.binary(max_size=80)
)


def encoded(frame: Frame) -> bytes:
    return encode(*frame)


@given(st.lists(FRAMES, max_size=5), st.lists(st.integers(1, 60), max_size=40))
def test_frames_survive_every_cut(frames: list[Frame], cuts: list[int]) -> None:
    data = b"".join(map(encoded, frames))
    decoder = Decoder()
    came: list[Frame] = []
    for size in cuts:
        came += decoder.feed(data[:size])
        data = data[size:]
    came += decoder.feed(data)
    assert came == frames


@given(FRAMES)
def test_a_truncated_frame_is_none_yet(frame: Frame) -> None:
    data = encoded(frame)
    for size in range(len(data)):
        decoder = Decoder()
        assert list(decoder.feed(data[:size])) == []
        assert list(decoder.feed(data[size:])) == [frame]


@given(FRAMES)
def test_a_frame_is_a_number_and_a_rest(frame: Frame) -> None:
    number, kind, body = frame
    assert encode_number(number) + encode_rest(kind, body) == encoded(frame)
    assert encoded(frame) == HEAD.pack(number, kind, len(body)) + body


@given(st.binary(max_size=300))
def test_garbage_is_frames_or_refused(data: bytes) -> None:
    decoder = Decoder()
    try:
        frames = list(decoder.feed(data))
    except BadFrame:
        return
    again = b"".join(map(encoded, frames))
    assert data.startswith(again)


@pytest.mark.parametrize("size", [MAXIMUM_OCTETS + 1, 0xFFFFFFFF])
def test_a_size_out_of_bounds_is_refused_before_it_is_waited_for(size: int) -> None:
    with pytest.raises(BadFrame):
        list(Decoder().feed(HEAD.pack(1, CANCEL, size)))


def test_the_largest_frame_passes() -> None:
    body = bytes(MAXIMUM_OCTETS)
    (frame,) = Decoder().feed(encode(1, AUTHENTICATE, body))
    assert frame == (1, AUTHENTICATE, body)
    with pytest.raises(BadFrame):
        list(Decoder().feed(encode(1, AUTHENTICATE, body + b"\0")))


def test_an_unknown_kind_is_refused() -> None:
    for kind in set(range(256)) - KINDS:
        with pytest.raises(BadFrame):
            list(Decoder().feed(HEAD.pack(1, kind, 0)))


def test_frames_before_a_bad_one_count() -> None:
    stream = Decoder().feed(encode(7, CANCEL) + bytes(HEAD.size))
    assert next(stream) == (7, CANCEL, b"")
    with pytest.raises(BadFrame):
        next(stream)

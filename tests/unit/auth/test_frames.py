"""Frames: what goes in comes out, however it was cut; anything else is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.frames import MAXIMUM_OCTETS, BadFrame, Decoder, Frame, Kind, encode

FRAMES = st.builds(
    Frame,
    st.sampled_from(Kind),
    st.integers(0, 0xFFFFFFFF),
    st.lists(st.binary(max_size=40), max_size=7).map(tuple),
)


def encoded(frame: Frame) -> bytes:
    return encode(frame.kind, frame.request, frame.fields)


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


@given(st.binary(max_size=300))
def test_garbage_is_frames_or_refused(data: bytes) -> None:
    decoder = Decoder()
    try:
        frames = list(decoder.feed(data))
    except BadFrame:
        return
    again = b"".join(map(encoded, frames))
    assert data.startswith(again)


@given(FRAMES, st.integers(0, 0xFFFFFFFF), st.data())
def test_a_wrong_size_of_a_field_never_reaches_beyond_its_frame(
    frame: Frame, size: int, data: st.DataObject
) -> None:
    octets = bytearray(encoded(frame))
    if len(octets) < 13:
        return
    at = data.draw(st.integers(9, len(octets) - 4))
    octets[at : at + 4] = struct.pack("!I", size)
    try:
        (came,) = Decoder().feed(bytes(octets))
    except BadFrame:
        return
    assert sum(4 + len(field) for field in came.fields) == len(octets) - 9


@pytest.mark.parametrize("size", [0, 4, MAXIMUM_OCTETS + 1, 0xFFFFFFFF])
def test_a_size_out_of_bounds_is_refused_before_it_is_waited_for(size: int) -> None:
    with pytest.raises(BadFrame):
        list(Decoder().feed(struct.pack("!IBI", size, Kind.CANCEL, 1)))


def test_the_largest_frame_passes() -> None:
    field = bytes(MAXIMUM_OCTETS - 9)
    (frame,) = Decoder().feed(encode(Kind.AUTHENTICATE, 1, [field]))
    assert frame.fields == (field,)
    with pytest.raises(BadFrame):
        list(Decoder().feed(encode(Kind.AUTHENTICATE, 1, [field + b"\0"])))


@pytest.mark.parametrize("kind", sorted(set(range(256)) - set(Kind)))
def test_an_unknown_kind_is_refused(kind: int) -> None:
    with pytest.raises(BadFrame):
        list(Decoder().feed(struct.pack("!IBI", 5, kind, 1)))


@pytest.mark.parametrize("body", [b"\0", b"\0\0\0", b"\0\0\0\1", b"\0\0\0\0\0", b"\xff" * 4])
def test_a_field_that_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(BadFrame):
        list(Decoder().feed(struct.pack("!IBI", 5 + len(body), Kind.CANCEL, 1) + body))


def test_frames_before_a_bad_one_count() -> None:
    stream = Decoder().feed(encode(Kind.CANCEL, 7) + b"\0" * 9)
    assert next(stream) == Frame(Kind.CANCEL, 7)
    with pytest.raises(BadFrame):
        next(stream)


def test_a_frame_shows_no_field() -> None:
    assert "kanarienvogel" not in repr(Frame(Kind.AUTHENTICATE, 1, (b"kanarienvogel",)))

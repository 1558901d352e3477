"""Frames: what goes in comes out, however it was cut; anything else is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.frames import (
    MAXIMUM_FIELDS,
    MAXIMUM_OCTETS,
    BadFrame,
    Decoder,
    Frame,
    Kind,
    encode,
)

HEAD = struct.Struct("!IBIB")
"""Size of what follows it, kind, number of the request, count of fields."""

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
    if not frame.fields:
        return
    at = HEAD.size + 4 * data.draw(st.integers(0, len(frame.fields) - 1))
    right = bytes(octets[at : at + 4])
    octets[at : at + 4] = struct.pack("!I", size)
    if right == octets[at : at + 4]:
        return
    with pytest.raises(BadFrame):
        list(Decoder().feed(bytes(octets)))


@given(FRAMES, st.integers(0, 255))
def test_a_wrong_count_of_fields_never_reaches_beyond_its_frame(frame: Frame, count: int) -> None:
    octets = bytearray(encoded(frame))
    octets[HEAD.size - 1] = count
    try:
        (came,) = Decoder().feed(bytes(octets))
    except BadFrame:
        return
    assert len(encoded(came)) == len(octets)
    assert len(came.fields) == count


@pytest.mark.parametrize("size", [0, 1, 5, MAXIMUM_OCTETS + 1, 0xFFFFFFFF])
def test_a_size_out_of_bounds_is_refused_before_it_is_waited_for(size: int) -> None:
    with pytest.raises(BadFrame):
        list(Decoder().feed(HEAD.pack(size, Kind.CANCEL, 1, 0)))


def test_the_largest_frame_passes() -> None:
    field = bytes(MAXIMUM_OCTETS - (HEAD.size - 4) - 4)
    (frame,) = Decoder().feed(encode(Kind.AUTHENTICATE, 1, [field]))
    assert frame.fields == (field,)
    with pytest.raises(BadFrame):
        list(Decoder().feed(encode(Kind.AUTHENTICATE, 1, [field + b"\0"])))


def test_a_frame_has_so_many_fields_and_no_more() -> None:
    (frame,) = Decoder().feed(encode(Kind.AUTHENTICATE, 1, [b"x"] * MAXIMUM_FIELDS))
    assert frame.fields == (b"x",) * MAXIMUM_FIELDS
    for count in (MAXIMUM_FIELDS + 1, 255):
        body = b"\0" * 4 * count
        head = HEAD.pack(HEAD.size - 4 + len(body), Kind.CANCEL, 1, count)
        with pytest.raises(BadFrame):
            list(Decoder().feed(head + body))


def test_an_unknown_kind_is_refused() -> None:
    for kind in set(range(256)) - set(Kind):
        with pytest.raises(BadFrame):
            list(Decoder().feed(HEAD.pack(HEAD.size - 4, kind, 1, 0)))


@pytest.mark.parametrize(
    ("count", "body"),
    [
        (0, b"x"),
        (1, b""),
        (1, b"\0\0\0"),
        (1, b"\0\0\0\1"),
        (1, b"\0\0\0\0x"),
        (1, b"\xff" * 4),
        (2, b"\0\0\0\0"),
        (2, b"\xff\xff\xff\xff\0\0\0\2x"),
    ],
)
def test_fields_that_do_not_fit_are_refused(count: int, body: bytes) -> None:
    head = HEAD.pack(HEAD.size - 4 + len(body), Kind.CANCEL, 1, count)
    with pytest.raises(BadFrame):
        list(Decoder().feed(head + body))


def test_frames_before_a_bad_one_count() -> None:
    stream = Decoder().feed(encode(Kind.CANCEL, 7) + bytes(HEAD.size))
    assert next(stream) == Frame(Kind.CANCEL, 7)
    with pytest.raises(BadFrame):
        next(stream)


def test_a_frame_shows_no_field() -> None:
    assert "kanarienvogel" not in repr(Frame(Kind.AUTHENTICATE, 1, (b"kanarienvogel",)))

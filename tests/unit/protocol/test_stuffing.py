"""Dot-stuffing, and the cut that TOP makes."""

import pytest

from restante.protocol.stuffing import DotStuffer, TopCut

MESSAGE = b"A: b\r\nC: d\r\n\r\none\r\n\r\nthree\r\n"


def stuff(*pieces: bytes) -> bytes:
    stuffer = DotStuffer()
    return b"".join(map(stuffer.stuff, pieces))


def cut(message: bytes, count: int, piece: int = 1 << 20) -> bytes:
    top = TopCut(count)
    return b"".join(top.cut(message[at : at + piece]) for at in range(0, len(message), piece))


def test_lines_that_begin_with_a_dot_get_another() -> None:
    """conformance: 1939-S-17, TG-T-6"""
    assert stuff(b".\r\n..\r\n.x\r\nx.\r\n") == b"..\r\n...\r\n..x\r\nx.\r\n"


def test_nothing_else_changes() -> None:
    """conformance: 1939-S-122, 1939-S-123"""
    for data in (b"", b"a.b\r\n", b"a\r.\r\n", b"\x00\xff.\r\n", b"x\r\n"):
        assert stuff(data) == data


@pytest.mark.parametrize("at", range(len(b"a\r\n.b\r\n.\r\n") + 1))
def test_a_boundary_parts_nothing(at: int) -> None:
    """conformance: 1939-S-18"""
    data = b"a\r\n.b\r\n.\r\n"
    assert stuff(data[:at], b"", data[at:]) == b"a\r\n..b\r\n..\r\n"


@pytest.mark.parametrize("offset", [4095, 4096, 4097, 8192, 65535, 65536, 65537])
def test_a_dot_behind_a_boundary_of_buffers(offset: int) -> None:
    """conformance: 1939-S-18"""
    data = b"x" * (offset - 2) + b"\r\n.y\r\n"
    assert stuff(data[:offset], data[offset:]) == b"x" * (offset - 2) + b"\r\n..y\r\n"


BEFORE = [0, 1, 4_093, 4_094, 4_095, 4_096, 4_097, 20_000]
"""Octets before the first dot; up to 4,096 all are looked at, from there on what is behind dots."""


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("dots", [0, 1, 3, 4, 5, 18, 19, 20, 40])
def test_many_dots_within_a_line_hide_none_at_a_start(before: int, dots: int) -> None:
    data = b"x" * before + b"a." * dots + b"\r\n.end\r\n"
    assert stuff(data) == b"x" * before + b"a." * dots + b"\r\n..end\r\n"


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("dots", [0, 1, 3, 4, 5, 18, 19, 20, 40])
def test_many_dots_and_none_at_a_start(before: int, dots: int) -> None:
    data = b"x" * before + b"a." * dots + b"\r\n"
    assert DotStuffer().stuff(data) is data


@pytest.mark.parametrize("text", [1, 10, 100, 1000])
def test_a_text_and_what_has_no_dot_behind_it(text: int) -> None:
    data = b"a\r\n.b.c\r\n" * text + b"x" * 2000 + b"\r\n"
    assert stuff(data) == b"a\r\n..b.c\r\n" * text + b"x" * 2000 + b"\r\n"


def test_data_without_stuffing_is_handed_on_uncopied() -> None:
    data = b"one. two.\r\n"
    assert DotStuffer().stuff(data) is data


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 100])
def test_top_shows_header_empty_line_and_some_lines(piece: int) -> None:
    """conformance: 1939-S-94, 1939-S-95"""
    header = b"A: b\r\nC: d\r\n\r\n"
    assert cut(MESSAGE, 0, piece) == header
    assert cut(MESSAGE, 1, piece) == header + b"one\r\n"
    assert cut(MESSAGE, 2, piece) == header + b"one\r\n\r\n"
    assert cut(MESSAGE, 3, piece) == MESSAGE
    assert cut(MESSAGE, 999_999, piece) == MESSAGE


@pytest.mark.parametrize("piece", [1, 2, 100])
def test_top_of_a_header_alone(piece: int) -> None:
    """conformance: 1939-S-98"""
    assert cut(b"A: b\r\nC: d\r\n", 0, piece) == b"A: b\r\nC: d\r\n"


@pytest.mark.parametrize("piece", [1, 2, 100])
def test_top_of_a_body_alone(piece: int) -> None:
    assert cut(b"\r\none\r\ntwo\r\n", 1, piece) == b"\r\none\r\n"


def test_top_says_when_no_more_will_be_shown() -> None:
    top = TopCut(1)
    assert top.cut(b"A: b\r\n\r\n") == b"A: b\r\n\r\n"
    assert not top.done
    assert top.cut(b"one\r\ntwo\r\n") == b"one\r\n"
    assert top.done
    assert top.cut(b"three\r\n") == b""


def test_lines_are_counted_before_they_are_stuffed() -> None:
    """conformance: 1939-S-97"""
    assert cut(b"A: b\r\n\r\n.\r\n..\r\n", 1) == b"A: b\r\n\r\n.\r\n"

"""Headers looked through: what goes out when, and what does not."""

import pytest

from restante.protocol.screening import HELD_OCTETS, NEEDS_UTF8, TOO_LONG, HeaderScreen

FIT = b"Subject: x\r\nTo: a@example.org\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
@pytest.mark.parametrize("header", [FIT, b"\r\n"])
def test_a_fit_header_goes_out_whole_and_the_body_at_once(size: int, header: bytes) -> None:
    """conformance: 6856-S-05"""
    message = header + "größer ☃\r\n\r\n".encode()
    screen = HeaderScreen()
    starts = range(0, len(message), size)
    sent = [screen.screen(message[start : start + size]) for start in starts]
    assert b"".join(sent) + screen.end() == message
    assert screen.refusal is None
    first = next(number for number, piece in enumerate(sent) if piece)
    assert len(sent[first]) >= len(header)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_of_an_unfit_header_nothing_goes_out(size: int) -> None:
    """conformance: 6856-S-05"""
    message = b"Subject: x\r\nTo: j\xc3\xb6rg@example.org\r\n\r\nbody\r\n"
    screen = HeaderScreen()
    for start in range(0, len(message), size):
        assert screen.screen(message[start : start + size]) == b""
        if screen.refusal is not None:
            break
    assert screen.refusal == NEEDS_UTF8


def test_a_header_without_a_body_is_left_to_the_end() -> None:
    screen = HeaderScreen()
    assert screen.screen(b"Subject: x\r\n") == b""
    assert screen.end() == b"Subject: x\r\n"
    assert screen.end() == b""
    assert HeaderScreen().end() == b""


def test_a_header_without_an_end_is_held_to_a_bound() -> None:
    screen, piece = HeaderScreen(), b"x" * 65_536
    for _ in range(HELD_OCTETS // len(piece)):
        assert screen.screen(piece) == b""
        assert screen.refusal is None
    assert screen.screen(b"x") == b""
    assert screen.refusal == TOO_LONG

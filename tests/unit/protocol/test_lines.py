"""Lines: where one ends, which are none, and that segments leave no trace."""

import pytest

from restante.errors import LocalProtocolError
from restante.protocol.lines import (
    COMMAND_OCTETS,
    ENDLESS_OCTETS,
    SASL_OCTETS,
    Discarding,
    LineBuffer,
    LineFault,
    Refusing,
    endless,
)


def take(*segments: bytes, limit: int = COMMAND_OCTETS, strict: bool = False) -> list[object]:
    """Return every line that these segments make, each segment looked at as it comes."""
    buffer = LineBuffer(strict=strict)
    found: list[object] = []
    for segment in segments:
        buffer.append(segment)
        while (line := buffer.next_line(limit)) is not None:
            found.append(line)
            if line is LineFault.ENDLESS:
                return found
    return found


def test_a_line_ends_at_crlf() -> None:
    """conformance: 1939-S-05"""
    assert take(b"NOOP\r\nSTAT\r\n") == [b"NOOP", b"STAT"]


def test_an_unfinished_line_is_none_yet() -> None:
    """conformance: 1939-S-08"""
    buffer = LineBuffer()
    buffer.append(b"QUIT")
    assert buffer.next_line() is None
    assert len(buffer) == 4
    buffer.append(b"\r")
    assert buffer.next_line() is None
    buffer.append(b"\n")
    assert buffer.next_line() == b"QUIT"
    assert len(buffer) == 0


def test_a_bare_lf_ends_a_line_unless_that_is_an_error() -> None:
    """conformance: 1939-S-06"""
    assert take(b"NOOP\nSTAT\r\n") == [b"NOOP", b"STAT"]
    assert take(b"NOOP\nSTAT\r\n", strict=True) == [LineFault.BARE_LF, b"STAT"]


def test_a_bare_cr_spoils_its_line_alone() -> None:
    """conformance: 1939-S-07"""
    assert take(b"NOOP\rSTAT\r\nSTAT\r\n") == [LineFault.BARE_CR, b"STAT"]
    assert take(b"NOOP\r\r\n") == [LineFault.BARE_CR]
    assert take(b"\rNOOP\r\n") == [LineFault.BARE_CR]


def test_a_nul_spoils_its_line_and_cuts_nothing() -> None:
    """conformance: 1939-S-26"""
    assert take(b"DELE 1\0x\r\nSTAT\r\n") == [LineFault.NUL, b"STAT"]


def test_an_empty_line_is_a_line() -> None:
    assert take(b"\r\n\n") == [b"", b""]


@pytest.mark.parametrize("limit", [COMMAND_OCTETS, SASL_OCTETS])
def test_the_limit_counts_the_line_end(limit: int) -> None:
    """conformance: 2449-S-02"""
    fits = b"x" * (limit - 2)
    assert take(fits + b"\r\n", limit=limit) == [fits]
    assert take(fits + b"x\r\n", limit=limit) == [LineFault.TOO_LONG]


@pytest.mark.parametrize("cut", [1, 255, 256, 257, 300, 301])
def test_a_line_too_long_is_one_fault_and_its_tail_no_line(cut: int) -> None:
    """conformance: 1939-S-27"""
    octets = b"a" * 300 + b"DELE 1\r\nNOOP\r\n"
    assert take(octets[:cut], octets[cut:]) == [LineFault.TOO_LONG, b"NOOP"]


def test_what_is_thrown_away_is_not_kept() -> None:
    buffer = LineBuffer()
    for _ in range(8):
        buffer.append(b"a" * 1000)
        assert buffer.next_line() is None
        assert len(buffer) == 0


def test_a_line_that_is_thrown_away_keeps_its_limit() -> None:
    """The rest of an over-long line must not be judged by the limit of what comes next."""
    buffer = LineBuffer()
    buffer.append(b"a" * (SASL_OCTETS + 1))
    assert buffer.next_line(SASL_OCTETS) is None
    assert buffer.next_line(COMMAND_OCTETS) is None
    buffer.append(b"\r\n")
    assert buffer.next_line(COMMAND_OCTETS) is LineFault.TOO_LONG


@pytest.mark.parametrize("limit", [COMMAND_OCTETS, SASL_OCTETS])
@pytest.mark.parametrize("segment", [1000, 1 << 20])
def test_a_line_without_end_is_given_up(limit: int, segment: int) -> None:
    """conformance: 1939-S-27"""
    octets = b"a" * (endless(limit) + 1)
    cut = [octets[at : at + segment] for at in range(0, len(octets), segment)]
    assert take(*cut, limit=limit) == [LineFault.ENDLESS]
    assert take(octets + b"\n", limit=limit) == [LineFault.ENDLESS]


@pytest.mark.parametrize("limit", [COMMAND_OCTETS, SASL_OCTETS])
def test_a_line_that_ends_just_in_time_is_too_long_and_no_more(limit: int) -> None:
    octets = b"a" * (endless(limit) - 1) + b"\n"
    assert take(octets, limit=limit) == [LineFault.TOO_LONG]
    assert take(octets[:-1], octets[-1:], limit=limit) == [LineFault.TOO_LONG]


def test_room_for_a_long_line_comes_on_top_of_its_limit() -> None:
    assert endless(COMMAND_OCTETS) == ENDLESS_OCTETS
    assert endless(SASL_OCTETS) == SASL_OCTETS + ENDLESS_OCTETS


def test_octets_come_in_any_kind_of_buffer() -> None:
    assert take(memoryview(b"NO"), bytearray(b"OP\r"), b"\n") == [b"NOOP"]  # type: ignore[arg-type]


def test_octets_taken_are_let_go_when_more_come() -> None:
    buffer = LineBuffer()
    buffer.append(b"NOOP\r\nST")
    assert buffer.next_line() == b"NOOP"
    buffer.append(b"AT\r\nQU")
    assert len(buffer) == len(b"STAT\r\nQU")
    assert buffer.next_line() == b"STAT"
    assert buffer.next_line() is None
    buffer.append(b"IT\r\n")
    assert buffer.next_line() == b"QUIT"
    assert buffer.next_line() is None


def test_the_start_of_the_next_line_can_be_seen() -> None:
    buffer = LineBuffer()
    buffer.append(b"NOOP\r\nauth plain\r\n")
    assert not buffer.starts_like(b"AUTH ")
    buffer.next_line()
    assert buffer.starts_like(b"AUTH ")
    assert not buffer.starts_like(b"AUTHX")
    assert buffer.starts_like(b"GET ", b"AUTH ")


def test_lines_nobody_will_look_at_are_dropped() -> None:
    lines = Discarding()
    lines.append(b"QUIT\r\n")
    assert lines.octets == 0
    assert lines.next_line() is None


def test_lines_of_another_layer_are_refused() -> None:
    """conformance: 2595-S-09"""
    lines = Refusing()
    with pytest.raises(LocalProtocolError):
        lines.append(b"QUIT\r\n")
    assert lines.octets == 0

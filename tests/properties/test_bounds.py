"""However much a client sends, little is kept."""

import tracemalloc
from collections.abc import Callable

import pytest

from properties.streams import PATIENT, office
from restante.protocol import Event
from restante.protocol.server import OUTPUT_OCTETS
from transcripts.post_office import Desk

MILLION = 1_000_000
SOME_OCTETS = 1_000_000
"""What a session may take at its worst: its replies in many small buffers, and a segment."""


class Sink(bytearray):
    """Output that is counted and forgotten."""

    def __init__(self) -> None:
        self.octets = 0

    def __iadd__(self, data: bytes) -> "Sink":  # type: ignore[override, misc]
        self.octets += len(data)
        return self


class Forgetful(list[Event]):
    """Events that nobody keeps."""

    def append(self, event: Event) -> None:
        pass


def desk(*lines: bytes) -> Desk:
    made = Desk(office(), options=PATIENT)
    for line in lines:
        made.receive(line + b"\r\n")
    made.sent = Sink()
    made.events = Forgetful()
    return made


def peak(work: Callable[[], None]) -> int:
    """Return how many octets more than before were held at once."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_a_million_noops_in_one_write() -> None:
    """conformance: 2449-S-23, 2449-S-24"""
    made = desk(b"USER alice", b"PASS secret")
    made.receive(b"NOOP\r\n" * MILLION)
    assert isinstance(made.sent, Sink)
    assert made.sent.octets == MILLION * len(b"+OK nothing done\r\n")
    assert made.largest_send < OUTPUT_OCTETS + 512
    assert made.session.octets_waiting == 0
    assert not made.closed


@pytest.mark.parametrize("line", [b"NOOP\r\n", b"UIDL\r\n", b"RETR 2\r\n", b"DELE 9\r\n"])
def test_a_flood_keeps_nothing(line: bytes) -> None:
    """conformance: 2449-S-24"""
    made = desk(b"USER alice", b"PASS secret")
    flood = line * 50_000
    assert peak(lambda: made.receive(flood)) < SOME_OCTETS
    assert made.session.octets_waiting == 0


@pytest.mark.parametrize("before", [b"CAPA", b"AUTH PLAIN"])
@pytest.mark.parametrize("segment", [b"A" * 16_384, b"\0" * 16_384, b"\r" * 16_384])
def test_a_line_without_end_is_not_kept(before: bytes, segment: bytes) -> None:
    """conformance: 1939-S-27"""
    made = desk(before)

    def flood() -> None:
        for _ in range(1000):
            made.receive(segment)

    assert peak(flood) < SOME_OCTETS
    assert made.closed


@pytest.mark.parametrize("octets", [300, 8000])
def test_lines_too_long_are_not_kept(octets: int) -> None:
    made = desk()
    line = b"A" * octets + b"\r\n"

    def flood() -> None:
        for _ in range(2000):
            made.receive(line)

    assert peak(flood) < SOME_OCTETS
    assert not made.closed


def test_marking_and_unmarking_keeps_nothing() -> None:
    made = desk(b"USER alice", b"PASS secret")
    made.receive(b"DELE 1\r\nRSET\r\n")
    flood = b"DELE 1\r\nDELE 2\r\nRSET\r\n" * 20_000
    assert peak(lambda: made.receive(flood)) < SOME_OCTETS

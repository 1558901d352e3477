"""Collecting at a fixed rate: several sessions in turns, one message at each tick."""

import time

from benchmarks.load.collecting import Door
from benchmarks.load.expectation import Expectation
from benchmarks.load.session import Session


def collect_paced(
    doors: list[Door], expected: Expectation, per_second: int, seconds: float
) -> None:
    """Fetch messages in turns at their due times, every one verified, and delete none."""
    sessions = [door.open() for door in doors]
    sizes = [expected.check_scan_listing(session.listing(b"LIST")) for session in sessions]
    start = time.monotonic()
    for tick in range(round(per_second * seconds)):
        wait = start + tick / per_second - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        turn, number = tick % len(sessions), tick // len(sessions) % expected.count() + 1
        body = sessions[turn].listing(b"RETR %d" % number)
        expected.check_message(body, sizes[turn][number - 1])
    _quit_all(sessions)


def _quit_all(sessions: list[Session]) -> None:
    for session in sessions:
        with session:
            session.quit()

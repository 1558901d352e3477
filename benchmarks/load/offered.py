"""Logins that come at a fixed rate whether the server keeps up or not, and how long each took.

A login's time runs from the moment at which it was due, so that a stalled server cannot make the
load wait and hide what it did to those who would have come.
"""

import time
from collections.abc import Iterator

from benchmarks.load.expectation import ReplyWrong
from benchmarks.load.logins import Caller, Crowd, Target, Visit

_PATIENCE_SECONDS = 30.0


def offer_logins(
    target: Target, visits: Iterator[Visit], per_second: int, seconds: float
) -> list[float]:
    """Begin visits at their due times and return the seconds each took until it was admitted."""
    crowd = Crowd(target)
    due: dict[Caller, float] = {}
    taken: list[float] = []
    start = time.perf_counter()
    end = start + seconds
    next_due = start
    try:
        while next_due < end or len(crowd):
            now = time.perf_counter()
            if now > end + _PATIENCE_SECONDS:
                raise ReplyWrong(f"{len(crowd)} logins were not served")
            while next_due <= now and next_due < end:
                due[crowd.send_off(next(visits))] = next_due
                next_due += 1 / per_second
            for caller in crowd.wait(max(0.0, next_due - time.perf_counter())):
                taken.append(caller.admitted_at - due.pop(caller))
                crowd.release(caller)
    finally:
        crowd.close()
    return taken

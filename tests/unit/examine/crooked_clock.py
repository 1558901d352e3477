"""The time of the crooked server where cases wait for minutes: it passes when the judge sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable

GREETED_SECONDS = 60.0
SESSION_SECONDS = 600.0
SHORT_SECONDS = 300.0


class Clock:
    """A clock that only sleeping moves, and what is due when it moves."""

    def __init__(self, due: Callable[[float], None]) -> None:
        self.time = self.began = time.monotonic()
        self._due = due

    def now(self) -> float:
        """Return the time."""
        return self.time

    @property
    def passed(self) -> float:
        """Return how long it has been going."""
        return self.time - self.began

    def sleep(self, seconds: float) -> None:
        """Let time pass, and have done what is due by then."""
        self.time += seconds
        self._due(self.time)


def patience(faults: frozenset[str], *, logged_in: bool) -> float:
    """Return how long a session may be silent."""
    if not logged_in:
        return float("inf") if "greets-for-ever" in faults else GREETED_SECONDS
    if "no-timer" in faults:
        return float("inf")
    return SHORT_SECONDS if "short-timer" in faults else SESSION_SECONDS

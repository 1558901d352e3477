"""The pace of a run: when it ends, and how it spares the server.

One object for a whole run, shared by its cases. It keeps the logins as far apart as the server
asks for, puts off what guesses at passwords until the rest is done, and has the one deadline that
every wait ends at.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from restante.examine.outcome import NotTried, Postponed

LONGEST_DELAY_SECONDS = 900.0
"""What a server may ask for between two logins; more is taken for a lie or a hoax."""

TIME_IS_UP = "the time for the whole run was up"

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 2.0


class Pace:
    """What one run may still do, and how fast."""

    def __init__(
        self,
        run_seconds: float = math.inf,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self.until = clock() + run_seconds
        self.login_patience_seconds = 0.0
        """How long to wait at least for the answer to a login, which wrong ones may slow down."""
        self.guesses_wait = False
        self.guessed = False
        self._gap_seconds = 0.0
        self._last_login = -math.inf

    def now(self) -> float:
        """Return the time by this run's clock."""
        return self._clock()

    def extend(self, seconds: float) -> None:
        """Have at least this long from now on."""
        self.until = max(self.until, self._clock() + seconds)

    @property
    def over(self) -> bool:
        """Tell whether the time of the run is up."""
        return self._clock() >= self.until

    def check(self) -> None:
        """Raise NotTried where the time of the run is up."""
        if self.over:
            raise NotTried(TIME_IS_UP)

    def guess(self) -> None:
        """Take note that wrong credentials are about to be sent, or raise Postponed."""
        if self.guesses_wait:
            raise Postponed("what guesses at passwords comes last")
        self.guessed = True

    def keep_apart(self, seconds: float) -> None:
        """Leave this long between two logins from now on."""
        self._gap_seconds = max(self._gap_seconds, min(seconds, LONGEST_DELAY_SECONDS))

    def be_slower(self) -> None:
        """Leave more time between two logins, as the server says there was too little."""
        self.keep_apart(max(1.0, 2 * self._gap_seconds))

    def before_login(self) -> None:
        """Wait until the next login is due."""
        self.pause(self._last_login + self._gap_seconds - self._clock())
        self._last_login = self._clock()

    def pause(self, seconds: float) -> None:
        """Sleep, no longer than the run lasts."""
        if seconds > 0:
            self._sleep(min(seconds, max(0.0, self.until - self._clock())))
            self.check()

    def pauses(self, seconds: float) -> Pauses:
        """Return growing pauses that end after this time."""
        return Pauses(self, self._clock() + seconds)


class Pauses:
    """The pauses between attempts at one thing."""

    def __init__(self, pace: Pace, until: float) -> None:
        self._pace = pace
        self._until = until
        self._next = _FIRST_PAUSE_SECONDS

    def take(self) -> bool:
        """Sleep before another attempt, or tell that there shall be none."""
        if self._pace.now() >= self._until:
            return False
        self._pace.pause(self._next)
        self._next = min(2 * self._next, _LONGEST_PAUSE_SECONDS)
        return True

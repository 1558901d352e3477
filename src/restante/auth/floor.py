"""The floor: what a refusal takes at the least, where somebody who is asked would tell by the time.

What a login waits for in the gate is not counted: that goes by its failures, not by its name.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager


class Floor:
    """The time that one login has taken, and what is missing."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._missing = seconds
        self._clock = clock
        self._sleep = sleep

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the time that passes in here."""
        begun = self._clock()
        try:
            yield
        finally:
            self._missing -= self._clock() - begun

    async def fill(self) -> None:
        """Wait for what is missing."""
        if self._missing > 0:
            await self._sleep(self._missing)

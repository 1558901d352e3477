"""Recent: what was used lately, by key, up to a bound; the longest unused go first.

A plain dict keeps the order that its keys came in, so using one is taking it out and putting it
back. There may be an entry for every account of a server: an OrderedDict would take three times as
much of each. Whoever leaves, leaves with a sixteenth of the bound, since finding the first key of a
dict takes as long as it has lost keys before that one.

What does not live here: when a value is too old. `SharedClock` tells one time to all who ask within
a second, so that entries made together do not hold a time each.
"""

from collections.abc import Callable
from itertools import islice
from typing import TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")

_GRAIN_SECONDS = 1.0


class Recent(dict[_K, _V]):
    """Values by key, the longest unused first."""

    __slots__ = ("_bound",)

    def __init__(self, bound: int) -> None:
        super().__init__()
        self._bound = bound

    def use(self, key: _K, value: _V) -> None:
        """Set the value of a key, new or not, and make that one the last to go."""
        self.pop(key, None)
        self[key] = value
        if len(self) > self._bound:
            for oldest in list(islice(self, max(self._bound // 16, 1))):
                del self[oldest]


class SharedClock:
    """A clock that is never fast, and up to a second slow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._now = clock()

    def __call__(self) -> float:
        """Return the time, the same object for a second."""
        now = self._clock()
        if not 0 <= now - self._now < _GRAIN_SECONDS:
            self._now = now
        return self._now

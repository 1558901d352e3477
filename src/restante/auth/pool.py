"""The hashing pool: hashes computed in few threads, with few waiting, and logins in turn.

Memory is bounded by its threads: each hash takes what its parameters say, and no more are computed
at once. A login that has been given up by its client is taken out of the queue. Logins of one
network take turns where the throttle suspects it; each network may hold a share of the queue only,
so that one that attacks leaves room for the others.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from restante.errors import TemporaryFailure

_T = TypeVar("_T")

BUSY = "too many logins at once, try again later"
UNSUSPECTED_AT_ONCE = 4
WAITING_PER_NETWORK = 64


class _Turns:
    """The logins of one network, those that run and those that wait in their order."""

    __slots__ = ("running", "waiting")

    def __init__(self) -> None:
        self.running = 0
        self.waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """By address, the one whose turn comes next in front."""

    def add(self, host: str, waiter: "asyncio.Future[None]") -> None:
        self.waiting.setdefault(host, deque()).append(waiter)

    def withdraw(self, host: str, waiter: "asyncio.Future[None]") -> None:
        self.waiting[host].remove(waiter)
        if not self.waiting[host]:
            del self.waiting[host]

    def take(self) -> "asyncio.Future[None] | None":
        """Return who is next; None: nobody, or somebody who is just leaving."""
        for host, waiters in self.waiting.items():
            if waiters[0].cancelled():
                return None
            waiter = waiters[0]
            # Its others come when everybody else had a turn.
            self.waiting.move_to_end(host)
            self.withdraw(host, waiter)
            return waiter
        return None

    def has_room(self, suspected: Callable[[], bool]) -> bool:
        return self.running < (1 if suspected() else UNSUSPECTED_AT_ONCE)


class Networks:
    """Turns within each network."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turns] = {}

    def is_idle(self, network: str) -> bool:
        """Say whether no login of this network runs or waits."""
        return network not in self._turns

    @asynccontextmanager
    async def turn(
        self, network: str, suspected: Callable[[], bool], host: str = ""
    ) -> AsyncIterator[None]:
        """Wait for this network's turn, and hold it.

        Its addresses take turns as well: one that guesses holds up its neighbours by one guess,
        however many of its own wait.

        `suspected` is asked again whenever a turn is given, so that those who wait when the
        first of them fails are held to one at a time from then on.

        Raises:
            TemporaryFailure: too many of it wait already.
        """
        turns = self._turns.setdefault(network, _Turns())
        if turns.waiting or not turns.has_room(suspected):
            if sum(map(len, turns.waiting.values())) >= WAITING_PER_NETWORK:
                raise TemporaryFailure(BUSY)
            await self._wait(network, turns, suspected, host)
        else:
            turns.running += 1
        try:
            yield
        finally:
            turns.running -= 1
            self._hand_over(network, turns, suspected)

    async def _wait(
        self, network: str, turns: _Turns, suspected: Callable[[], bool], host: str
    ) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turns.add(host, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                turns.withdraw(host, waiter)
            else:  # the turn had been given at this very moment
                turns.running -= 1
            self._hand_over(network, turns, suspected)
            raise

    def _hand_over(self, network: str, turns: _Turns, suspected: Callable[[], bool]) -> None:
        """Give turns to those who wait, before anybody who comes can take them."""
        while turns.has_room(suspected) and (waiter := turns.take()) is not None:
            turns.running += 1
            waiter.set_result(None)
        if not turns.running and not turns.waiting:
            self._turns.pop(network, None)


class HashingPool:
    """Threads that hash."""

    def __init__(self, threads: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="hash")
        self._slots = asyncio.Semaphore(threads)
        self._room = queue
        self._waiting = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """Have a hash computed.

        Raises:
            TemporaryFailure: too many wait already.
        """
        if self._slots.locked() and self._waiting >= self._room:
            raise TemporaryFailure(BUSY)
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        future = self._executor.submit(work)
        # A hash that runs cannot be stopped: its thread is free when it is done, not when whoever
        # waited for it has gone.
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._slots.release))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let the threads end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

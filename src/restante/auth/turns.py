"""Turns: logins of one network wait for each other, so that guessing in parallel gains nothing.

A network has two queues. What is delayed goes through the first, one at a time with its delay; what
is about to be hashed through the second, few at a time, and one by one where the throttle suspects
the network. So a delay holds up those alone who are delayed as well.

In each queue the least rank comes first, and the addresses of a rank take turns: one that guesses
holds up its neighbours by one turn, however many of its own wait. A queue is short; when it is full
the last of the address that has most in it makes room for somebody better.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from restante.errors import TemporaryFailure

BUSY = "too many logins at once, try again later"
CROWDED = "too many logins of this network wait"
UNSUSPECTED_AT_ONCE = 4
WAITING_PER_NETWORK = 64

Waiter = asyncio.Future[None]
Lane = tuple[int, str]
"""Rank and address."""


class _Queue:
    """Those who have their turn, counted, and those who wait for it."""

    __slots__ = ("count", "full", "lanes", "room", "running")

    def __init__(self, room: int, full: str) -> None:
        self.running = 0
        self.room = room
        self.full = full
        """What the log says of those who find no room."""
        self.count = 0
        """Of those who wait."""
        self.lanes: OrderedDict[Lane, deque[Waiter]] = OrderedDict()
        """Of the same rank, the address whose turn comes next in front."""

    def add(self, lane: Lane, waiter: Waiter) -> None:
        """Let somebody wait.

        Raises:
            TemporaryFailure: too many wait, and none of them has to make room.
        """
        if self.count >= self.room:
            self._make_room(lane)
        self.lanes.setdefault(lane, deque()).append(waiter)
        self.count += 1

    def withdraw(self, lane: Lane, waiter: Waiter) -> None:
        """Let somebody wait no longer; one who was sent away is not there any more."""
        waiters = self.lanes.get(lane)
        if waiters is None or waiter not in waiters:
            return
        waiters.remove(waiter)
        self.count -= 1
        if not waiters:
            del self.lanes[lane]

    def take(self) -> Waiter | None:
        """Return who is next; None: nobody, or somebody who is just leaving."""
        if not self.lanes:
            return None
        # The first of the least rank: `min` keeps to the order.
        lane = min(self.lanes, key=_rank)
        waiter = self.lanes[lane][0]
        if waiter.done():
            return None
        # Its others come when everybody else of its rank had a turn.
        self.lanes.move_to_end(lane)
        self.withdraw(lane, waiter)
        return waiter

    def _make_room(self, lane: Lane) -> None:
        waiting = [(rank, len(waiters), host) for (rank, host), waiters in self.lanes.items()]
        rank, count, host = max(waiting)
        own = len(self.lanes.get(lane, ())) + 1
        if (lane[0], own) >= (rank, count):
            raise TemporaryFailure(BUSY, reason=self.full)
        last = self.lanes[rank, host][-1]
        self.withdraw((rank, host), last)
        if not last.done():
            last.set_exception(TemporaryFailure(BUSY, reason=self.full))


def _rank(lane: Lane) -> int:
    return lane[0]


class Turns:
    """Turns within each network, of one kind."""

    def __init__(self, room: int = WAITING_PER_NETWORK, full: str = CROWDED) -> None:
        self._room = room
        self._full = full
        self._queues: dict[str, _Queue] = {}

    def is_idle(self, network: str) -> bool:
        """Say whether no login of this network runs or waits."""
        return network not in self._queues

    @asynccontextmanager
    async def turn(
        self, network: str, at_once: Callable[[], int], host: str = "", rank: int = 0
    ) -> AsyncIterator[None]:
        """Wait for this network's turn, and hold it.

        `at_once` is asked again whenever a turn is given, so that those who wait when the first of
        them fails are held to one at a time from then on.

        Raises:
            TemporaryFailure: too many of it wait already.
        """
        queue = self._queues.get(network)
        if queue is None:
            queue = self._queues[network] = _Queue(self._room, self._full)
        if queue.lanes or queue.running >= at_once():
            await self._wait(network, queue, at_once, (rank, host))
        else:
            queue.running += 1
        try:
            yield
        finally:
            queue.running -= 1
            self._hand_over(network, queue, at_once)

    def hand_over(self, network: str, at_once: Callable[[], int]) -> None:
        """Give turns to those who wait, since more may have them at once than before."""
        queue = self._queues.get(network)
        if queue is not None:
            self._hand_over(network, queue, at_once)

    async def _wait(
        self, network: str, queue: _Queue, at_once: Callable[[], int], lane: Lane
    ) -> None:
        waiter: Waiter = asyncio.get_running_loop().create_future()
        queue.add(lane, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                queue.withdraw(lane, waiter)
            elif waiter.exception() is None:  # the turn had been given at this very moment
                queue.running -= 1
            self._hand_over(network, queue, at_once)
            raise

    def _hand_over(self, network: str, queue: _Queue, at_once: Callable[[], int]) -> None:
        """Give turns to those who wait, before anybody who comes can take them."""
        while queue.running < at_once() and (waiter := queue.take()) is not None:
            queue.running += 1
            waiter.set_result(None)
        if not queue.running and not queue.lanes:
            self._queues.pop(network, None)

"""The hashing pool: hashes computed in few threads, with few waiting.

Memory is bounded by its threads: each hash takes what its parameters say, and no more are computed
at once. A login that has been given up by its client is taken out of the queue. Who is known comes
first, then the networks take turns: a crowd that comes from everywhere delays regulars by no more
than the hashes that run, and it is the crowd that finds the queue full.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from restante.auth.turns import Turns

_T = TypeVar("_T")

FULL = "too many hashes wait"
_EVERYBODY = ""


class HashingPool:
    """Threads that hash."""

    def __init__(self, threads: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="hash")
        self._threads = threads
        self._turns = Turns(queue, FULL)
        self._for_nobody = 0
        """Hashes that run on although whoever waited for them has gone."""

    async def run(self, work: Callable[[], _T], *, network: str = "", rank: int = 0) -> _T:
        """Have a hash computed; the least rank comes first, and in it the networks in turn.

        Raises:
            TemporaryFailure: too many wait already, none of them behind this one.
        """
        async with self._turns.turn(_EVERYBODY, self._free, network, rank):
            future = self._executor.submit(work)
            try:
                return await asyncio.wrap_future(future)
            except asyncio.CancelledError:
                self._run_on(future)
                raise

    def close(self) -> None:
        """Let the threads end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _free(self) -> int:
        return self._threads - self._for_nobody

    def _run_on(self, future: "Future[_T]") -> None:
        """Let a hash end for nobody: it cannot be stopped, and has its thread until it is done."""
        self._for_nobody += 1
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._ended))

    def _ended(self) -> None:
        self._for_nobody -= 1
        self._turns.hand_over(_EVERYBODY, self._free)

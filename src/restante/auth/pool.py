"""The hashing pool: hashes computed in few threads, with few waiting.

Memory is bounded by its threads: each hash takes what its parameters say, and no more are computed
at once. A login that has been given up by its client is taken out of the queue.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from restante.auth.turns import BUSY
from restante.errors import TemporaryFailure

_T = TypeVar("_T")


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

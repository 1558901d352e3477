"""The hashing pool: bounds, and hashes that are given up."""

import asyncio
import threading

import pytest

from restante.auth.pool import HashingPool
from restante.errors import TemporaryFailure
from unit.auth.scene import PATIENCE_SECONDS, run, turns


class Hash:
    """Work in a thread that the test lets end."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.end = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.end.wait(PATIENCE_SECONDS)
        return "done"

    async def has_begun(self) -> None:
        while not self.begun.is_set():
            await asyncio.sleep(0)


def test_no_more_run_than_there_are_threads() -> None:
    async def story() -> None:
        hashing = HashingPool(2, 10)
        works = [Hash() for _ in range(5)]
        tasks = [asyncio.create_task(hashing.run(work)) for work in works]
        for work in works[:2]:
            await work.has_begun()
        await turns()
        assert [work.begun.is_set() for work in works] == [True, True, False, False, False]
        works[1].end.set()
        await works[2].has_begun()
        assert not works[3].begun.is_set()
        for work in works:
            work.end.set()
        assert await asyncio.gather(*tasks) == ["done"] * 5
        hashing.close()

    run(story())


def test_a_full_queue_is_temporary() -> None:
    async def story() -> None:
        hashing = HashingPool(1, 2)
        works = [Hash() for _ in range(3)]
        tasks = [asyncio.create_task(hashing.run(work)) for work in works]
        await works[0].has_begun()
        await turns()
        with pytest.raises(TemporaryFailure, match="too many logins at once"):
            await hashing.run(Hash())
        for work in works:
            work.end.set()
        await asyncio.gather(*tasks)
        work = Hash()
        work.end.set()
        assert await hashing.run(work) == "done"
        hashing.close()

    run(story())


def test_a_queued_hash_given_up_is_never_computed() -> None:
    async def story() -> None:
        hashing = HashingPool(1, 2)
        works = [Hash() for _ in range(3)]
        tasks = [asyncio.create_task(hashing.run(work)) for work in works]
        await works[0].has_begun()
        await turns()
        tasks[1].cancel()
        await turns()
        again = Hash()  # there is room in the queue again
        last = asyncio.create_task(hashing.run(again))
        await turns()
        for work in [*works, again]:
            work.end.set()
        assert list(await asyncio.gather(tasks[0], tasks[2], last)) == ["done"] * 3
        assert not works[1].begun.is_set()
        hashing.close()

    run(story())


def test_a_running_hash_given_up_keeps_its_thread_until_it_is_done() -> None:
    """Else more would run at once than the memory is meant for."""

    async def story() -> None:
        hashing = HashingPool(1, 2)
        first, second = Hash(), Hash()
        task = asyncio.create_task(hashing.run(first))
        await first.has_begun()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        other = asyncio.create_task(hashing.run(second))
        await turns()
        assert not second.begun.is_set()
        first.end.set()
        second.end.set()
        assert await other == "done"
        hashing.close()

    run(story())


def test_what_a_hash_raises_comes_back() -> None:
    async def story() -> None:
        hashing = HashingPool(1, 1)

        def fail() -> None:
            raise MemoryError

        for _ in range(3):
            with pytest.raises(MemoryError):
                await hashing.run(fail)
        hashing.close()

    run(story())

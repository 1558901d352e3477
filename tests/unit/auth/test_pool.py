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


def test_who_is_known_comes_first_and_networks_take_turns() -> None:
    """threats: A4"""

    async def story() -> None:
        hashing, order, works = HashingPool(1, 20), list[str](), list[Hash]()

        async def log_in(name: str, network: str, rank: int) -> None:
            work = Hash()
            works.append(work)
            await hashing.run(work, network=network, rank=rank)
            order.append(name)

        crowd = [("first", "a", 2), ("a2", "a", 2), ("a3", "a", 2), ("b", "b", 2)]
        crowd += [("fresh", "c", 1), ("known", "d", 0)]
        tasks = [asyncio.create_task(log_in(*each)) for each in crowd]
        await turns()
        for work in works:
            work.end.set()
        await asyncio.gather(*tasks)
        assert order == ["first", "known", "fresh", "a2", "b", "a3"]
        hashing.close()

    run(story())


def test_a_queue_full_of_strangers_has_room_for_somebody_known() -> None:
    """threats: A4"""

    async def story() -> None:
        hashing, works = HashingPool(1, 3), [Hash() for _ in range(5)]
        strangers = [
            asyncio.create_task(hashing.run(work, network=f"n{number}", rank=1))
            for number, work in enumerate(works[:4])
        ]
        await turns()
        known = asyncio.create_task(hashing.run(works[4], network="k", rank=0))
        await turns()
        refused = [task for task in strangers if task.done()]
        with pytest.raises(TemporaryFailure) as caught:
            await refused.pop()
        assert caught.value.reason == "too many hashes wait"
        assert refused == []
        for work in works:
            work.end.set()
        assert await known == "done"
        await asyncio.gather(*strangers, return_exceptions=True)
        hashing.close()

    run(story())


def test_hashes_for_nobody_that_end_let_others_begin() -> None:
    async def story() -> None:
        hashing = HashingPool(2, 10)
        gone, works = [Hash(), Hash()], [Hash(), Hash(), Hash()]
        tasks = [asyncio.create_task(hashing.run(work)) for work in gone]
        for work in gone:
            await work.has_begun()
        for task in tasks:
            task.cancel()
        waiting = [asyncio.create_task(hashing.run(work)) for work in works]
        await turns()
        assert not any(work.begun.is_set() for work in works)
        gone[1].end.set()
        await works[0].has_begun()
        await turns()
        assert not works[1].begun.is_set()
        gone[0].end.set()
        await works[1].has_begun()
        assert not works[2].begun.is_set()
        for work in works:
            work.end.set()
        assert await asyncio.gather(*waiting) == ["done"] * 3
        hashing.close()

    run(story())

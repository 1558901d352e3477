"""Turns and the hashing pool: order, bounds, and logins that are given up."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from restante.auth import pool
from restante.auth.pool import HashingPool, Networks
from restante.errors import TemporaryFailure
from unit.auth.scene import PATIENCE_SECONDS, run, turns


class Turns:
    """Logins that take turns, each held until the test lets it go."""

    def __init__(self) -> None:
        self.networks = Networks()
        self.suspected = False
        self.running: list[str] = []
        self.finished: list[str] = []
        self._gates: dict[str, asyncio.Event] = {}

    def begin(self, name: str, network: str = "n") -> "asyncio.Task[None]":
        self._gates[name] = asyncio.Event()
        return asyncio.create_task(self._log_in(name, network))

    async def _log_in(self, name: str, network: str) -> None:
        async with self.networks.turn(network, lambda: self.suspected):
            self.running.append(name)
            try:
                await self._gates[name].wait()
            finally:
                self.running.remove(name)
        self.finished.append(name)

    async def let_go(self, name: str) -> None:
        self._gates[name].set()
        await turns()


def told(story: Callable[[Turns], Awaitable[None]]) -> None:
    async def work() -> None:
        scene = Turns()
        await story(scene)

    run(work())


def test_suspected_logins_of_a_network_take_turns_in_their_order() -> None:
    async def story(scene: Turns) -> None:
        scene.suspected = True
        tasks = [scene.begin(name) for name in "abcd"]
        for name in "abcd":
            await turns()
            assert scene.running == [name]
            await scene.let_go(name)
        await asyncio.gather(*tasks)
        assert scene.finished == list("abcd")
        assert scene.networks.is_idle("n")

    told(story)


def test_networks_do_not_wait_for_each_other() -> None:
    async def story(scene: Turns) -> None:
        scene.suspected = True
        tasks = [scene.begin(name, network) for name, network in zip("abcd", "xxyy", strict=True)]
        await turns()
        assert scene.running == ["a", "c"]
        await scene.let_go("c")
        assert scene.running == ["a", "d"]
        for name in "dab":
            await scene.let_go(name)
        await asyncio.gather(*tasks)
        assert scene.networks.is_idle("x")
        assert scene.networks.is_idle("y")

    told(story)


def test_those_who_wait_are_held_to_one_once_the_first_has_failed() -> None:
    """A burst of guesses that arrives before anybody is suspected must gain nothing by that."""

    async def story(scene: Turns) -> None:
        names = "abcdefgh"
        tasks = [scene.begin(name) for name in names]
        await turns()
        assert scene.running == list("abcd")
        scene.suspected = True
        await scene.let_go("a")
        assert scene.running == list("bcd")
        for name in "bcd":
            await scene.let_go(name)
        assert scene.running == ["e"]
        for name in "efgh":
            assert scene.running == [name]
            await scene.let_go(name)
        await asyncio.gather(*tasks)

    told(story)


def test_a_network_that_is_cleared_goes_on_together() -> None:
    async def story(scene: Turns) -> None:
        scene.suspected = True
        tasks = [scene.begin(name) for name in "abcdef"]
        await turns()
        scene.suspected = False
        await scene.let_go("a")
        assert scene.running == list("bcde")
        for name in "bcdef":
            await scene.let_go(name)
        await asyncio.gather(*tasks)

    told(story)


def test_whoever_comes_does_not_overtake() -> None:
    async def story(scene: Turns) -> None:
        scene.suspected = True
        first, second = scene.begin("a"), scene.begin("b")
        await turns()
        scene._gates["a"].set()
        third = scene.begin("c")
        await turns()
        assert scene.running == ["b"]
        await scene.let_go("b")
        await scene.let_go("c")
        await asyncio.gather(first, second, third)
        assert scene.finished == list("abc")

    told(story)


@pytest.mark.parametrize("given_up", ["a", "b", "c", "ab", "bc", "abc"])
def test_a_login_given_up_holds_nobody_up(given_up: str) -> None:
    async def story(scene: Turns) -> None:
        scene.suspected = True
        tasks = {name: scene.begin(name) for name in "abcd"}
        await turns()
        for name in given_up:
            tasks[name].cancel()
        await turns()
        for name in "abcd":
            if name not in given_up:
                assert scene.running == [name]
                await scene.let_go(name)
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        assert scene.networks.is_idle("n")

    told(story)


@pytest.mark.parametrize("again", [False, True])
def test_a_login_given_up_as_its_turn_comes_passes_it_on(again: bool) -> None:
    async def story(scene: Turns) -> None:
        scene.suspected = True
        tasks = {name: scene.begin(name) for name in "abc"}
        await turns()
        if again:  # given up before the turn is free, and not yet told so
            tasks["b"].cancel()
            scene._gates["a"].set()
        else:  # the turn was given to it in this very step
            scene._gates["a"].set()
            await asyncio.sleep(0)
            tasks["b"].cancel()
        await turns()
        assert scene.running == ["c"]
        await scene.let_go("c")
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        assert scene.networks.is_idle("n")

    told(story)


def test_a_network_may_hold_a_share_of_the_queue() -> None:
    async def story(scene: Turns) -> None:
        scene.suspected = True
        tasks = [scene.begin(str(number)) for number in range(pool.WAITING_PER_NETWORK + 1)]
        await turns()
        with pytest.raises(TemporaryFailure, match="too many logins at once"):
            await scene.begin("one too many")
        other = scene.begin("other", "m")
        await turns()
        assert scene.running == ["0", "other"]
        for task in [*tasks, other]:
            task.cancel()
        await asyncio.gather(*tasks, other, return_exceptions=True)
        assert scene.networks.is_idle("n")

    told(story)


def test_a_fault_gives_the_turn_back() -> None:
    async def story(scene: Turns) -> None:
        with pytest.raises(ValueError, match="fault"):
            async with scene.networks.turn("n", lambda: True):
                raise ValueError("fault")
        assert scene.networks.is_idle("n")

    told(story)


# ---- hashing


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


def test_one_address_holds_up_its_neighbours_by_one_turn() -> None:
    async def story() -> None:
        networks, order = Networks(), list[str]()
        begin = asyncio.Event()

        async def log_in(host: str) -> None:
            async with networks.turn("192.0.2", lambda: True, host):
                order.append(host)
                await begin.wait()

        hosts = ["guesser"] * 5 + ["neighbour", "guesser", "another"]
        tasks = [asyncio.create_task(log_in(host)) for host in hosts]
        await turns()
        tasks[2].cancel()
        begin.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert order == ["guesser", "guesser", "neighbour", "another", *["guesser"] * 3]
        assert networks.is_idle("192.0.2")

    run(story())

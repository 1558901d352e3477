"""Turns: their order, how many wait, and logins that are given up."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from restante.auth.turns import UNSUSPECTED_AT_ONCE, WAITING_PER_NETWORK, Turns
from restante.errors import TemporaryFailure
from unit.auth.scene import run, turns


class Scene:
    """Logins that take turns, each held until the test lets it go."""

    def __init__(self) -> None:
        self.networks = Turns()
        self.suspected = False
        self.running: list[str] = []
        self.finished: list[str] = []
        self._gates: dict[str, asyncio.Event] = {}

    def begin(
        self, name: str, network: str = "n", host: str = "", rank: int = 0
    ) -> "asyncio.Task[None]":
        self._gates[name] = asyncio.Event()
        return asyncio.create_task(self._log_in(name, network, host, rank))

    async def _log_in(self, name: str, network: str, host: str, rank: int) -> None:
        async with self.networks.turn(network, self._at_once, host, rank):
            self.running.append(name)
            try:
                await self._gates[name].wait()
            finally:
                self.running.remove(name)
        self.finished.append(name)

    def _at_once(self) -> int:
        return 1 if self.suspected else UNSUSPECTED_AT_ONCE

    async def let_go(self, name: str) -> None:
        self._gates[name].set()
        await turns()


def told(story: Callable[[Scene], Awaitable[None]]) -> None:
    async def work() -> None:
        scene = Scene()
        await story(scene)

    run(work())


def test_suspected_logins_of_a_network_take_turns_in_their_order() -> None:
    async def story(scene: Scene) -> None:
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
    async def story(scene: Scene) -> None:
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

    async def story(scene: Scene) -> None:
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
    async def story(scene: Scene) -> None:
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
    async def story(scene: Scene) -> None:
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
    async def story(scene: Scene) -> None:
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
    async def story(scene: Scene) -> None:
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
    async def story(scene: Scene) -> None:
        scene.suspected = True
        tasks = [scene.begin(str(number)) for number in range(WAITING_PER_NETWORK + 1)]
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
    async def story(scene: Scene) -> None:
        with pytest.raises(ValueError, match="fault"):
            async with scene.networks.turn("n", lambda: 1):
                raise ValueError("fault")
        assert scene.networks.is_idle("n")

    told(story)


def test_one_address_holds_up_its_neighbours_by_one_turn() -> None:
    async def story() -> None:
        networks, order = Turns(), list[str]()
        begin = asyncio.Event()

        async def log_in(host: str) -> None:
            async with networks.turn("192.0.2", lambda: 1, host):
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


def test_the_least_rank_comes_first() -> None:
    async def story(scene: Scene) -> None:
        scene.suspected = True
        ranks = {"runs": 2, "late": 2, "fresh": 1, "known": 0, "later": 2, "known too": 0}
        tasks = [scene.begin(name, host=name, rank=rank) for name, rank in ranks.items()]
        for name in ("runs", "known", "known too", "fresh", "late", "later"):
            await turns()
            assert scene.running == [name]
            await scene.let_go(name)
        await asyncio.gather(*tasks)

    told(story)


def test_a_full_queue_makes_room_for_somebody_better() -> None:
    """Or a few addresses that guess could keep all their neighbours out."""

    async def story(scene: Scene) -> None:
        scene.suspected = True
        tasks = {"0": scene.begin("0", host="a", rank=2)}
        for number in range(1, WAITING_PER_NETWORK + 1):
            host = "a" if number % 3 else "b"
            tasks[str(number)] = scene.begin(str(number), host=host, rank=2)
        await turns()
        better = scene.begin("better", host="c", rank=1)
        equal = scene.begin("equal", host="c", rank=2)
        await turns()
        sent_away = [name for name, task in tasks.items() if task.done()]
        assert sent_away == ["62", "64"], "the last of the one that has most"
        for name in sent_away:
            with pytest.raises(TemporaryFailure) as caught:
                await tasks.pop(name)
            assert caught.value.reason == "too many logins of this network wait"
        with pytest.raises(TemporaryFailure):
            await scene.begin("worse", host="a", rank=2)
        await scene.let_go("0")
        assert scene.running == ["better"]
        for task in [*tasks.values(), better, equal]:
            task.cancel()
        await asyncio.gather(*tasks.values(), better, equal, return_exceptions=True)
        assert scene.networks.is_idle("n")

    told(story)


@pytest.mark.parametrize("cancel_first", [False, True])
def test_one_who_is_sent_away_as_it_leaves_holds_nobody_up(cancel_first: bool) -> None:
    async def story(scene: Scene) -> None:
        scene.suspected = True
        tasks = [
            scene.begin(str(number), host="a", rank=2) for number in range(WAITING_PER_NETWORK + 1)
        ]
        await turns()
        if cancel_first:
            tasks[-1].cancel()
        better = scene.begin("better", host="b", rank=1)
        await asyncio.sleep(0)
        tasks[-1].cancel()
        await turns()
        await scene.let_go("0")
        assert scene.running == ["better"]
        await scene.let_go("better")
        assert scene.running == ["1"]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, better, return_exceptions=True)
        assert scene.networks.is_idle("n")

    told(story)

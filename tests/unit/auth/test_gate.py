"""The gate: who waits for whom, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from restante.auth.gate import Gate
from restante.auth.neighbourhood import parse_network
from restante.auth.options import ThrottleOptions
from restante.auth.throttle import Throttle
from restante.identity import TokenCredentials
from restante.secret import Secret
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import Clock, credentials, peer, run, turns

HERE, NEAR, FAR = "192.0.2.1", "192.0.2.77", "198.51.100.1"
FREE = ThrottleOptions().free_failures


class Scene:
    """A gate whose sleepers the test wakes, and logins that stay inside until they are let go."""

    def __init__(self, **settings: tuple[str, ...]) -> None:
        self.throttle = Throttle(ThrottleOptions(**settings), Clock())  # type: ignore[arg-type]
        self.log = RecordingLog()
        self.gate = Gate(self.throttle, self.log, self._sleep)
        self.slept: list[float] = []
        self.inside: list[str] = []
        self.passed: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._wake: list[asyncio.Event] = []
        self._out: dict[str, asyncio.Event] = {}
        self._number = 0

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._wake.append(asyncio.Event())
        await self._wake[-1].wait()

    def fail(self, address: str, account: str = "bob", times: int = 1) -> None:
        for _ in range(times):
            self._number += 1
            self.throttle.failed(address, account, b"wrong %d" % self._number)

    def come(
        self, address: str, account: str = "bob", *, token: bool = False
    ) -> "asyncio.Task[None]":
        name = f"{account}@{address}"
        self._out[name] = asyncio.Event()

        shown = TokenCredentials(account, Secret(b"x"), "XOAUTH2")
        proof = shown if token else credentials(account, "x")

        async def log_in() -> None:
            async with self.gate.passed(account, proof, peer(address)):
                self.inside.append(name)
                try:
                    await self._out[name].wait()
                finally:
                    self.inside.remove(name)
            self.passed.append(name)

        self.tasks.append(asyncio.create_task(log_in()))
        return self.tasks[-1]

    async def wake(self) -> None:
        """Let all delays be over that have begun."""
        for each in self._wake:
            each.set()
        await turns(10)

    async def let_go(self, name: str) -> None:
        self._out[name].set()
        await turns(10)


def told(story: Callable[[Scene], Awaitable[None]], **settings: tuple[str, ...]) -> None:
    async def work() -> None:
        scene = Scene(**settings)
        await story(scene)
        for task in scene.tasks:
            task.cancel()
        await asyncio.gather(*scene.tasks, return_exceptions=True)
        for turns_of_a_kind in scene.gate._queues.values():
            assert [kind._queues for kind in turns_of_a_kind] == [{}, {}]
        assert scene.gate._sleeping == {}

    run(work())


def test_nobody_waits_at_first() -> None:
    async def story(scene: Scene) -> None:
        for number in range(4):
            scene.come(f"192.0.2.{number}", f"user{number}")
        await turns()
        assert len(scene.inside) == 4
        assert scene.slept == []

    told(story)


def test_what_is_judged_elsewhere_holds_up_no_password() -> None:
    """threats: A11"""

    async def story(scene: Scene) -> None:
        for number in range(100):
            scene.come(HERE, f"token{number}", token=True)
        await turns()
        assert len(scene.inside) == 100
        scene.come(NEAR, "bob")
        await turns()
        assert scene.inside[-1] == f"bob@{NEAR}"

    told(story)


def test_delayed_tokens_hold_up_no_delayed_password() -> None:
    async def story(scene: Scene) -> None:
        scene.fail(HERE, times=FREE + 1)
        scene.come(HERE, "token1", token=True)
        scene.come(HERE, "token2", token=True)
        await turns(10)
        assert len(scene.slept) == 1
        await scene.wake()
        scene.come(HERE, "bob")
        await turns(10)
        await scene.wake()
        assert scene.inside == [f"token1@{HERE}", f"bob@{HERE}"]

    told(story)


def test_delayed_logins_of_a_network_wait_one_after_the_other() -> None:
    """threats: A3"""

    async def story(scene: Scene) -> None:
        scene.fail(HERE, times=FREE + 1)
        tasks = [scene.come(HERE, f"user{number}") for number in range(3)]
        await turns(10)
        assert scene.slept == [2.0]
        for number in range(3):
            await scene.wake()
            assert scene.inside == [f"user{number}@{HERE}"]
            assert len(scene.slept) == number + 1
            scene.fail(HERE)
            await scene.let_go(f"user{number}@{HERE}")
        assert scene.slept == [2.0, 4.0, 8.0]
        await asyncio.gather(*tasks)

    told(story)


def test_who_is_not_delayed_does_not_wait_for_those_who_are() -> None:
    """However many of its neighbours guess."""

    async def story(scene: Scene) -> None:
        for number in range(2):
            scene.fail(f"192.0.2.{number + 100}", f"user{number}", times=FREE + 1)
            scene.come(f"192.0.2.{number + 100}", "victim")
        await turns(10)
        assert scene.slept == [2.0]
        scene.come(NEAR, "alice")
        await turns(10)
        assert scene.inside == [f"alice@{NEAR}"]

    told(story)


def test_who_lives_in_an_attacked_network_waits_for_one_hash_at_the_most() -> None:
    """threats: A3"""

    async def story(scene: Scene) -> None:
        scene.throttle.succeeded(NEAR, "alice")
        for number in range(50):
            address = f"192.0.2.{number + 100}"
            scene.fail(address, f"user{number}", times=FREE + 1)
            scene.come(address, f"user{number}")
        await turns(10)
        await scene.wake()
        assert len(scene.inside) == 1
        first = scene.inside[0]
        scene.come(NEAR, "alice")
        await turns(10)
        assert scene.inside == [first]
        await scene.let_go(first)
        assert scene.inside == [f"alice@{NEAR}"]

    told(story)


def test_a_stranger_in_an_attacked_network_waits_for_one_delay_besides_its_own() -> None:
    async def story(scene: Scene) -> None:
        for number in range(30):
            address = f"192.0.2.{number + 100}"
            scene.fail(address, f"user{number}", times=FREE + 1)
            scene.come(address, f"user{number}")
        await turns(10)
        scene.come(NEAR, "alice")
        await turns(10)
        assert len(scene.slept) == 1
        await scene.wake()
        first = scene.inside[0]
        scene.fail("192.0.2.100")
        await scene.let_go(first)
        assert len(scene.slept) == 2
        await scene.wake()
        assert scene.inside == [f"alice@{NEAR}"]

    told(story)


def test_a_burst_before_the_first_failure_gains_nothing() -> None:
    async def story(scene: Scene) -> None:
        names = [f"user{number}" for number in range(20)]
        for name in names:
            scene.come(HERE, name)
        await turns(10)
        assert len(scene.inside) == 4
        for name in names[:4]:
            scene.fail(HERE, name)
            await scene.let_go(f"{name}@{HERE}")
        assert scene.inside == []
        assert scene.slept == [2.0], "the others have to wait, one after the other"

    told(story)


def test_two_behind_a_gateway_do_not_wait_for_each_other() -> None:
    async def story(scene: Scene) -> None:
        scene.fail("10.0.0.1", "bob", times=FREE + 1)
        scene.come("10.0.0.1", "bob")
        scene.come("10.0.0.1", "alice")
        await turns(10)
        assert scene.inside == ["alice@10.0.0.1"]
        assert scene.slept == [2.0]

    told(story, gateways=("10.0.0.0/8",))


def test_whoever_is_forgiven_goes_on_at_once() -> None:
    async def story(scene: Scene) -> None:
        scene.fail(HERE, "bob", times=FREE + 1)
        scene.fail(FAR, "eve", times=FREE + 1)
        scene.come(HERE, "alice")
        scene.come(FAR, "carol")
        await turns(10)
        assert scene.slept == [2.0, 2.0]
        assert scene.gate.forgive(parse_network("192.0.2.0/24")) == 2
        await turns(10)
        assert scene.inside == [f"alice@{HERE}"]
        assert scene.slept == [2.0] * 2, "whoever is not waits on"
        assert scene.gate.forgive_all() == 4
        await turns(10)
        assert len(scene.inside) == 2

    told(story)


def test_a_delay_is_logged_with_what_it_is_for() -> None:
    async def story(scene: Scene) -> None:
        scene.fail(HERE, times=FREE + 1)
        scene.come(HERE, "al ice\r\n")
        await turns(10)
        assert scene.log.events == [
            (
                Event.AUTH_DELAYED,
                {
                    "rip": HERE,
                    "session": "session-1",
                    "mech": "PLAIN",
                    "seconds": 2.0,
                    "reason": "address",
                    "user": "al ice\r\n",
                },
            )
        ]

    told(story)


@pytest.mark.parametrize("asleep", [True, False])
def test_a_delayed_login_that_is_given_up_holds_nobody_up(asleep: bool) -> None:
    async def story(scene: Scene) -> None:
        scene.fail(HERE, times=FREE + 1)
        tasks = [scene.come(HERE, f"user{number}") for number in range(3)]
        await turns(10)
        tasks[0 if asleep else 1].cancel()
        with suppress(asyncio.CancelledError):
            await tasks[0 if asleep else 1]
        await turns(10)
        await scene.wake()
        assert scene.inside == [f"user{1 if asleep else 0}@{HERE}"]

    told(story)

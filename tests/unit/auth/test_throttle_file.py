"""What the throttle remembers over a restart, and what is never written down."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from restante.auth import throttle_file
from restante.auth.options import ThrottleOptions
from restante.auth.throttle import ACCOUNT_FACTOR, Throttle
from restante.auth.throttle_file import FILE_NAME, ThrottleFile
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import Clock, run, turns

HERE, NEAR, FAR = "192.0.2.1", "192.0.2.77", "198.51.100.1"
FREE = ThrottleOptions().free_failures


class Process:
    """One life of the auth process, as far as the throttle goes."""

    def __init__(
        self, state: Path, *, now: float = 5_000.0, wall: float = 2e9, **settings: Any
    ) -> None:
        (state / "auth").mkdir(exist_ok=True)
        self.clock, self.wall, self.log = Clock(), Clock(), RecordingLog()
        self.clock.now, self.wall.now = now, wall
        self.throttle = Throttle(ThrottleOptions(**settings), self.clock)
        self.file = ThrottleFile(
            state,
            self.throttle,
            self.log,
            clock=self.clock,
            wall_clock=self.wall,
            sleep=self._sleep,
        )
        self.file.load()
        self.ticks: asyncio.Queue[None] = asyncio.Queue()
        self._number = 0

    async def _sleep(self, seconds: float) -> None:
        assert seconds == throttle_file.INTERVAL_SECONDS
        await self.ticks.get()

    def fail(self, address: str, account: str = "bob", times: int = 1, *, exists: bool = True):  # type: ignore[no-untyped-def]
        for _ in range(times):
            self._number += 1
            self.throttle.failed(address, account, b"wrong %d" % self._number, exists=exists)

    def held(self) -> dict[tuple[str, str], int]:
        return {(each.kind, each.name): each.failures for each in self.throttle.held()}


def test_failures_and_successes_outlive_a_restart(tmp_path: Path) -> None:
    """threats: A3"""
    first = Process(tmp_path, gateways=("10.0.0.0/8",))
    first.fail(HERE, "bob", FREE + 2)
    first.fail("2001:db8:1:2::3", "alice", 20)
    first.fail("10.1.2.3", "carol", FREE + 1)
    first.throttle.succeeded(FAR, "alice")
    first.throttle.succeeded("2001:db8:9::9", "bob")
    first.file.save()
    # Another boot: the clock that only goes on begins anew.
    second = Process(tmp_path, now=17.0, wall=first.wall.now + 10, gateways=("10.0.0.0/8",))
    assert second.log.events == []
    assert (
        second.held().items()
        >= {
            ("address", "192.0.2.1"): FREE + 2,
            ("network", "192.0.2.0/24"): FREE + 2,
            ("account", "bob"): FREE + 2,
            ("address", "2001:db8:1:2::/64"): 20,
            ("credential", "10.1.2.3 carol"): FREE + 1,
            ("all", ""): FREE + 2 + 20 + FREE + 1,
        }.items()
    )
    assert second.throttle.delay(HERE, "dave") == first.throttle.delay(HERE, "dave") == 4.0
    assert second.throttle.delay("203.0.113.1", "alice") == 15.0
    assert second.throttle.delay(FAR, "alice") == 0.0, "it logged in from there"
    assert second.throttle.rank("2001:db8:9::9", "bob") == 0
    assert second.throttle.suspects(NEAR)


def test_what_is_too_old_is_forgotten_over_a_restart(tmp_path: Path) -> None:
    first = Process(tmp_path)
    first.fail(HERE, times=20)
    first.throttle.succeeded(FAR, "alice")
    first.file.save()
    second = Process(tmp_path, now=17.0, wall=first.wall.now + 901)
    assert second.throttle.delay(HERE, "bob") == 0.0
    assert second.throttle.rank(FAR, "alice") == 0
    third = Process(tmp_path, now=17.0, wall=first.wall.now + 86_401)
    assert third.throttle.rank(FAR, "alice") == 1


def test_a_clock_that_was_set_back_makes_nothing_last_for_ever(tmp_path: Path) -> None:
    first = Process(tmp_path)
    first.fail(HERE, times=20)
    first.file.save()
    second = Process(tmp_path, wall=first.wall.now - 1e8)
    assert second.throttle.delay(HERE, "bob") == 15.0
    second.clock.now += 901
    assert second.throttle.delay(HERE, "bob") == 0.0


def test_no_secret_is_written_and_nothing_to_guess_one_by(tmp_path: Path) -> None:
    """threats: A3, promise 5"""
    process = Process(tmp_path)
    process.throttle.failed(HERE, "bob", b"kanarienvogel", exists=True)
    process.throttle.failed(HERE, "rotkehlchen", b"x", exists=False)
    process.file.save()
    written = (tmp_path / FILE_NAME).read_text()
    assert "kanarienvogel" not in written
    assert "rotkehlchen" not in written, "a password typed in the place of the name"
    document = json.loads(written)
    assert set(document) == {"version", "level", "failures", "successes"}
    for key, count, at in document["failures"]:
        assert key in ("a192.0.2.1", "n192.0.2", "ubob", "*")
        assert type(count) is int
        assert at == process.wall.now
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_after_a_restart_a_delay_does_not_tell_who_exists(tmp_path: Path) -> None:
    """threats: A1, A2, A3"""
    first = Process(tmp_path)
    for number in range(ACCOUNT_FACTOR * FREE + 3):
        first.fail(f"203.0.{number}.1", "bob")
        first.fail(f"203.0.{number}.1", "nobody", exists=False)
    before = first.throttle.delay(FAR, "bob")
    assert before == first.throttle.delay(FAR, "nobody") > 0
    first.throttle.succeeded(NEAR, "alice")
    first.file.save()
    second = Process(tmp_path)
    for name in ("bob", "nobody", "somebody", "alice"):
        assert second.throttle.delay(FAR, name) == before, name
        assert not second.throttle.lets_by(FAR, name)
    assert second.throttle.delay(NEAR, "alice") == 0.0
    assert second.throttle.lets_by(NEAR, "alice")
    # It goes on over another restart, and is over when the failures are.
    second.file.save()
    third = Process(tmp_path, wall=first.wall.now + 900)
    assert third.throttle.delay(FAR, "nobody") == before
    third.clock.now += 1
    assert third.throttle.delay(FAR, "nobody") == 0.0
    assert third.throttle.lets_by(FAR, "nobody")


def test_the_file_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle_file, "ENTRIES_KEPT", 300)
    process = Process(tmp_path)
    for number in range(2_000):
        address = f"203.{number >> 8}.{number & 255}.1"
        process.fail(address, "x" * 250)
        process.throttle.succeeded(address, f"user{number}")
    process.file.save()
    assert (tmp_path / FILE_NAME).stat().st_size < 60_000
    again = Process(tmp_path)
    assert again.throttle.rank("203.7.207.1", "user1999") == 0, "the newest are kept"
    assert again.throttle.rank("203.0.1.1", "user1") == 1


def test_what_was_half_written_does_not_stay(tmp_path: Path) -> None:
    first = Process(tmp_path)
    first.fail(HERE)
    first.file.save()
    (tmp_path / "auth" / "throttle.json.4711.new").write_text("{")
    (tmp_path / "auth" / "accounts.new").write_text("{")
    Process(tmp_path)
    names = sorted(path.name for path in (tmp_path / "auth").iterdir())
    assert names == ["accounts.new", "throttle.json", "throttle.owner"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no JSON",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"version": 2, "level": 0, "failures": [], "successes": []}',
        b'{"version": 1, "level": 0, "failures": {}, "successes": []}',
        b'{"version": 1, "level": null, "failures": [], "successes": []}',
        b'{"version": 1, "level": NaN, "failures": [], "successes": []}',
        b'{"version": 1, "level": 0, "failures": [1], "successes": []}',
        b'{"version": 1, "level": 0, "failures": [["x1", 1, 1]], "successes": []}',
        b'{"version": 1, "level": 0, "failures": [["aggg", 1, 1]], "successes": []}',
        b'{"version": 1, "level": 0, "failures": [[1, 1, 1]], "successes": []}',
        b'{"version": 1, "level": 0, "failures": [["ubob", true, 1]], "successes": []}',
        b'{"version": 1, "level": 0, "failures": [["ubob", 0, 1]], "successes": []}',
        b'{"version": 1, "level": 0, "failures": [["ubob", 1, "x"]], "successes": []}',
        b'{"version": 1, "level": 0, "failures": [], "successes": [["192.0.2.1", 1, 1]]}',
        b'{"version": 1, "level": 0, "failures": [], "successes": [["?", "bob", 1]]}',
        b"\xff",
    ],
)
def test_a_file_of_somebody_else_is_no_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "auth").mkdir()
    (tmp_path / FILE_NAME).write_bytes(content)
    process = Process(tmp_path)
    (warning,) = process.log.named(Event.WARNING)
    assert str(warning["reason"]).startswith("throttle file: nothing is known from before: ")
    assert process.held() == {}
    process.fail(HERE)
    process.file.save()
    assert Process(tmp_path).log.events == []


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    process = Process(tmp_path)
    (tmp_path / FILE_NAME).mkdir()
    process.fail(HERE)
    for _ in range(3):
        process.file.save()
    assert len(process.log.named(Event.WARNING)) == 1


def test_the_newer_of_two_processes_has_the_file(tmp_path: Path) -> None:
    """After a reload the older one serves its sessions on, and ends long after."""
    older = Process(tmp_path)
    older.fail(HERE, times=FREE + 1)
    older.file.save()
    newer = Process(tmp_path)
    newer.fail(FAR, "alice", times=FREE + 1)
    newer.file.save()
    older.file.save()
    assert Process(tmp_path).throttle.delay(FAR, "x") > 0


def keeping(story: Callable[[Process], Any], process: Process) -> None:
    async def told() -> None:
        task = asyncio.create_task(process.file.keep())
        await story(process)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(told())


async def tick(process: Process) -> None:
    process.ticks.put_nowait(None)
    while not process.ticks.empty():
        await asyncio.sleep(0)
    await turns(10)


def test_it_is_written_when_something_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(tmp_path)
    saved: list[dict[str, Any]] = []
    monkeypatch.setattr(process.file, "_save", saved.append)

    async def story(process: Process) -> None:
        async def wait_for(count: int) -> None:
            while len(saved) < count:
                await asyncio.sleep(0)

        await tick(process)
        assert saved == []
        process.fail(HERE)
        await tick(process)
        await wait_for(1)
        await tick(process)
        assert len(saved) == 1
        process.throttle.forgive_all()
        await tick(process)
        await wait_for(2)
        assert saved[1]["failures"] == []
        process.throttle.succeeded(HERE, "bob")
        await tick(process)
        assert len(saved) == 2, "successes alone can wait"
        process.clock.now += throttle_file.SUCCESSES_INTERVAL_SECONDS
        await tick(process)
        await wait_for(3)
        assert [row[:2] for row in saved[2]["successes"]] == [(HERE, "bob")]

    keeping(story, process)

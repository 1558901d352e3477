"""Last uses: noted without a wait, written in batches, and of no weight when they are lost."""

import asyncio
import os
import stat
import threading
from pathlib import Path

import pytest

from restante.auth.devices import uses
from restante.auth.devices.uses import DeviceUses, Use
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import PATIENCE_SECONDS, Clock, run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "device-uses.sqlite"


@pytest.fixture
def log() -> RecordingLog:
    return RecordingLog()


def test_the_last_use_is_kept(path: Path, log: RecordingLog) -> None:
    async def scene() -> None:
        noted = DeviceUses(path, log, Clock())
        noted.note(7, "192.0.2.1", "USER")
        noted.note(7, "192.0.2.2", "PLAIN")
        noted.note(8, "2001:db8::1", "APOP")
        await noted.close()

    run(scene())
    assert uses.read(path, [7, 8, 9]) == {
        7: Use(1_000, "192.0.2.2", "PLAIN"),
        8: Use(1_000, "2001:db8::1", "APOP"),
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert log.events == []


def test_nothing_is_written_by_the_login_itself(
    path: Path, log: RecordingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what comes while a slow disk is busy waits for the next batch."""
    monkeypatch.setattr(uses, "BATCH_SECONDS", 0.0)
    begun, go_on = threading.Event(), threading.Event()
    batches: list[dict[int, Use]] = []

    def slow(where: Path, batch: dict[int, Use]) -> None:
        batches.append(batch)
        begun.set()
        assert go_on.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(uses, "write", slow)

    async def scene() -> None:
        noted = DeviceUses(path, log)
        noted.note(7, "192.0.2.1", "USER")
        assert not batches
        await asyncio.to_thread(begun.wait, PATIENCE_SECONDS)
        for number in range(100):
            noted.note(number, "192.0.2.1", "USER")
        await asyncio.sleep(0)
        assert len(batches) == 1
        go_on.set()
        await noted.close()

    run(scene())
    assert [len(batch) for batch in batches] == [1, 100]


def test_memory_is_bounded(path: Path, log: RecordingLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uses, "MAXIMUM_WAITING", 3)

    async def scene() -> None:
        noted = DeviceUses(path, log, Clock())
        for number in (1, 2, 3, 4, 5, 1):
            noted.note(number, f"192.0.2.{number}", "USER")
        await noted.close()

    run(scene())
    assert sorted(uses.read(path, range(10))) == [1, 2, 3]


def test_a_disk_that_fails_is_said_once(path: Path, log: RecordingLog) -> None:
    async def scene() -> None:
        noted = DeviceUses(path.parent / "absent" / "file", log)
        for _ in range(3):
            noted.note(7, "192.0.2.1", "USER")
            await noted.close()

    run(scene())
    (warning,) = log.named(Event.WARNING)
    assert str(warning["reason"]).startswith("last uses of devices: ")


def test_a_damaged_file_is_begun_anew(path: Path, log: RecordingLog) -> None:
    path.write_bytes(b"no database" * 1_000)
    assert uses.read(path, [7]) == {}

    async def scene() -> None:
        noted = DeviceUses(path, log, Clock())
        noted.note(7, "192.0.2.1", "USER")
        await noted.close()

    run(scene())
    assert sorted(uses.read(path, [7])) == [7]


def test_who_is_gone_is_forgotten(path: Path) -> None:
    use = Use(1, "192.0.2.1", "USER")
    uses.write(path, {7: use, 8: use})
    uses.forget(path, [7])
    assert uses.read(path, [7, 8]) == {8: use}


def test_reading_and_forgetting_make_no_file(path: Path) -> None:
    assert uses.read(path, [7]) == {}
    uses.forget(path, [7])
    assert os.listdir(path.parent) == []

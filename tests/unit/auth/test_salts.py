"""Salts that outlive a restart, and a bound on those asked for in vain."""

import stat
from pathlib import Path

import pytest

from restante.auth.salts import FILE_NAME, UNPROVED_AT_ONCE, Salts, Unproved
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import Clock

SHA256 = "SCRAM-SHA-256"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "auth").mkdir()
    return tmp_path


def test_salts_outlive_a_restart(state: Path) -> None:
    """conformance: 5802-S-14"""
    log = RecordingLog()
    first = Salts(state, log).salt("bob", SHA256)
    assert Salts(state, log).salt("bob", SHA256) == first
    assert stat.S_IMODE((state / FILE_NAME).stat().st_mode) == 0o600
    (state / FILE_NAME).unlink()
    assert Salts(state, log).salt("bob", SHA256) != first
    assert log.events == []


@pytest.mark.parametrize("damage", [b"", b"kanarienvogel"])
def test_a_damaged_key_is_told_and_left_alone(state: Path, damage: bytes) -> None:
    (state / FILE_NAME).write_bytes(damage)
    log = RecordingLog()
    salts = Salts(state, log)
    assert salts.salt("bob", SHA256) == salts.salt("bob", SHA256)
    ((event, fields),) = log.events
    assert event is Event.WARNING
    assert "the key of the salts is damaged" in str(fields["reason"])
    assert (state / FILE_NAME).read_bytes() == damage


def test_without_a_folder_there_are_salts_all_the_same(tmp_path: Path) -> None:
    log = RecordingLog()
    salts = Salts(tmp_path / "nowhere", log)
    assert salts.salt("bob", SHA256) == salts.salt("bob", SHA256)
    assert len(log.events) == 1
    assert not (tmp_path / "nowhere").exists()


def test_who_logs_in_may_ask_for_ever() -> None:
    unproved = Unproved(Clock())
    for _ in range(3 * UNPROVED_AT_ONCE):
        assert unproved.ask("192.0.2.1")
        unproved.prove("192.0.2.1")
    assert len(unproved) == 0


def test_who_does_not_is_bounded_and_nobody_else_is() -> None:
    clock = Clock()
    unproved = Unproved(clock)
    assert all(unproved.ask("192.0.2.1") for _ in range(UNPROVED_AT_ONCE))
    assert not unproved.ask("192.0.2.1")
    assert unproved.ask("192.0.2.2")
    unproved.prove("192.0.2.1")
    assert unproved.ask("192.0.2.1")
    assert not unproved.ask("192.0.2.1")
    clock.now += 1
    assert [unproved.ask("192.0.2.1") for _ in range(102)] == [True] * 100 + [False] * 2
    clock.now += 3_600
    assert all(unproved.ask("192.0.2.1") for _ in range(UNPROVED_AT_ONCE))
    assert not unproved.ask("192.0.2.1")

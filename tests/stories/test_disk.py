"""A disk that is full, or read-only: mail can be read, and nothing is promised that is not so.

Threat S2, on real file systems.
"""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from restante.errors import TemporaryFailure, UpdateIncomplete
from restante.identity import Identity
from restante.stores.maildir import MaildirStore
from restante.stores.options import MailOptions
from restante.telemetry import Event, RecordingLog
from restante.testing.stores import read
from stories.loop_disk import LoopDisk, memory_disk, mounted

ALICE = Identity("alice", "test", None)
MESSAGE = b"Subject: x\n\n" + b"line\n" * 100
WIRE = MESSAGE.replace(b"\n", b"\r\n")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[LoopDisk]:
    """A small ext4 with 64 inodes."""
    with mounted(tmp_path, "ext4", 8, "-N", "64") as made:
        yield made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory on a disk that is well."""
    return tmp_path / "state"


def open_store(disk: Path, state: Path, log: RecordingLog | None = None) -> MaildirStore:
    options = MailOptions(path=f"{disk}/{{name}}", state_directory=state)
    return MaildirStore(options, log or RecordingLog())


def fill(disk: Path) -> None:
    """Leave no block free."""
    with (disk / "filling").open("wb", buffering=0) as file:
        for octets in (1 << 20, 4_096, 1):
            try:
                while True:
                    file.write(b"x" * octets)
                    os.fsync(file.fileno())
            except OSError:
                continue


def deposit(store: MaildirStore, count: int) -> list[bytes]:
    return [store.deposit(ALICE, BytesIO(MESSAGE)) for _ in range(count)]


def shown(store: MaildirStore) -> list[bytes]:
    """Read every message of a session and return the unique-ids."""
    maildrop = store.open(ALICE)
    numbers = range(1, maildrop.listing.count + 1)
    for number in numbers:
        assert maildrop.listing.size(number) == len(WIRE)
        assert read(maildrop.open_message(number)) == WIRE
    ids = [maildrop.listing.unique_id(number) for number in numbers]
    maildrop.close()
    return ids


@pytest.mark.parametrize("known", [True, False])
def test_a_full_disk_can_be_read_from_and_emptied(disk: LoopDisk, state: Path, known: bool) -> None:
    store = open_store(disk.path, state)
    given = deposit(store, 5)
    if known:
        assert shown(store) == given
        given += deposit(store, 1)
    fill(disk.path)
    for _ in range(2):
        assert shown(store) == given
        store = open_store(disk.path, state)
    with pytest.raises(TemporaryFailure):
        store.deposit(ALICE, BytesIO(MESSAGE * 1_000))
    assert not list((disk.path / "alice" / "tmp").iterdir())
    maildrop = store.open(ALICE)
    maildrop.remove([1, 3])
    maildrop.close()
    left = [unique_id for at, unique_id in enumerate(given) if at not in (0, 2)]
    assert shown(store) == left
    (disk.path / "filling").unlink()
    assert shown(open_store(disk.path, state)) == left


def test_a_disk_without_inodes_can_be_read_from(disk: LoopDisk, state: Path) -> None:
    store = open_store(disk.path, state)
    given = deposit(store, 3)
    for number in range(100):
        try:
            (disk.path / f"filling-{number}").touch()
        except OSError:
            break
    else:
        raise AssertionError("there are inodes left")
    assert shown(store) == given
    with pytest.raises(TemporaryFailure):
        store.deposit(ALICE, BytesIO(MESSAGE))


@pytest.mark.parametrize("known", [True, False])
def test_a_read_only_disk_can_be_read_from(disk: LoopDisk, state: Path, known: bool) -> None:
    store = open_store(disk.path, state)
    given = deposit(store, 4)
    if known:
        assert shown(store) == given
    disk.remount("ro")
    log = RecordingLog()
    for _ in range(2):
        store = open_store(disk.path, state, log)
        assert shown(store) == given
    # What is recorded is all there is to know: then nothing needs writing.
    assert [event for event, _ in log.events] == ([] if known else [Event.WARNING] * 2)
    maildrop = store.open(ALICE)
    with pytest.raises(UpdateIncomplete) as failure:
        maildrop.remove([1, 2])
    assert failure.value.remaining == 2
    maildrop.close()
    with pytest.raises(TemporaryFailure):
        store.deposit(ALICE, BytesIO(MESSAGE))
    assert shown(store) == given
    disk.remount("rw")
    assert shown(open_store(disk.path, state)) == given


def test_a_read_only_disk_with_a_change_cut_short(disk: LoopDisk, state: Path) -> None:
    """A hot journal beside the catalogue cannot be taken back there: the mail is served."""
    store = open_store(disk.path, state)
    given = deposit(store, 3)
    assert shown(store) == given
    journal = disk.path / "alice" / "restante.catalogue-journal"
    journal.write_bytes(
        bytes.fromhex("d9d505f920a163d7")
        + b"\0\0\0\1"
        + bytes(4)
        + b"\0\0\0\5"
        + b"\0\0\2\0"
        + b"\0\0\x10\0"
        + bytes(484)
        + b"\0\0\0\1"
        + bytes(4_096)
        + bytes(4)
    )
    disk.remount("ro")
    assert shown(open_store(disk.path, state)) == given
    disk.remount("rw")
    assert shown(open_store(disk.path, state)) == given


def test_a_lock_that_cannot_be_taken_is_a_temporary_failure(disk: LoopDisk) -> None:
    state = disk.path / "state"
    store = open_store(disk.path, state)
    deposit(store, 1)
    disk.remount("ro")
    with pytest.raises(TemporaryFailure):
        store.open(ALICE)
    disk.remount("rw")
    assert len(shown(store)) == 1
    store.close()


@pytest.mark.parametrize("options", ["size=256k", "nr_inodes=14"])
def test_a_full_disk_in_memory(tmp_path: Path, state: Path, options: str) -> None:
    with memory_disk(tmp_path, options) as path:
        store = open_store(path, state)
        given = deposit(store, 3)
        if options.startswith("size"):
            fill(path)
        else:
            deposit(store, 1)
            given = sorted(given) + shown(store)[3:]
            for number in range(20):
                try:
                    (path / f"filling-{number}").touch()
                except OSError:
                    break
        assert shown(open_store(path, state)) == given
        maildrop = store.open(ALICE)
        maildrop.remove([1])
        maildrop.close()
        assert shown(open_store(path, state)) == given[1:]

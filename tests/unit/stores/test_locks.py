"""Locks exclude other sessions of this process and of others, and die with their holder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from restante.errors import MaildropInUse, TemporaryFailure
from restante.stores.locks import Locks, absent_key, device_of, inode_of, lock_key

HOLD = """
import sys
from pathlib import Path
from restante.stores.locks import Locks, lock_key
locks = Locks(Path(sys.argv[1]))
locks.acquire(lock_key(1, 2))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locks(tmp_path: Path) -> Locks:
    return Locks(tmp_path / "locks")


def test_a_lock_is_held_once(locks: Locks) -> None:
    locks.acquire(lock_key(1, 2))
    with pytest.raises(MaildropInUse):
        locks.acquire(lock_key(1, 2))
    locks.acquire(lock_key(1, 3))
    locks.acquire(lock_key(2, 2))
    locks.release(lock_key(1, 2))
    locks.acquire(lock_key(1, 2))


def test_giving_back_what_is_not_held_gives_nothing(locks: Locks, tmp_path: Path) -> None:
    other = Locks(tmp_path / "locks")
    other.acquire(lock_key(1, 2))
    locks.release(lock_key(1, 2))
    with pytest.raises(MaildropInUse):
        locks.acquire(lock_key(1, 2))


def test_another_process_holds_it_until_it_dies(locks: Locks, tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "locks")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(MaildropInUse):
            locks.acquire(lock_key(1, 2))
        holder.kill()
        holder.wait(20)
    locks.acquire(lock_key(1, 2))


def test_without_a_directory_this_process_alone_is_kept_out() -> None:
    locks = Locks(None)
    locks.acquire(lock_key(1, 2))
    with pytest.raises(MaildropInUse):
        locks.acquire(lock_key(1, 2))
    Locks(None).acquire(lock_key(1, 2))


def test_ten_thousand_locks_take_256_descriptors(locks: Locks, tmp_path: Path) -> None:
    for inode in range(10_000):
        locks.acquire(lock_key(7, inode))
    names = [os.readlink(f"/proc/self/fd/{number}") for number in _descriptors()]
    assert len([name for name in names if name.startswith(str(tmp_path))]) <= 256
    for inode in range(10_000):
        locks.release(lock_key(7, inode))


def test_no_two_maildrops_of_some_devices_share_a_place(tmp_path: Path) -> None:
    # One description would not exclude itself: somebody else has to ask.
    locks, other = Locks(tmp_path / "locks"), Locks(tmp_path / "locks")
    keys = [lock_key(device, inode) for device in (1, 2, 2_049, 65_024) for inode in range(2, 200)]
    for held in keys[::2]:
        locks.acquire(held)
    for free in keys[1::2]:
        other.acquire(free)
    other.acquire(absent_key(b"/var/vmail/nobody"))
    for held in keys[::2]:
        with pytest.raises(MaildropInUse):
            other.acquire(held)
    locks.close()
    other.close()


def test_a_key_tells_device_and_inode() -> None:
    key = lock_key(2_049, (1 << 64) - 1)
    assert (device_of(key), inode_of(key)) == (2_049, (1 << 64) - 1)
    assert device_of(absent_key(b"/var/vmail/nobody")) == 0


def _descriptors() -> list[str]:
    return [name for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")]


def test_a_lock_that_cannot_be_taken_is_a_temporary_failure(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("no folder")
    locks = Locks(tmp_path / "locks")
    with pytest.raises(TemporaryFailure):
        locks.acquire(lock_key(1, 2))
    (tmp_path / "locks").unlink()
    locks.acquire(lock_key(1, 2))


def test_closing_gives_everything_back(locks: Locks, tmp_path: Path) -> None:
    key = lock_key(1, 2)
    locks.acquire(key)
    locks.close()
    other = Locks(tmp_path / "locks")
    other.acquire(key)
    locks.release(key)
    with pytest.raises(MaildropInUse):
        locks.acquire(key)

"""Locks of maildrops: exclusive, never waited for, gone with whoever held them.

A maildrop's lock is one octet in one of 256 files, chosen by the device and inode of its folder,
so that two paths to it are one lock. It belongs to an open file description and dies with the
process; ten thousand of them cost 256 descriptors. Within a process a set says the same at once,
because locks of one description do not exclude each other.
"""

import fcntl
import os
import struct
from hashlib import blake2b
from pathlib import Path

from restante.errors import MaildropInUse, TemporaryFailure

_SET_LOCK = fcntl.F_OFD_SETLK
_FLOCK = struct.Struct("hhqqi")
"""struct flock: type, whence, start, length, pid."""

Key = int
"""What stands for one maildrop: the inode of its folder and, above that, the device."""
_DEVICE_SHIFT = 64
_INODE = (1 << _DEVICE_SHIFT) - 1
_PLACES = 0xC96C5795D7870F43
"""Places for locks: far more than a device has inodes, so that no two of these come to the same;
and of no simple ratio to 2**64, so that no two of different devices do."""
_FILES = 256


def lock_key(device: int, inode: int) -> Key:
    """Return the key of a folder, the same for every path to it."""
    return device << _DEVICE_SHIFT | inode


def inode_of(key: Key) -> int:
    """Return the inode of the folder that a key stands for."""
    return key & _INODE


def device_of(key: Key) -> int:
    """Return the device of the folder that a key stands for; 0: it does not exist yet."""
    return key >> _DEVICE_SHIFT


def absent_key(path: bytes) -> Key:
    """Return what a folder is locked by that does not exist yet: no device has number 0."""
    return lock_key(0, int.from_bytes(blake2b(path, digest_size=8).digest(), "big"))


class Locks:
    """The locks that this process holds."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        # As a set, with None for every member: a set leaves far more of its room empty.
        self._held: dict[Key, None] = {}
        self._files: dict[int, int] = {}

    def acquire(self, key: Key) -> None:
        """Take a lock.

        Raises:
            MaildropInUse: somebody holds it.
            TemporaryFailure: it cannot be taken.
        """
        if key in self._held:
            raise MaildropInUse
        if self._directory is not None:
            self._set(key, fcntl.F_WRLCK)
        self._held[key] = None

    def release(self, key: Key) -> None:
        """Give a lock back; one that is not held is none."""
        if key not in self._held:
            return
        del self._held[key]
        if self._directory is not None:
            self._set(key, fcntl.F_UNLCK)

    def close(self) -> None:
        """Give everything back."""
        self._held.clear()
        while self._files:
            _, descriptor = self._files.popitem()
            os.close(descriptor)

    def _set(self, key: Key, kind: int) -> None:
        octet, number = divmod(key % _PLACES, _FILES)
        try:
            descriptor = self._files.get(number)
            if descriptor is None:
                descriptor = self._file(number)
            lock = _FLOCK.pack(kind, os.SEEK_SET, octet, 1, 0)
            fcntl.fcntl(descriptor, _SET_LOCK, lock)
        except BlockingIOError:
            raise MaildropInUse from None
        except OSError as error:
            raise TemporaryFailure from error

    def _file(self, number: int) -> int:
        assert self._directory is not None
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / f"{number:02x}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._files[number] = descriptor
        return descriptor

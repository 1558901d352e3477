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

_FILES = 256
_FLOCK = struct.Struct("hhqqi")
"""struct flock: type, whence, start, length, pid."""

Key = tuple[int, int]
"""Device and inode."""


class Locks:
    """The locks that this process holds."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._held: set[Key] = set()
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
        self._held.add(key)

    def release(self, key: Key) -> None:
        """Give a lock back; one that is not held is none."""
        if key not in self._held:
            return
        self._held.discard(key)
        if self._directory is not None:
            self._set(key, fcntl.F_UNLCK)

    def _set(self, key: Key, kind: int) -> None:
        digest = blake2b(b"%d %d" % key, digest_size=8).digest()
        start = int.from_bytes(digest[1:], "big")
        try:
            descriptor = self._file(digest[0])
            fcntl.fcntl(
                descriptor,
                fcntl.F_OFD_SETLK,
                _FLOCK.pack(kind, os.SEEK_SET, start, 1, 0),
            )
        except BlockingIOError:
            raise MaildropInUse from None
        except OSError as error:
            raise TemporaryFailure from error

    def _file(self, number: int) -> int:
        descriptor = self._files.get(number)
        if descriptor is None:
            assert self._directory is not None
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._directory / f"{number:02x}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._files[number] = descriptor
        return descriptor

"""Opening a message's file, and its size on the wire, counted from what lies there."""

import fcntl
import os
import stat
import time

from restante.errors import MessageVanished
from restante.stores.openat2 import how, open_cached
from restante.stores.wire import WireCounter, count

READ_OCTETS = 131_072
"""What is read at once and counted: it stays in the processor's cache in between."""
OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""Nothing that is opened so can be waited for, be a link, or become our terminal."""

_READY = how(OPEN_FLAGS)
_LOOK = how(os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
_UNNOTED = os.O_NOATIME | os.O_NONBLOCK
_NOTED_SECONDS = 86_000
"""The kernel notes a reading once a day, at the least."""
_DEVICES = 1_024
_mounts: dict[int, int] = {}
"""How devices are mounted, in flags."""


def open_ready(path: bytes) -> tuple[int, int] | None:
    """Open a message's file if no disk has to be waited for; None: call `open_message`.

    Raises: as `open_message`.
    """
    try:
        descriptor = open_cached(path, _READY)
    except BlockingIOError:
        return None
    status = _status(descriptor)
    if _is_unnoted(descriptor, status) or _needs_no_note(descriptor, status):
        return descriptor, status.st_size
    # The first reading would be noted, and to write that down may have to wait.
    os.close(descriptor)
    return None


def open_message(path: bytes) -> tuple[int, int]:
    """Open a message's file and return descriptor and size of the file.

    Raises:
        OSError: it cannot be opened.
        MessageVanished: it is not a regular file.
    """
    descriptor, status = open_with_status(path)
    return descriptor, status.st_size


def open_with_status(path: bytes) -> tuple[int, os.stat_result]:
    """Do the same, and return all that is known of the file.

    Raises: as `open_message`.
    """
    descriptor = os.open(path, OPEN_FLAGS)
    status = _status(descriptor)
    _is_unnoted(descriptor, status)
    return descriptor, status


def look(path: bytes) -> os.stat_result:
    """Return what is known of a file without opening it, from memory.

    Raises:
        BlockingIOError: that is not all in memory.
        OSError: it cannot be seen.
    """
    descriptor = open_cached(path, _LOOK)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _status(descriptor: int) -> os.stat_result:
    """Return what a descriptor is of; it is closed if that is no regular file."""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise MessageVanished(reason="not a regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return status


def _is_unnoted(descriptor: int, status: os.stat_result) -> bool:
    """Have readings of a file of ours not noted; False: it is somebody else's."""
    if status.st_uid != os.geteuid():
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, _UNNOTED)
    except OSError:
        return False
    return True


def _needs_no_note(descriptor: int, status: os.stat_result) -> bool:
    """Say whether the kernel notes no reading of a file here, or has noted one that will do."""
    mounted = _mounted(descriptor, status.st_dev)
    if mounted & (os.ST_NOATIME | os.ST_RDONLY):
        return True
    if not mounted & os.ST_RELATIME:
        return False
    noted = status.st_atime_ns
    if not status.st_mtime_ns < noted > status.st_ctime_ns:
        return False
    return noted > time.time_ns() - _NOTED_SECONDS * 1_000_000_000


def _mounted(descriptor: int, device: int) -> int:
    flags = _mounts.get(device)
    if flags is None:
        if len(_mounts) >= _DEVICES:
            _mounts.clear()
        flags = _mounts[device] = os.fstatvfs(descriptor).f_flag
    return flags


def wire_size(path: bytes) -> int:
    """Read a message and return its octets with every line ending in CRLF, the last one too.

    Raises:
        OSError: it cannot be read.
        MessageVanished: it is not a regular file.
    """
    descriptor, left = open_message(path)
    try:
        data = os.read(descriptor, min(left, READ_OCTETS))
        if len(data) == left:
            return count(data)
        counter = WireCounter()
        # As far as it goes now, which is as far as a reader goes.
        while data:
            counter.feed(data)
            left -= len(data)
            data = os.read(descriptor, min(left, READ_OCTETS))
        return counter.octets
    finally:
        os.close(descriptor)

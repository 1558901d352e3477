"""Opening a message's file, and its size on the wire, counted from what lies there."""

import os
import stat

from restante.errors import MessageVanished
from restante.stores.openat2 import how, open_cached
from restante.stores.wire import WireCounter, count

READ_OCTETS = 131_072
"""What is read at once and counted: it stays in the processor's cache in between."""
OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""Nothing that is opened so can be waited for, be a link, or become our terminal."""

_READY = how(OPEN_FLAGS | os.O_NOATIME)


def open_ready(path: bytes) -> tuple[int, int] | None:
    """Open a message's file if no disk has to be waited for; None: call `open_message`.

    Raises: as `open_message`.
    """
    try:
        return _checked(open_cached(path, _READY))
    except (BlockingIOError, PermissionError):
        # Somebody else's file: the first reading would note its time, and that may wait.
        return None


def open_message(path: bytes) -> tuple[int, int]:
    """Open a message's file and return descriptor and size of the file.

    Raises:
        OSError: it cannot be opened.
        MessageVanished: it is not a regular file.
    """
    try:
        return _checked(os.open(path, OPEN_FLAGS | os.O_NOATIME))
    except PermissionError:
        return _checked(os.open(path, OPEN_FLAGS))


def _checked(descriptor: int) -> tuple[int, int]:
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise MessageVanished(reason="not a regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, status.st_size


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

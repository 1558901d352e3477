"""Opening a message's file, and its size on the wire, counted from what lies there."""

import os
import stat

from restante.errors import MessageVanished
from restante.stores.wire import WireCounter

READ_OCTETS = 1_048_576
OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""Nothing that is opened so can be waited for, be a link, or become our terminal."""


def open_message(path: bytes) -> tuple[int, int]:
    """Open a message's file and return descriptor and size of the file.

    Raises:
        OSError: it cannot be opened.
        MessageVanished: it is not a regular file.
    """
    descriptor = os.open(path, OPEN_FLAGS)
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
    descriptor, _ = open_message(path)
    counter = WireCounter()
    try:
        while data := os.read(descriptor, READ_OCTETS):
            counter.feed(data)
    finally:
        os.close(descriptor)
    return counter.octets

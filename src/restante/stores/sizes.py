"""Sizes of messages on the wire, counted from what lies on the disk (RFC 1939 §11)."""

import os
import stat

from restante.errors import MessageVanished

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
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise MessageVanished(reason="not a regular file")
    return descriptor, status.st_size


def wire_size(path: bytes) -> int:
    """Read a message and return its octets with every line ending in CRLF, the last one too.

    Raises:
        OSError: it cannot be read.
        MessageVanished: it is not a regular file.
    """
    descriptor, _ = open_message(path)
    try:
        return _count(descriptor)
    finally:
        os.close(descriptor)


def _count(descriptor: int) -> int:
    octets = 0
    last = b""
    while data := os.read(descriptor, READ_OCTETS):
        octets += len(data) + _bare_line_feeds(data, last)
        last = data[-1:]
    return octets + (2 if last not in (b"", b"\n") else 0)


def _bare_line_feeds(data: bytes, last: bytes) -> int:
    if b"\r" not in data:
        # `replace` of one octet is twice as fast as `count`, and tells the same.
        bare = len(data.replace(b"\n", b"\r\n")) - len(data)
    else:
        bare = data.count(b"\n") - data.count(b"\r\n")
    return bare - (1 if last == b"\r" and data[:1] == b"\n" else 0)

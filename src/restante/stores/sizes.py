"""Opening a message's file, and its size on the wire, counted from what lies there."""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Callable
from typing import cast

from restante.errors import MessageVanished
from restante.stores.wire import WireCounter

READ_OCTETS = 131_072
"""What is read at once and counted: it stays in the processor's cache in between."""
OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""Nothing that is opened so can be waited for, be a link, or become our terminal."""


_OPENAT2 = 437
"""The number of the system call, the same on every kind of machine."""
_AT_FDCWD = -100
_RESOLVE_CACHED = 0x20
_HOW = struct.pack("=QQQ", OPEN_FLAGS, 0, _RESOLVE_CACHED)
_NOT_SUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.E2BIG})


def _system_call() -> Callable[..., int] | None:
    try:
        call = ctypes.CDLL(None, use_errno=True).syscall
    except (OSError, AttributeError):
        return None
    call.restype = ctypes.c_long
    call.argtypes = [
        *(ctypes.c_long, ctypes.c_long, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
    ]
    # Whether it is there and takes what we ask: a sandbox may forbid it, an old kernel not know it.
    descriptor: int = call(_OPENAT2, _AT_FDCWD, b"/", _HOW, len(_HOW))
    if descriptor < 0 and ctypes.get_errno() in _NOT_SUPPORTED:
        return None
    if descriptor >= 0:
        os.close(descriptor)
    return cast("Callable[..., int]", call)


_call = _system_call()


def open_ready(path: bytes) -> tuple[int, int] | None:
    """Open a message's file if no disk has to be waited for; None: call `open_message`.

    Where the kernel cannot tell, it is opened all the same.

    Raises: as `open_message`.
    """
    if _call is None:
        return open_message(path)
    descriptor = _call(_OPENAT2, _AT_FDCWD, path, _HOW, len(_HOW))
    if descriptor >= 0:
        return _checked(descriptor)
    number = ctypes.get_errno()
    if number == errno.EAGAIN:
        return None
    raise OSError(number, os.strerror(number))


def open_message(path: bytes) -> tuple[int, int]:
    """Open a message's file and return descriptor and size of the file.

    Raises:
        OSError: it cannot be opened.
        MessageVanished: it is not a regular file.
    """
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
    counter = WireCounter()
    try:
        # As far as it goes now, which is as far as a reader goes.
        while left > 0 and (data := os.read(descriptor, min(left, READ_OCTETS))):
            counter.feed(data)
            left -= len(data)
    finally:
        os.close(descriptor)
    return counter.octets

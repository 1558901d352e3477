"""openat2(2) with RESOLVE_CACHED: opening what is wholly in memory, and nothing else.

The kernel walks the path by what it remembers and gives up where it would have to ask a disk or a
server. That says nothing of what is done with the descriptor afterwards.
"""

import ctypes
import os
import struct
from collections.abc import Callable
from typing import cast

_NUMBER = 437
"""Of the system call, the same on every kind of machine."""
HERE = -100
"""AT_FDCWD: paths begin at the working directory."""
NO_XDEV = 0x01
"""Cross no mount on the way."""
_CACHED = 0x20
_HOW_OCTETS = 24


def how(flags: int, resolve: int = 0) -> bytes:
    """Return how something is to be opened: a struct open_how."""
    return struct.pack("=QQQ", flags, 0, resolve | _CACHED)


def _system_call() -> Callable[..., int] | None:
    try:
        # What never waits need not let go of the interpreter.
        call = ctypes.PyDLL(None, use_errno=True).syscall
    except (OSError, AttributeError):
        return None
    call.restype = ctypes.c_long
    call.argtypes = [
        *(ctypes.c_long, ctypes.c_long, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
    ]
    # Whether it is there and takes what we ask: an old kernel may not know it, and a sandbox forbid
    # it by whatever error it likes.
    descriptor: int = call(_NUMBER, HERE, b"/", how(os.O_PATH | os.O_CLOEXEC), _HOW_OCTETS)
    if descriptor < 0:
        return None
    os.close(descriptor)
    return cast("Callable[..., int]", call)


_call = _system_call()


def open_cached(path: bytes, how: bytes, directory: int = HERE) -> int:
    """Open a path and return its descriptor.

    Raises:
        BlockingIOError: it is not all in memory, or this kernel cannot tell.
        OSError: it cannot be opened.
    """
    if _call is None:
        raise BlockingIOError
    descriptor = _call(_NUMBER, directory, path, how, _HOW_OCTETS)
    if descriptor < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return descriptor

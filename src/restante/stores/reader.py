"""Reading a message from its file, lines made to end in CRLF on the way.

What the page cache holds is read at once, anything else where waiting is allowed: `RWF_NOWAIT`
tells which it is. A file that is as large as the message on the wire needs no look at its lines.
"""

import errno
import os
from collections.abc import Callable

from restante.errors import MessageVanished, TemporaryFailure
from restante.stores.sizes import open_message

_NOWAIT = getattr(os, "RWF_NOWAIT", 0)


class FileReader:
    """One message being read."""

    __slots__ = (
        "_buffer",
        "_descriptor",
        "_find_again",
        "_last",
        "_offset",
        "_path",
        "_size",
        "_wire_size",
    )

    def __init__(
        self,
        path: bytes,
        find_again: Callable[[], bytes],
        wire_size: int | None,
        buffer: bytearray,
    ) -> None:
        self._path = path
        self._find_again = find_again
        self._wire_size = wire_size
        """None: nobody has counted it, so its lines are looked at."""
        self._buffer = buffer
        """Of the thread that calls `read_ready`; `read` may run in any."""
        self._descriptor: int | None = None
        self._size = 0
        self._offset = 0
        self._last = b""

    def read_ready(self, octets: int) -> bytes | None:
        """Return the next octets if the page cache has them; see the contract."""
        return self._read(octets, _NOWAIT)

    def read(self, octets: int) -> bytes:
        """Return the next octets, waiting for the disk; see the contract."""
        data = self._read(octets, 0)
        assert data is not None
        return data

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self, octets: int, flags: int) -> bytes | None:
        try:
            if self._descriptor is None and not self._open(may_wait=not flags):
                return None
            assert self._descriptor is not None
            if self._offset >= self._size:
                return self._end()
            wanted = min(octets, self._size - self._offset)
            data = self._fill(self._descriptor, wanted, flags)
        except BlockingIOError:
            return None
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MessageVanished from error
        except OSError as error:
            # ELOOP: a link took the file's place.
            raise TemporaryFailure("this message cannot be read now") from error
        if not data:
            # It shrank while it was read: what is missing will not come.
            raise TemporaryFailure("this message cannot be read now", reason="file cut short")
        self._offset += len(data)
        return self._wire_lines(data)

    def _open(self, *, may_wait: bool) -> bool:
        """Open the file; False: it has another name now, and finding that would take a while."""
        try:
            self._descriptor, self._size = open_message(self._path)
        except FileNotFoundError:
            if not may_wait:
                return False
            self._descriptor, self._size = open_message(self._find_again())
        return True

    def _fill(self, descriptor: int, octets: int, flags: int) -> bytes:
        if not flags:
            return os.pread(descriptor, octets, self._offset)
        view = memoryview(self._buffer)[:octets]
        try:
            return bytes(view[: os.preadv(descriptor, [view], self._offset, flags)])
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
            # This file system cannot tell what it has in memory.
            raise BlockingIOError from error

    def _end(self) -> bytes:
        if self._last in (b"", b"\n"):
            return b""
        self._last = b""
        return b"\r\n"

    def _wire_lines(self, data: bytes) -> bytes:
        last, self._last = self._last, data[-1:]
        if self._size == self._wire_size:
            return data
        if b"\r" not in data:
            if last == b"\r" and data[0] == 0x0A:
                return b"\n" + data[1:].replace(b"\n", b"\r\n")
            return data.replace(b"\n", b"\r\n")
        lines = data.split(b"\n")
        first = lines[0]
        ends = [b"\n" if line.endswith(b"\r") else b"\r\n" for line in lines[:-1]]
        if ends and not first and last == b"\r":
            ends[0] = b"\n"
        return b"".join([line + end for line, end in zip(lines, ends, strict=False)]) + lines[-1]

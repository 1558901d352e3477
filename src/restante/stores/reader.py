"""Reading a message from its file, lines made to end in CRLF on the way.

What the page cache holds is read at once, anything else where waiting is allowed: `RWF_NOWAIT`
tells which it is. A file that is as large as the message on the wire needs no look at its lines;
that is believed only where the size was counted, because a size that a file's name claims may be
false, and a bare LF must never go out.
"""

import errno
import os
import threading
from collections.abc import Callable

from restante.errors import MessageVanished, TemporaryFailure
from restante.stores.sizes import open_message, open_ready
from restante.stores.wire import WireEncoder, encode

CANNOT_BE_READ = "this message cannot be read now"
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)
_LOOKS = 3
"""It may be renamed again between the look and the opening."""


class FileReader:
    """One message being read."""

    __slots__ = (
        "_buffer",
        "_counted",
        "_descriptor",
        "_encoder",
        "_ended",
        "_find_again",
        "_local",
        "_offset",
        "_path",
        "_report",
        "_size",
        "_verbatim",
        "_wire_octets",
        "_wire_size",
    )

    def __init__(
        self,
        path: bytes,
        find_again: Callable[[], bytes],
        wire_size: int,
        buffer: bytearray,
        *,
        counted: bool = False,
        local: bool = True,
        report: Callable[[int], None] | None = None,
    ) -> None:
        self._path = path
        self._find_again = find_again
        self._wire_size = wire_size
        self._counted = counted
        """Whether that size was counted; otherwise somebody says so."""
        self._local = local
        """Whether the file system asks nobody but a disk of this machine."""
        self._report = report
        """Called with the octets there were, if nobody counted them or they were others."""
        self._buffer = buffer
        """Of the thread that calls `read_ready`; `read` may run in any."""
        self._descriptor: int | None = None
        self._size = 0
        self._offset = 0
        self._wire_octets = 0
        self._verbatim = False
        """The file holds what goes over the wire, octet for octet."""
        self._encoder: WireEncoder | None = None
        """Of a message that comes in pieces."""
        self._ended = False

    def read_ready(self, octets: int) -> bytes | None:
        """Return the next octets if the page cache has them; see the contract."""
        if self._ended:
            return b""
        return self._read(octets, _NOWAIT) if _NOWAIT and self._local else None

    def read(self, octets: int) -> bytes:
        """Return the next octets, waiting for the disk; see the contract."""
        if self._ended:
            return b""
        data = self._read(octets, 0)
        assert data is not None
        return data

    def close(self) -> None:
        """Close the file, elsewhere if that may wait: who closes the last name of it removes it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if self._local and os.fstat(descriptor).st_nlink:
            os.close(descriptor)
            return
        closing = threading.Thread(target=os.close, args=(descriptor,), name="close", daemon=True)
        try:
            closing.start()
        except RuntimeError:
            os.close(descriptor)

    def _read(self, octets: int, flags: int) -> bytes | None:
        try:
            if self._descriptor is None and not self._open(may_wait=not flags):
                return None
            assert self._descriptor is not None
            wanted = min(octets, self._size - self._offset)
            data = self._fill(self._descriptor, wanted, flags)
        except BlockingIOError:
            return None
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MessageVanished from error
        except OSError as error:
            # ELOOP: a link took the file's place.
            raise TemporaryFailure(CANNOT_BE_READ) from error
        if not data and wanted:
            # It shrank while it was read: what is missing will not come.
            raise TemporaryFailure(CANNOT_BE_READ, reason="file cut short")
        self._offset += len(data)
        if len(data) == self._size or (not flags and self._offset == self._size):
            # In the turn that opened it, or where waiting is allowed: nothing is left to `close`.
            os.close(self._descriptor)
            self._descriptor = None
        return self._wire(data)

    def _wire(self, data: bytes) -> bytes:
        """Return the octets on the wire of the next piece, and of the last one what ends it."""
        self._ended = self._offset == self._size
        if self._verbatim:
            return data
        if self._encoder is None:
            if self._ended:
                return self._account(encode(data))
            self._encoder = WireEncoder()
        wire = self._encoder.feed(data)
        if self._ended:
            wire += self._encoder.end()
        return self._account(wire)

    def _account(self, wire: bytes) -> bytes:
        octets = self._wire_octets = self._wire_octets + len(wire)
        believed = self._counted and octets == self._wire_size
        if self._ended and not believed and self._report is not None:
            self._report(octets)
        return wire

    def _open(self, *, may_wait: bool) -> bool:
        """Open the file; False: that would take a while, or finding the name it has now."""
        opened = self._open_now() if may_wait else self._open_ready()
        if opened is None:
            return False
        self._descriptor, self._size = opened
        self._verbatim = self._counted and self._size == self._wire_size
        return True

    def _open_ready(self) -> tuple[int, int] | None:
        try:
            return open_ready(self._path)
        except FileNotFoundError:
            return None

    def _open_now(self) -> tuple[int, int]:
        path = self._path
        for _ in range(_LOOKS):
            try:
                return open_message(path)
            except FileNotFoundError:
                path = self._find_again()
        raise TemporaryFailure(CANNOT_BE_READ, reason="it is renamed all the time")

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

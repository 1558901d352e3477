"""Messages ready for the wire, kept from the login that counted them to the RETR that follows.

To count the octets of a message is most of the work of sending it, so what came of it is kept, for
all sessions of a process within one bound; what the latest logins made drives out what older ones
did. A file that is not what it was when it was read, by all that the file system says of it, is
read again: nothing goes out from here that is not there any more.
"""

import os
import threading
from collections.abc import Callable

from restante.maildrop import MessageReader
from restante.stores.scan import clock_ns, proven_ns
from restante.stores.sizes import READ_OCTETS, look, open_with_status, wire_size
from restante.stores.wire import WireEncoder, encode

_OVERHEAD_OCTETS = 512
"""Of a message beyond its octets, about."""

_PARTS = 8
"""No message takes more of the bound than one of so many parts."""

Stamp = tuple[int, int, int, int]
"""Device, inode, size and time of change of a file: no writing leaves all four as they were."""


class PreparedMessage:
    """One message, in pieces as they go over the wire."""

    __slots__ = ("octets", "pieces", "stamp", "weight_octets")

    def __init__(self, stamp: Stamp, pieces: list[bytes]) -> None:
        self.stamp = stamp
        self.pieces = pieces
        self.octets = sum(map(len, pieces))
        self.weight_octets = self.octets + _OVERHEAD_OCTETS
        """What it is counted as, while it is."""


class Preparations:
    """What all sessions of a process have prepared, bounded; for any thread."""

    def __init__(self, bound_octets: int) -> None:
        self.bound_octets = bound_octets
        self.octets = 0
        """What it takes, about, with what is on its way out."""
        self._guard = threading.Lock()
        self._sessions: dict[Preparation, None] = {}
        """Those that have anything here, the latest last."""

    def keep(self, session: "Preparation", path: bytes, message: PreparedMessage) -> None:
        """Keep a message of a session, or let it know that it is full."""
        with self._guard:
            self._drop(session.messages.pop(path, None))
            while not session.full and self.octets + message.weight_octets > self.bound_octets:
                oldest = next(iter(self._sessions), session)
                if oldest is session:
                    session.full = True
                else:
                    self._end(oldest)
            if session.full:
                return
            self._sessions.setdefault(session)
            session.messages[path] = message
            self.octets += message.weight_octets

    def take(self, session: "Preparation", path: bytes) -> PreparedMessage | None:
        """Return a message that goes out now; it is counted until it is released."""
        with self._guard:
            return session.messages.pop(path, None)

    def release(self, message: PreparedMessage) -> None:
        """Count a message no more that was taken."""
        with self._guard:
            self._drop(message)

    def forget(self, session: "Preparation") -> None:
        """Drop what is left of a session's."""
        with self._guard:
            self._end(session)

    def _end(self, session: "Preparation") -> None:
        session.full = True
        self._sessions.pop(session, None)
        while session.messages:
            self._drop(session.messages.popitem()[1])

    def _drop(self, message: PreparedMessage | None) -> None:
        if message is not None:
            self.octets -= message.weight_octets
            message.weight_octets = 0


class Preparation:
    """What one session has prepared."""

    __slots__ = ("_memory", "full", "messages")

    def __init__(self, memory: Preparations) -> None:
        self._memory = memory
        self.messages: dict[bytes, PreparedMessage] = {}
        """By the path of the file; in the memory's care."""
        self.full = not memory.bound_octets
        """Whether no more is kept for it."""

    def __bool__(self) -> bool:
        return bool(self.messages)

    def count(self, path: bytes) -> int:
        """Read a message, keep it if there is room, and return its octets on the wire.

        Raises: as `wire_size`.
        """
        if self.full:
            return wire_size(path)
        message = prepare(path, self._memory.bound_octets // _PARTS)
        if message is None:
            return wire_size(path)
        # Behind a change so recent there can be one that does not show.
        if proven_ns(message.stamp[-1], clock_ns()):
            self._memory.keep(self, path, message)
        return message.octets

    def open(self, path: bytes, file: Callable[[], MessageReader]) -> MessageReader:
        """Return a reader of a message, `file()` where it is not prepared."""
        message = self._memory.take(self, path)
        return file() if message is None else PreparedReader(self._memory, path, message, file)

    def close(self) -> None:
        """Let go of everything."""
        self._memory.forget(self)


class PreparedReader:
    """A prepared message being read, or its file if that is another one now."""

    __slots__ = ("_file", "_find_file", "_left", "_memory", "_message", "_path")

    def __init__(
        self,
        memory: Preparations,
        path: bytes,
        message: PreparedMessage,
        find_file: Callable[[], MessageReader],
    ) -> None:
        self._memory = memory
        self._path = path
        self._message: PreparedMessage | None = message
        self._find_file = find_file
        self._file: MessageReader | None = None
        self._left: list[bytes] | None = None
        """Pieces still to be sent, the next one last; None: nobody has looked at the file yet."""

    def read_ready(self, octets: int) -> bytes | None:
        """Return the next octets if no disk must be waited for; see the contract."""
        if self._left is None:
            try:
                self._begin(look)
            except BlockingIOError:
                return None
        return self._next(octets) if self._file is None else self._file.read_ready(octets)

    def read(self, octets: int) -> bytes:
        """Return the next octets, waiting for the disk; see the contract."""
        if self._left is None:
            self._begin(os.lstat)
        return self._next(octets) if self._file is None else self._file.read(octets)

    def close(self) -> None:
        """Let go of the message."""
        self._left = []
        self._release()
        if self._file is not None:
            self._file.close()

    def _begin(self, look: Callable[[bytes], os.stat_result]) -> None:
        assert self._message is not None
        try:
            is_same = _stamp(look(self._path)) == self._message.stamp
        except BlockingIOError:
            raise
        except OSError:
            is_same = False
        if is_same:
            self._left = self._message.pieces[::-1]
            return
        self._left = []
        self._release()
        self._file = self._find_file()

    def _next(self, octets: int) -> bytes:
        left = self._left
        if not left:
            return b""
        piece = left.pop()
        if len(piece) > 2 * octets:
            left.append(piece[octets:])
            return piece[:octets]
        if not left:
            self._release()
        return piece

    def _release(self) -> None:
        message, self._message = self._message, None
        if message is not None:
            self._memory.release(message)


def prepare(path: bytes, at_most: int) -> PreparedMessage | None:
    """Read a message, ready for the wire; None: that would take more octets than allowed.

    Raises: as `wire_size`.
    """
    descriptor, status = open_with_status(path)
    try:
        if status.st_size > at_most:
            return None
        return PreparedMessage(_stamp(status), _pieces(descriptor, status.st_size))
    finally:
        os.close(descriptor)


def _pieces(descriptor: int, left: int) -> list[bytes]:
    data = os.read(descriptor, min(left, READ_OCTETS))
    if len(data) == left:
        return [encode(data)]
    encoder = WireEncoder()
    pieces: list[bytes] = []
    while data:
        left -= len(data)
        pieces.append(encoder.feed(data))
        data = os.read(descriptor, min(left, READ_OCTETS)) if left else b""
    end = encoder.end()
    return [*pieces, end] if end else pieces


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns

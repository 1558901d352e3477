"""Messages between the supervisor, its workers and whoever commands it: JSON objects, one a line.

Bounded and strict, and never pickle: what comes out of a worker is data, whoever wrote it.
"""

import json
import socket
from collections.abc import Iterator

Message = dict[str, object]

MAXIMUM_OCTETS = 16 * 1024 * 1024
"""A message of `who` about ten thousand sessions has about three million octets."""


class BadMessage(Exception):
    """Octets that are no message."""


def encode(message: Message) -> bytes:
    """Return a message as it goes over the wire."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Decoder:
    """Messages out of octets."""

    def __init__(self, maximum_octets: int = MAXIMUM_OCTETS) -> None:
        self._data = bytearray()
        self._maximum = maximum_octets

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take in octets and yield the messages they complete.

        Raises:
            BadMessage: a line is too long or not a JSON object.
        """
        self._data += data
        while (end := self._data.find(b"\n")) >= 0:
            line = bytes(self._data[:end])
            del self._data[: end + 1]
            yield _decode(line)
        if len(self._data) > self._maximum:
            raise BadMessage("a message is too long")


def _decode(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadMessage("a message is not JSON") from error
    if not isinstance(message, dict):
        raise BadMessage("a message is not an object")
    return message


class Channel:
    """One end of a stream of messages, on a socket that does not block.

    What cannot be written at once waits; `wants_to_write` tells the loop to call `write` when the
    socket takes more.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock
        self._decoder = Decoder()
        self._waiting = bytearray()

    @property
    def wants_to_write(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._waiting)

    @property
    def closed(self) -> bool:
        """Whether this end was closed."""
        return self.socket.fileno() < 0

    def send(self, message: Message) -> None:
        """Send a message, or begin to."""
        self._waiting += encode(message)
        self.write()

    def write(self) -> None:
        """Write what waits, as far as the socket takes it."""
        try:
            while self._waiting:
                del self._waiting[: self.socket.send(self._waiting)]
        except BlockingIOError:
            return
        except OSError:
            # The other end is gone: reading will say so.
            self._waiting.clear()

    def receive(self) -> list[Message] | None:
        """Return the messages that have come; None: the other end is gone."""
        try:
            data = self.socket.recv(65_536)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        try:
            return list(self._decoder.feed(data))
        except BadMessage:
            return None

    def close(self) -> None:
        """Close this end."""
        self.socket.close()

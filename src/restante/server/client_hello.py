"""The first message of a TLS handshake, read for the names it asks for (RFC 8446 §4.1.2).

Python's ssl can neither refuse a handshake for its ALPN (RFC 9325 §3.8 wants it refused) nor say
what was offered, so the ClientHello is read here before the engine sees it. Everything is bounded
and strict; whoever sends nonsense gets the engine's own refusal.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MAXIMUM_OCTETS = 16_384 + 5
_HANDSHAKE_RECORD = 22
_CLIENT_HELLO = 1
_RANDOM = slice(2, 34)
_SERVER_NAME, _ALPN, _EXTENDED_MASTER_SECRET = 0, 16, 23


class NotAClientHello(Exception):
    """Octets that are not the beginning of a TLS handshake."""


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a client asks for."""

    random: bytes
    """32 octets of the client's own."""
    server_name: str | None
    protocols: tuple[bytes, ...] | None
    """Of ALPN, in the client's order; None: ALPN was not used."""
    extended_master_secret: bool
    """Whether TLS 1.2 would make one (RFC 7627); TLS 1.3 has no other."""


class Reading:
    """A ClientHello while it comes in, in segments and records of any size.

    No octet is looked at twice: a stranger can send one at a time.
    """

    __slots__ = ("_gathered", "_left", "_unread")

    def __init__(self) -> None:
        self._unread = bytearray()
        self._left = 0
        """What the record that has begun still holds."""
        self._gathered = bytearray()

    def feed(self, data: bytes | bytearray) -> ClientHello | None:
        """Take in octets; None: some of it is still missing.

        Raises:
            NotAClientHello: they are the beginning of something else.
        """
        self._unread += data
        message = self._message()
        if message is None:
            return None
        extensions = _extensions(message)
        return ClientHello(
            message[_RANDOM],
            _server_name(extensions.get(_SERVER_NAME)),
            _protocols(extensions.get(_ALPN)),
            _EXTENDED_MASTER_SECRET in extensions,
        )

    def _message(self) -> bytes | None:
        """Gather the handshake message out of as many records as it takes."""
        unread, gathered = self._unread, self._gathered
        while self._left or self._record_begins():
            piece = unread[: self._left]
            if not piece:
                return None
            del unread[: len(piece)]
            self._left -= len(piece)
            gathered += piece
            if gathered[0] != _CLIENT_HELLO:
                raise NotAClientHello
            if len(gathered) < 4:
                continue
            wanted = 4 + int.from_bytes(gathered[1:4], "big")
            if wanted > MAXIMUM_OCTETS:
                raise NotAClientHello
            if len(gathered) >= wanted:
                return bytes(gathered[4:wanted])
        return None

    def _record_begins(self) -> bool:
        unread = self._unread
        if (unread[:1] and unread[0] != _HANDSHAKE_RECORD) or (len(unread) > 1 and unread[1] != 3):
            raise NotAClientHello
        if len(unread) < 5:
            return False
        self._left = int.from_bytes(unread[3:5], "big")
        if not self._left:
            raise NotAClientHello
        del unread[:5]
        return True


def parse(data: bytes | bytearray) -> ClientHello | None:
    """Return the ClientHello that these octets begin with; None: some of it is still missing.

    Raises:
        NotAClientHello: they begin with something else.
    """
    return Reading().feed(data)


class _Reader:
    """Vectors of TLS, each behind its size."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, octets: int) -> bytes:
        start, self._at = self._at, self._at + octets
        if self._at > len(self._data):
            raise NotAClientHello
        return self._data[start : self._at]

    def vector(self, size_octets: int) -> bytes:
        return self.take(int.from_bytes(self.take(size_octets), "big"))


def _extensions(message: bytes) -> dict[int, bytes]:
    reader = _Reader(message)
    reader.take(2 + 32)
    reader.vector(1)
    reader.vector(2)
    reader.vector(1)
    if not reader:
        return {}
    extensions = _Reader(reader.vector(2))
    found: dict[int, bytes] = {}
    while extensions:
        kind = int.from_bytes(extensions.take(2), "big")
        found.setdefault(kind, extensions.vector(2))
    return found


def _server_name(extension: bytes | None) -> str | None:
    if not extension:
        return None
    names = _Reader(_Reader(extension).vector(2))
    while names:
        kind, name = names.take(1), names.vector(2)
        if kind == b"\0":
            return name.decode("ascii", "replace")
    return None


def _protocols(extension: bytes | None) -> tuple[bytes, ...] | None:
    if extension is None:
        return None
    return tuple(_vectors(_Reader(_Reader(extension).vector(2))))


def _vectors(reader: _Reader) -> Iterator[bytes]:
    while reader:
        yield reader.vector(1)

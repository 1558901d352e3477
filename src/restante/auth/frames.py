"""Frames between workers and the auth process: sizes first, then octets; never text, never pickle.

A frame is its size (4 octets), its kind (1), the number of its request (4) and fields, each behind
its own size (4). A decoder takes nothing that is larger, shorter or other than that: whoever sends
it loses the connection.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

MAXIMUM_OCTETS = 262_144
_HEAD = struct.Struct("!IBI")
_SIZE = struct.Struct("!I")
_INNER = _HEAD.size - _SIZE.size


class Kind(IntEnum):
    """What a frame is; a worker sends the first two, the auth process the others."""

    AUTHENTICATE = 1
    CANCEL = 2
    ADMITTED = 16
    REFUSED = 17


class BadFrame(Exception):
    """Octets that are no frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: Kind
    request: int
    fields: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"Frame({self.kind.name}, {self.request}, …)"


def encode(kind: Kind, request: int, fields: Sequence[bytes] = ()) -> bytes:
    """Return a frame as it goes over the socket."""
    body = b"".join([_SIZE.pack(len(field)) + field for field in fields])
    return _HEAD.pack(_INNER + len(body), kind, request) + body


class Decoder:
    """Frames out of octets."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take in octets and yield the frames they complete.

        Raises:
            BadFrame: they are none.
        """
        data = self._data + data if self._data else data
        start = 0
        while len(data) - start >= _HEAD.size:
            size, kind, request = _HEAD.unpack_from(data, start)
            if not _INNER <= size <= MAXIMUM_OCTETS:
                raise BadFrame("a frame of that size")
            end = start + _SIZE.size + size
            if len(data) < end:
                break
            yield Frame(_kind(kind), request, _fields(data, start + _HEAD.size, end))
            start = end
        self._data = data[start:]


def _kind(kind: int) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise BadFrame("a frame of that kind") from None


def _fields(data: bytes, start: int, end: int) -> tuple[bytes, ...]:
    fields: list[bytes] = []
    while start < end:
        if end - start < _SIZE.size:
            raise BadFrame("a field without its size")
        (size,) = _SIZE.unpack_from(data, start)
        start += _SIZE.size
        if size > end - start:
            raise BadFrame("a field beyond its frame")
        fields.append(data[start : start + size])
        start += size
    return tuple(fields)

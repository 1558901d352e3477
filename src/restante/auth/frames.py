"""Frames between workers and the auth process: sizes first, then octets; never text, never pickle.

A frame is its size (4 octets), its kind (1), the number of its request (4), how many fields it has
(1), their sizes (4 each) and then the fields. A decoder takes nothing that is larger, shorter or
other than that: whoever sends it loses the connection.
"""

import struct
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

MAXIMUM_OCTETS = 262_144
MAXIMUM_FIELDS = 8
_HEAD = struct.Struct("!IBIB")
_INNER = _HEAD.size - 4
_HEADS = [struct.Struct(f"!IBIB{count}I") for count in range(MAXIMUM_FIELDS + 1)]
"""Heads with the sizes of so many fields."""
_SIZES = [struct.Struct(f"!{count}I") for count in range(MAXIMUM_FIELDS + 1)]


class Kind(IntEnum):
    """What a frame is; a worker sends the first two, the auth process the others."""

    AUTHENTICATE = 1
    CANCEL = 2
    ADMITTED = 16
    REFUSED = 17


class BadFrame(Exception):
    """Octets that are no frame."""


_KINDS = {kind.value: kind for kind in Kind}


class Frame(NamedTuple):
    """One message."""

    kind: Kind
    request: int
    fields: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"Frame({self.kind.name}, {self.request}, …)"


def encode(kind: Kind, request: int, fields: Sequence[bytes] = ()) -> bytes:
    """Return a frame as it goes over the socket."""
    count = len(fields)
    sizes = [len(field) for field in fields]
    octets = _INNER + 4 * count + sum(sizes)
    return _HEADS[count].pack(octets, kind, request, count, *sizes) + b"".join(fields)


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
            octets, number, request, count = _HEAD.unpack_from(data, start)
            if not _INNER <= octets <= MAXIMUM_OCTETS:
                raise BadFrame("a frame of that size")
            kind = _KINDS.get(number)
            if kind is None:
                raise BadFrame("a frame of that kind")
            end = start + 4 + octets
            if len(data) < end:
                break
            yield Frame(kind, request, _fields(data, start + _HEAD.size, end, count))
            start = end
        self._data = data[start:]


def _fields(data: bytes, start: int, end: int, count: int) -> tuple[bytes, ...]:
    if count > MAXIMUM_FIELDS or start + 4 * count > end:
        raise BadFrame("more fields than a frame has")
    sizes = _SIZES[count].unpack_from(data, start)
    start += 4 * count
    if start + sum(sizes) != end:
        raise BadFrame("fields of another size than their frame")
    fields = []
    for size in sizes:
        fields.append(data[start : start + size])
        start += size
    return tuple(fields)

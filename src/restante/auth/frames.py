"""Frames between workers and the auth process: sizes first, then octets; never text, never pickle.

A frame is the number of its request (4 octets), its kind (1), the size of its body (4) and then the
body, which `messages` lays out. A decoder takes nothing that is larger or of another kind: whoever
sends it loses the connection.
"""

import struct
from collections.abc import Iterator

MAXIMUM_OCTETS = 262_144
"""Of a body."""
HEAD = "!IBI"
"""Number, kind and size, as `struct` has them."""
_HEAD = struct.Struct(HEAD)
_HEAD_OCTETS = _HEAD.size
_KIND_AND_SIZE = struct.Struct("!BI")

# Plain numbers: every login compares them, and members of an Enum take far longer.
AUTHENTICATE = 1
CANCEL = 2
ASK = 3
"""A worker sends these, the auth process the others."""
ADMITTED = 16
REFUSED = 17
ADMITTED_MUTUALLY = 18
SALTED = 19
KINDS = frozenset({AUTHENTICATE, CANCEL, ASK, ADMITTED, REFUSED, ADMITTED_MUTUALLY, SALTED})

Frame = tuple[int, int, bytes]
"""Number, kind and body."""


class BadFrame(Exception):
    """Octets that are no frame."""


encode_number = struct.Struct("!I").pack
"""Return the beginning of a frame, the number alone."""


def encode_rest(kind: int, body: bytes = b"") -> bytes:
    """Return what follows the number: the same each time the same is said."""
    return _KIND_AND_SIZE.pack(kind, len(body)) + body


def encode(number: int, kind: int, body: bytes = b"") -> bytes:
    """Return a frame as it goes over the socket."""
    return encode_number(number) + encode_rest(kind, body)


class Decoder:
    """Frames out of octets."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take in octets and yield the frames they complete.

        Raises:
            BadFrame: they are none.
        """
        if self._data:
            data = self._data + data
        start, whole = 0, len(data)
        while (body := start + _HEAD_OCTETS) <= whole:
            number, kind, octets = _HEAD.unpack_from(data, start)
            if octets > MAXIMUM_OCTETS:
                raise BadFrame("a frame of that size")
            if kind not in KINDS:
                raise BadFrame("a frame of that kind")
            end = body + octets
            if end > whole:
                break
            yield number, kind, data[body:end]
            start = end
        self._data = data[start:]

"""Outlet: what waits to be written to one client, in pieces the transport can take.

A reply goes out in one write up to `CHUNK_OCTETS`, above that in chunks of that size which wait
for the reader. The buffers of a listing are shared by every session that sends them, so a client
that does not read costs a place in a queue and no copy.
"""

from collections import deque
from collections.abc import Iterable

Buffer = bytes | bytearray | memoryview

CHUNK_OCTETS = 131_072
TAIL_OCTETS = CHUNK_OCTETS // 16
"""The last chunk may be larger by this: a file read in chunks has grown by its CRs, and a write of
what is left over each time costs as much as a reply does."""


class Outlet:
    """A queue of buffers, taken out in chunks."""

    __slots__ = ("_buffers",)

    def __init__(self) -> None:
        self._buffers: deque[Buffer] = deque()

    def __bool__(self) -> bool:
        return bool(self._buffers)

    def put(self, buffers: Iterable[Buffer]) -> None:
        """Queue buffers."""
        self._buffers.extend(buffers)

    def take(self) -> list[Buffer]:
        """Return the next chunk: as many buffers as fit, the last one cut where it must be."""
        chunk: list[Buffer] = []
        room = CHUNK_OCTETS
        while self._buffers and room > 0:
            buffer = self._buffers.popleft()
            if len(buffer) > room:
                left_over = len(buffer) - room + sum(map(len, self._buffers))
                if left_over <= TAIL_OCTETS:
                    room += left_over
            if len(buffer) > room:
                view = memoryview(buffer)
                self._buffers.appendleft(view[room:])
                buffer = view[:room]
            chunk.append(buffer)
            room -= len(buffer)
        return chunk

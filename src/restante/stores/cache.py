"""Images in memory, for the next login: bounded in octets, the longest kept go first.

Most maildrops are empty most of the time, and every account of a server may have one: what is kept
of such a one is a few numbers in a row of octets, not the objects they are the rest of the time.
"""

import struct
from dataclasses import dataclass

from restante.stores.image import ListingImage, Version, empty
from restante.stores.locks import Key, device_of, inode_of, lock_key
from restante.stores.records import Stamp

_EMPTY_OCTETS = 256
"""What an empty maildrop takes here, about, its name included."""
_EMPTY = struct.Struct("=QQQQQ")
"""Device and inode of the key, generation and the folders' times of change."""
_EMPTY_WITH_STAMP = struct.Struct("=QQQQQqqQ")


@dataclass(slots=True)
class Cached:
    """An image, and what it was derived from."""

    key: Key
    image: ListingImage
    stamp: Stamp | None
    """Of the catalogue, when the image was derived from it."""


class ImageCache:
    """The images of one process."""

    def __init__(self, bound_octets: int) -> None:
        self._bound_octets = bound_octets
        self._cached: dict[bytes, Cached | bytes] = {}
        self.octets = 0
        """What they take, about."""

    def get(self, mailbox: bytes) -> Cached | None:
        """Return what is kept of a mailbox."""
        cached = self._cached.get(mailbox)
        return _unpacked(cached) if isinstance(cached, bytes) else cached

    def keep(self, mailbox: bytes, cached: Cached) -> None:
        """Keep an image; whoever calls this in several threads excludes them."""
        self.octets -= _weight_octets(self._cached.pop(mailbox, None))
        kept = cached if cached.image.count else _packed(cached)
        self._cached[mailbox] = kept
        self.octets += _weight_octets(kept)
        if self.octets > self._bound_octets:
            self._make_room()

    def _make_room(self) -> None:
        # Where there are many, many go at once: finding the first key of a dict takes as long as
        # it has lost keys before that one.
        count = len(self._cached)
        going: list[bytes] = []
        for mailbox, kept in self._cached.items():
            fits = self.octets <= self._bound_octets and len(going) >= count // 64
            if fits or len(going) == count - 1:
                break
            self.octets -= _weight_octets(kept)
            going.append(mailbox)
        for mailbox in going:
            del self._cached[mailbox]


def _weight_octets(kept: Cached | bytes | None) -> int:
    if kept is None:
        return 0
    return _EMPTY_OCTETS if isinstance(kept, bytes) else kept.image.weight_octets


def _packed(cached: Cached) -> Cached | bytes:
    version = cached.image.version
    numbers = (
        device_of(cached.key),
        inode_of(cached.key),
        version.generation,
        version.new_changed_ns,
        version.cur_changed_ns,
    )
    try:
        if cached.stamp is None:
            return _EMPTY.pack(*numbers)
        return _EMPTY_WITH_STAMP.pack(*numbers, *cached.stamp)
    except struct.error:
        # A file from centuries away.
        return cached


def _unpacked(packed: bytes) -> Cached:
    stamp: Stamp | None = None
    if len(packed) == _EMPTY.size:
        device, inode, *version = _EMPTY.unpack(packed)
    else:
        device, inode, *version, changed_ns, octets, number = _EMPTY_WITH_STAMP.unpack(packed)
        stamp = changed_ns, octets, number
    return Cached(lock_key(device, inode), empty(Version(*version)), stamp)

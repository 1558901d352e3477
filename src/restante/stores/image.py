"""Listing images: one version of a maildrop in one buffer, ready for the wire.

The rendered LIST and UIDL, the sizes and the file names of all messages lie one behind another, so
that a big maildrop's image can be mapped from a file and costs a login nothing that grows with it.
An image is derived from the catalogue and never changes; a new version of the maildrop is a new
image. The folders' times of change say which state of the Maildir it shows.
"""

import struct
import zlib
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from restante.maildrop import Buffer

_MAGIC = b"RESTLIST"
_FORMAT = 1
_HEAD = struct.Struct("=8sIIQQQQ7QI")
_PART_NAMES = 7


@dataclass(frozen=True, slots=True)
class Version:
    """Which state of a Maildir an image shows."""

    generation: int
    """Of the catalogue."""
    new_changed_ns: int
    cur_changed_ns: int
    """Times of change of the two folders; 0: the scan proved nothing for the next one."""


class ListingImage:
    """The drop listing of one version of a maildrop."""

    __slots__ = (
        "_list_ends",
        "_list_text",
        "_name_ends",
        "_names",
        "_sizes",
        "_uidl_ends",
        "_uidl_text",
        "count",
        "octets",
        "version",
    )

    def __init__(self, version: Version, octets: int, parts: Sequence[Buffer]) -> None:
        views = [memoryview(part) for part in parts]
        self.version = version
        self.octets = octets
        self._sizes = views[0].cast("B").cast("Q")
        self._name_ends = views[1].cast("B").cast("Q")
        self._names = views[2]
        self._list_ends = views[3].cast("B").cast("Q")
        self._list_text = views[4]
        self._uidl_ends = views[5].cast("B").cast("Q")
        self._uidl_text = views[6]
        self.count = len(self._sizes)

    # ---- as a drop listing

    def size(self, number: int) -> int:
        """Return the octets of a message on the wire."""
        return self._sizes[number - 1]

    def unique_id(self, number: int) -> bytes:
        """Return the unique-id of a message."""
        line = bytes(self._uidl_text[slice(*_span(self._uidl_ends, number))])
        return line.partition(b" ")[2][:-2]

    def scan_listing(self, marked: Collection[int]) -> Iterable[Buffer]:
        """Return the lines of LIST."""
        return _pieces(self._list_text, self._list_ends, marked)

    def unique_id_listing(self, marked: Collection[int]) -> Iterable[Buffer]:
        """Return the lines of UIDL."""
        return _pieces(self._uidl_text, self._uidl_ends, marked)

    # ---- for the store

    @property
    def weight_octets(self) -> int:
        """What it takes in memory, about."""
        return 32 * self.count + sum(map(len, (self._names, self._list_text, self._uidl_text)))

    def name(self, number: int) -> bytes:
        """Return a message's file name with its folder, as of the scan."""
        start, end = _span(self._name_ends, number)
        return bytes(self._names[start : end - 1])

    def names(self) -> list[bytes]:
        """Return all file names, in order."""
        return bytes(self._names).split(b"\0")[:-1]

    def sizes(self) -> "array[int]":
        """Return all sizes, in order."""
        return array("Q", self._sizes.tobytes())

    def unique_ids(self) -> list[bytes]:
        """Return all unique-ids, in order."""
        lines = bytes(self._uidl_text).split(b"\r\n")[:-1]
        return [line.partition(b" ")[2] for line in lines]

    def at(self, version: Version) -> "ListingImage":
        """Return the same listing as of another version."""
        return ListingImage(version, self.octets, self._parts())

    def dump(self) -> Iterator[Buffer]:
        """Yield what `load` takes, piece by piece."""
        parts = self._parts()
        version = self.version
        head = _HEAD.pack(
            _MAGIC,
            _FORMAT,
            self.count,
            version.generation,
            version.new_changed_ns,
            version.cur_changed_ns,
            self.octets,
            *(part.nbytes for part in parts),
            0,
        )
        yield head[:-4] + struct.pack("=I", zlib.crc32(head[:-4]))
        yield from parts

    def _parts(self) -> list[memoryview]:
        return [
            self._sizes,
            self._name_ends,
            self._names,
            self._list_ends,
            self._list_text,
            self._uidl_ends,
            self._uidl_text,
        ]


def load(data: Buffer) -> ListingImage | None:
    """Return the image that a buffer holds, sharing its memory; None: it holds none."""
    view = memoryview(data)
    if len(view) < _HEAD.size:
        return None
    magic, form, count, generation, new, cur, octets, *rest = _HEAD.unpack(view[: _HEAD.size])
    sizes, checksum = rest[:_PART_NAMES], rest[-1]
    if (magic, form, checksum) != (_MAGIC, _FORMAT, zlib.crc32(view[: _HEAD.size - 4])):
        return None
    ends = list(accumulate(sizes, initial=_HEAD.size))
    if ends[-1] != len(view) or sizes[0] != 8 * count:
        return None
    parts = [view[start:end] for start, end in pairwise(ends)]
    return ListingImage(Version(generation, new, cur), octets, parts)


def render(
    version: Version, names: Sequence[bytes], sizes: "array[int]", unique_ids: Sequence[bytes]
) -> ListingImage:
    """Make the image of these messages."""
    return _append(version, None, names, sizes, unique_ids)


def extend(
    image: ListingImage,
    version: Version,
    names: Sequence[bytes],
    sizes: "array[int]",
    unique_ids: Sequence[bytes],
) -> ListingImage:
    """Make the image of the same messages and some more; the old text is copied, not made anew."""
    return _append(version, image, names, sizes, unique_ids)


def _append(
    version: Version,
    image: ListingImage | None,
    names: Sequence[bytes],
    sizes: "array[int]",
    unique_ids: Sequence[bytes],
) -> ListingImage:
    first = 1 if image is None else image.count + 1
    numbers = range(first, first + len(names))
    list_lines = [b"%d %d\r\n" % pair for pair in zip(numbers, sizes, strict=True)]
    uidl_lines = [b"%d %b\r\n" % pair for pair in zip(numbers, unique_ids, strict=True)]
    name_lines = [name + b"\0" for name in names]
    old = [b""] * _PART_NAMES if image is None else image._parts()
    octets = sum(sizes) + (0 if image is None else image.octets)
    parts: list[Buffer] = [
        bytes(old[0]) + sizes.tobytes(),
        bytes(old[1]) + _ends(name_lines, len(old[2])),
        bytes(old[2]) + b"".join(name_lines),
        bytes(old[3]) + _ends(list_lines, len(old[4])),
        bytes(old[4]) + b"".join(list_lines),
        bytes(old[5]) + _ends(uidl_lines, len(old[6])),
        bytes(old[6]) + b"".join(uidl_lines),
    ]
    return ListingImage(version, octets, parts)


def _ends(lines: list[bytes], start: int) -> bytes:
    ends = accumulate(map(len, lines), initial=start)
    next(ends)
    return array("Q", ends).tobytes()


def _span(ends: "memoryview[int]", number: int) -> tuple[int, int]:
    return (ends[number - 2] if number > 1 else 0), ends[number - 1]


def _pieces(text: memoryview, ends: "memoryview[int]", marked: Collection[int]) -> Iterator[Buffer]:
    """Yield a text without the lines of marked messages, in pieces between them."""
    start = 0
    for number in sorted(marked):
        before, after = _span(ends, number)
        if before > start:
            yield text[start:before]
        start = after
    if start < len(text):
        yield text[start:]

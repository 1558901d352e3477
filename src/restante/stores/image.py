"""Listing images: one version of a maildrop in one buffer, ready for the wire.

The rendered LIST and UIDL, the sizes and the file names of all messages lie one behind another, so
that a big maildrop's image can be mapped from a file and costs a login nothing that grows with it.
An image is derived from the catalogue and never changes; a new version of the maildrop is a new
image. The folders' times of change say which state of the Maildir it shows.

Sizes that nobody has counted yet, only some file's name claims, are marked as claims.
"""

import re
import struct
import zlib
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise

from restante.maildrop import Buffer

_MAGIC = b"RESTLIST"
_FORMAT = 2
_SIZES, _NAMES, _LIST, _UIDL, _CLAIMS = 0, 1, 3, 5, 7
"""Where the parts are; names and the two listings are two parts each, marks and text."""
_PARTS = 8
_NO_PARTS: tuple[Buffer, ...] = (b"",) * _PARTS
_LINE_ENDS = {_NAMES: b"\0", _LIST: b"\r\n", _UIDL: b"\r\n"}
_SIZE = struct.Struct("=Q")
_UNIQUE_IDS = re.compile(rb" ([!-~]+)\r\n")
_OVERHEAD_OCTETS = 512
"""Of an image in a cache, besides its parts; there may be very many of empty maildrops."""
_SEARCHES = 32
_STRIDE = 16
"""Lines between two marks: an offset for each would be a tenth of an image."""
_HEAD = struct.Struct(f"=8sIIQQQQ{_PARTS}QI")


@dataclass(frozen=True, slots=True)
class Version:
    """Which state of a Maildir an image shows."""

    generation: int
    """Of the catalogue that it stands in; 0: it stands in none."""
    new_changed_ns: int
    cur_changed_ns: int
    """Times of change of the two folders; 0: the scan proved nothing for the next one."""


class _Lines:
    """A text of many lines, of which each can be found; made for one question, as a view is."""

    __slots__ = ("_end", "_marks", "_text")

    def __init__(self, marks: Buffer, text: Buffer, end: bytes) -> None:
        self._marks = memoryview(marks).cast("B").cast("I")
        """Where every sixteenth line ends."""
        self._text = memoryview(text)
        self._end = end

    def line(self, number: int) -> bytes:
        """Return a line without its end."""
        lines, _ = self._around(number)
        return lines[(number - 1) % _STRIDE]

    def without(self, numbers: Collection[int]) -> Iterator[Buffer]:
        """Yield the text without some lines, in pieces between them."""
        start = 0
        for number in sorted(numbers):
            before, after = self._span(number)
            if before > start:
                yield self._text[start:before]
            start = after
        if start < len(self._text):
            yield self._text[start:]

    def _span(self, number: int) -> tuple[int, int]:
        lines, start = self._around(number)
        before = (number - 1) % _STRIDE
        start += sum(map(len, lines[:before])) + before * len(self._end)
        return start, start + len(lines[before]) + len(self._end)

    def _around(self, number: int) -> tuple[list[bytes], int]:
        """Return the lines from the mark before a line to the next, and where they start."""
        block = (number - 1) // _STRIDE
        start = self._marks[block - 1] if block else 0
        end = self._marks[block] if block < len(self._marks) else len(self._text)
        return bytes(self._text[start:end]).split(self._end), start


class ListingImage:
    """The drop listing of one version of a maildrop.

    It holds nothing but its parts: thousands of sessions with small maildrops each have one, and
    a view of a part that is kept takes more than the part.
    """

    __slots__ = ("_parts", "count", "octets", "version")

    def __init__(self, version: Version, count: int, octets: int, parts: Sequence[Buffer]) -> None:
        self.version = version
        self.count = count
        self.octets = octets
        self._parts = tuple(parts) if count else _NO_PARTS

    # ---- as a drop listing

    def size(self, number: int) -> int:
        """Return the octets of a message on the wire."""
        size: int = _SIZE.unpack_from(self._parts[_SIZES], 8 * (number - 1))[0]
        return size

    def unique_id(self, number: int) -> bytes:
        """Return the unique-id of a message."""
        return self._lines(_UIDL).line(number).partition(b" ")[2]

    def scan_listing(self, marked: Collection[int]) -> Iterable[Buffer]:
        """Return the lines of LIST."""
        return self._lines(_LIST).without(marked)

    def unique_id_listing(self, marked: Collection[int]) -> Iterable[Buffer]:
        """Return the lines of UIDL."""
        return self._lines(_UIDL).without(marked)

    # ---- for the store

    @property
    def weight_octets(self) -> int:
        """What it takes in memory, about."""
        return _OVERHEAD_OCTETS + sum(map(len, self._parts))

    def name(self, number: int) -> bytes:
        """Return a message's file name with its folder, as of the scan."""
        return self._lines(_NAMES).line(number)

    def names(self) -> list[bytes]:
        """Return all file names, in order."""
        return bytes(self._parts[_NAMES + 1]).split(b"\0")[:-1]

    def names_in(self, folder: bytes) -> list[bytes]:
        """Return the file names that are in a folder, in order; fast if there are none."""
        start = folder + b"/"
        text = bytes(self._parts[_NAMES + 1])
        if not text.startswith(start) and b"\0" + start not in text:
            return []
        return [name for name in self.names() if name.startswith(start)]

    def which_may_hold(self, uniques: Collection[bytes]) -> set[bytes]:
        """Return those unique parts that some file name may begin with; fast if there are none."""
        if len(uniques) > _SEARCHES:
            return set(uniques)
        names = bytes(self._parts[_NAMES + 1]) if uniques else b""
        return {unique for unique in uniques if b"/" + unique in names}

    def sizes(self) -> "array[int]":
        """Return all sizes, in order."""
        return array("Q", bytes(self._parts[_SIZES]))

    def unique_ids(self) -> list[bytes]:
        """Return all unique-ids, in order."""
        return _UNIQUE_IDS.findall(self._parts[_UIDL + 1])

    def has_unique_id(self, unique_id: bytes) -> bool:
        """Say whether some message has it; for one question faster than to make a set."""
        return b" %b\r\n" % unique_id in bytes(self._parts[_UIDL + 1])

    def is_claim(self, number: int) -> bool:
        """Say whether nobody has counted a message's size yet."""
        claims = self._parts[_CLAIMS]
        return bool(claims) and bool(claims[number - 1])

    def claims(self) -> bytes:
        """Return an octet for each message, 1 for a claim; b"" where all sizes were counted."""
        return bytes(self._parts[_CLAIMS])

    @property
    def has_claims(self) -> bool:
        """Whether any size is a claim."""
        return bool(self._parts[_CLAIMS])

    def at(self, version: Version) -> "ListingImage":
        """Return the same listing as of another version."""
        return ListingImage(version, self.count, self.octets, self._parts)

    def parts(self) -> tuple[Buffer, ...]:
        """Return what it is made of, in the order of a file."""
        return self._parts

    def dump(self) -> Iterator[Buffer]:
        """Yield what `load` takes, piece by piece."""
        version = self.version
        head = _HEAD.pack(
            _MAGIC,
            _FORMAT,
            self.count,
            version.generation,
            version.new_changed_ns,
            version.cur_changed_ns,
            self.octets,
            *map(len, self._parts),
            0,
        )
        yield head[:-4] + struct.pack("=I", zlib.crc32(head[:-4]))
        yield from self._parts

    def _lines(self, part: int) -> _Lines:
        return _Lines(self._parts[part], self._parts[part + 1], _LINE_ENDS[part])


def empty(version: Version) -> ListingImage:
    """Return the image of a maildrop without messages."""
    return ListingImage(version, 0, 0, _NO_PARTS)


def load(data: Buffer) -> ListingImage | None:
    """Return the image that a buffer holds, sharing its memory; None: it holds none."""
    view = memoryview(data)
    if len(view) < _HEAD.size:
        return None
    magic, form, count, generation, new, cur, octets, *rest = _HEAD.unpack(view[: _HEAD.size])
    sizes, checksum = rest[:_PARTS], rest[-1]
    if (magic, form, checksum) != (_MAGIC, _FORMAT, zlib.crc32(view[: _HEAD.size - 4])):
        return None
    ends = list(accumulate(sizes, initial=_HEAD.size))
    if ends[-1] != len(view) or sizes[0] != 8 * count or sizes[_CLAIMS] not in (0, count):
        return None
    parts = [view[start:end] for start, end in pairwise(ends)]
    if not all(_fits(parts[part], parts[part + 1], count) for part in _LINE_ENDS):
        return None
    return ListingImage(Version(generation, new, cur), count, octets, parts)


def _fits(marks: memoryview, text: memoryview, count: int) -> bool:
    """Say whether a text and the marks in it can belong together."""
    if len(marks) != 4 * (count // _STRIDE) or bool(text) != bool(count):
        return False
    return not marks or marks.cast("I")[-1] <= len(text)


def render(
    version: Version,
    names: Sequence[bytes],
    sizes: "array[int]",
    unique_ids: Sequence[bytes],
    claims: bytes = b"",
) -> ListingImage:
    """Make the image of these messages."""
    return _append(version, None, names, sizes, unique_ids, claims)


def extend(
    image: ListingImage,
    version: Version,
    names: Sequence[bytes],
    sizes: "array[int]",
    unique_ids: Sequence[bytes],
    claims: bytes = b"",
) -> ListingImage:
    """Make the image of the same messages and some more; the old text is copied, not made anew."""
    return _append(version, image, names, sizes, unique_ids, claims)


def join_claims(before: bytes, count: int, behind: bytes, more: int) -> bytes:
    """Return the claims of `count` messages and `more` behind them; either may be b"" for none."""
    if b"\1" not in before and b"\1" not in behind:
        return b""
    return (before or bytes(count)) + (behind or bytes(more))


def _append(
    version: Version,
    image: ListingImage | None,
    names: Sequence[bytes],
    sizes: "array[int]",
    unique_ids: Sequence[bytes],
    claims: bytes,
) -> ListingImage:
    count = 0 if image is None else image.count
    numbers = range(count + 1, count + 1 + len(names))
    list_lines = [b"%d %d\r\n" % pair for pair in zip(numbers, sizes, strict=True)]
    uidl_lines = [b"%d %b\r\n" % pair for pair in zip(numbers, unique_ids, strict=True)]
    old = _NO_PARTS if image is None else image.parts()
    octets = sum(sizes) + (0 if image is None else image.octets)
    parts: list[Buffer] = [
        bytes(old[0]) + sizes.tobytes(),
        bytes(old[1]) + _marks(names, 1, len(old[2]), count),
        b"\0".join([bytes(old[2]) + names[0], *names[1:], b""]) if names else bytes(old[2]),
        bytes(old[3]) + _marks(list_lines, 0, len(old[4]), count),
        bytes(old[4]) + b"".join(list_lines),
        bytes(old[5]) + _marks(uidl_lines, 0, len(old[6]), count),
        bytes(old[6]) + b"".join(uidl_lines),
        join_claims(bytes(old[7]), count, claims, len(names)),
    ]
    return ListingImage(version, count + len(names), octets, parts)


def _marks(lines: Sequence[bytes], end_octets: int, text_octets: int, count: int) -> bytes:
    """Return where every sixteenth line ends, of lines that come behind `count` others.

    `end_octets`: of a line's end, where the lines come without.
    """
    first = _STRIDE - count % _STRIDE
    ends = islice(accumulate(map(len, lines)), first - 1, None, _STRIDE)
    places = enumerate(ends)
    return array(
        "I",
        [text_octets + end + end_octets * (first + at * _STRIDE) for at, end in places],
    ).tobytes()

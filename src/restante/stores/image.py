"""Listing images: one version of a maildrop in one buffer, ready for the wire.

The rendered LIST and UIDL, the sizes and the file names of all messages lie one behind another, so
that a big maildrop's image can be mapped from a file and costs a login nothing that grows with it.
An image is derived from the catalogue and never changes; a new version of the maildrop is a new
image. The folders' times of change say which state of the Maildir it shows.

Sizes that nobody has counted yet, only some file's name claims, are marked as claims.

Whatever is done for each of a hundred thousand lines is done in C: lines are made sixteen at a
time, which is where the marks in them stand.
"""

from __future__ import annotations

import re
import struct
import zlib
from array import array
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    # For its types alone: a process that surveys a maildrop imports nothing it can do without.
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from restante.maildrop import Buffer

_MAGIC = b"RESTLIST"
_FORMAT = 2
_SIZES, _NAMES, _LIST, _UIDL, _CLAIMS = 0, 1, 3, 5, 7
"""Where the parts are; names and the two listings are two parts each, marks and text."""
_PARTS = 8
_NO_PARTS: tuple[Buffer, ...] = (b"",) * _PARTS
_LINE_ENDS = {_NAMES: b"\0", _LIST: b"\r\n", _UIDL: b"\r\n"}
_SIZE = struct.Struct("=Q")
_UNIQUE_IDS = re.compile(rb" ([!-~]++)\r\n")
_OVERHEAD_OCTETS = 512
"""Of an image in a cache, besides its parts; there may be very many of empty maildrops."""
_SEARCHES = 32
_STRIDE = 16
"""Lines between two marks: an offset for each would be a tenth of an image."""
_NAMES_TO_MARK = re.compile(rb"[^\0]*+\0" * _STRIDE)
_HEAD = struct.Struct(f"=8sIIQQQQ{_PARTS}QI")


class Version(NamedTuple):
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

    def between(self, start: int, behind: int) -> memoryview:
        """Return the lines from one index to another, which have marks or are the ends."""
        return self._text[self._end_of(start) : self._end_of(behind)]

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
        first = (number - 1) // _STRIDE * _STRIDE
        start = self._end_of(first)
        return bytes(self._text[start : self._end_of(first + _STRIDE)]).split(self._end), start

    def _end_of(self, lines: int) -> int:
        """Return where so many lines end; what has no mark is the end of all."""
        block = -(-lines // _STRIDE)
        if not block:
            return 0
        return self._marks[block - 1] if block <= len(self._marks) else len(self._text)


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

    def sizes(self) -> array[int]:
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

    def pack(self, start: int, behind: int) -> tuple[Buffer, Buffer, Buffer]:
        """Return names, sizes and claims of some messages, NULs between the names.

        `start` is the index of the first, a multiple of sixteen, `behind` is one too or their
        count; no other message is looked at.
        """
        names = self._lines(_NAMES).between(start, behind)[:-1]
        claims = bytes(self._parts[_CLAIMS][start:behind])
        sizes = self._parts[_SIZES][8 * start : 8 * behind]
        return names, sizes, claims if b"\1" in claims else b""

    def packed_unique_ids(self, start: int, behind: int) -> bytes:
        """Return the unique-ids of the same, NULs between them."""
        return b"\0".join(_UNIQUE_IDS.findall(self._lines(_UIDL).between(start, behind)))

    def claims(self) -> bytes:
        """Return an octet for each message, 1 for a claim; b"" where all sizes were counted."""
        return bytes(self._parts[_CLAIMS])

    @property
    def has_claims(self) -> bool:
        """Whether any size is a claim."""
        return bool(self._parts[_CLAIMS])

    def at(self, version: Version) -> ListingImage:
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
    names: Sequence[bytes] | bytes,
    sizes: array[int],
    unique_ids: Sequence[bytes],
    claims: bytes = b"",
) -> ListingImage:
    """Make the image of these messages; `names` may be their text, a NUL behind each."""
    return _append(version, None, names, sizes, unique_ids, claims)


def extend(
    image: ListingImage,
    version: Version,
    names: Sequence[bytes] | bytes,
    sizes: array[int],
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
    names: Sequence[bytes] | bytes,
    sizes: array[int],
    unique_ids: Sequence[bytes],
    claims: bytes,
) -> ListingImage:
    count, octets, old = 0, 0, _NO_PARTS
    if image is not None:
        count, octets, old = image.count, image.octets, image.parts()
    more = len(sizes)
    numbers = list(range(count + 1, count + 1 + more))
    parts: list[Buffer] = [
        bytes(old[_SIZES]) + sizes.tobytes(),
        *_lengthen_names(old, count, names),
        *_lengthen(old, _LIST, count, b"%d %d\r\n", [numbers, sizes]),
        *_lengthen(old, _UIDL, count, b"%d %b\r\n", [numbers, unique_ids]),
        join_claims(bytes(old[_CLAIMS]), count, claims, more),
    ]
    return ListingImage(version, count + more, octets + sum(sizes), parts)


def _lengthen_names(
    old: tuple[Buffer, ...], count: int, names: Sequence[bytes] | bytes
) -> tuple[bytes, bytes]:
    if not isinstance(names, bytes):
        return _lengthen(old, _NAMES, count, b"%b\0", [names])
    if count:
        return _lengthen(old, _NAMES, count, b"%b\0", [names.split(b"\0")[:-1]])
    return array("I", [block.end() for block in _NAMES_TO_MARK.finditer(names)]).tobytes(), names


def _lengthen(
    old: tuple[Buffer, ...], part: int, count: int, form: bytes, columns: Sequence[Sequence[Any]]
) -> tuple[bytes, bytes]:
    """Return marks and text of `count` lines and of more behind them, made of columns."""
    width, more = len(columns), len(columns[0])
    fields: list[Any] = [None] * (width * more)
    for place, column in enumerate(columns):
        fields[place::width] = column
    blocks = _blocks(form, width, fields, -count % _STRIDE)
    before = len(old[part + 1])
    ends = accumulate(map(len, blocks), initial=before)
    marked = (count + more) // _STRIDE - count // _STRIDE
    marks = array("I", islice(ends, 1, 1 + marked)).tobytes()
    return bytes(old[part]) + marks, b"".join((old[part + 1], *blocks))


def _blocks(form: bytes, width: int, fields: list[Any], lines_to_mark: int) -> list[bytes]:
    """Return lines in blocks of sixteen, but for those to the first mark and behind the last.

    `form` is of one line, which takes `width` of the fields.
    """
    start = lines_to_mark * width
    fields_of_block = _STRIDE * width
    behind = max(start, len(fields) - (len(fields) - start) % fields_of_block)
    in_turn = islice(fields, start, behind)
    whole = map((form * _STRIDE).__mod__, zip(*[in_turn] * fields_of_block, strict=True))
    rest = [fields[:start], fields[behind:]]
    head, tail = (form * (len(some) // width) % tuple(some) for some in rest)
    return [*([head] if head else []), *whole, *([tail] if tail else [])]

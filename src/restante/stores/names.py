"""Names of files in a Maildir: which message one is, and what it claims of its size.

`unique[,S=octets][,W=octets][:2,flags]`. Other programs change the flags, move a file from `new`
to `cur`, and add sizes; the unique part is what stays.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

is_legal_unique_id = re.compile(rb"[!-~]{1,70}").fullmatch
"""RFC 1939 §7 (UIDL): 1 to 70 octets of 0x21 to 0x7E."""

_CLAIM_DIGITS = 12
"""No message has a terabyte; a claim of more is part of a name, and no sum of them overflows."""


class Name(NamedTuple):
    """What a file name says."""

    unique: bytes
    wire_size: int | None
    """`,W=`: octets with CRLF, as another program counted them."""


def parse(file_name: bytes) -> Name:
    """Take a file name (without its folder) apart."""
    unique = file_name.partition(b":")[0]
    wire_size = None
    while b"=" in unique:
        rest, _, claim = unique.rpartition(b",")
        digits = claim[2:]
        if claim[:2] not in (b"S=", b"W=") or not digits.isdigit() or len(digits) > _CLAIM_DIGITS:
            break
        if claim[:1] == b"W" and wire_size is None:
            wire_size = int(digits)
        unique = rest
    # A name that is nothing but claims or flags still is some message's.
    return Name(unique, wire_size) if unique else Name(file_name, None)


class Names(NamedTuple):
    """What many file names say, each list in their order."""

    uniques: list[bytes]
    wire_sizes: list[int | None]
    plain: bool
    """Whether each begins with ten digits of seconds, so that its octets sort it rightly, and can
    give its unique part as a unique-id."""


_REST = rb"(?:,S=\d{1,12}+|)(?:,W=(\d{1,12}+)|)(?::[^\0]*+|)\0"
_PLAIN = re.compile(rb"(?:new|cur)/(\d{10}\.[!-+\--9;<>-~]{1,59}+)" + _REST)
"""A name as nearly every program gives it, with its folder, behind it the one octet none holds."""
_REGULAR = re.compile(rb"(?:new|cur)/([^,:=\0]++)" + _REST)


def parse_all(relatives: Sequence[bytes]) -> Names:
    """Take file names (with their folders) apart."""
    return parse_text(b"\0".join((*relatives, b"")))


def parse_text(text: bytes) -> Names:
    """Take file names (with their folders) apart that stand in one text, a NUL behind each.

    One search over all of them is many times faster than a look at each; where nothing is left
    between what it finds, it has found each.
    """
    for form in (_PLAIN, _REGULAR):
        pieces = form.split(text)
        if not any(pieces[::3]):
            claims = pieces[2::3]
            if None in claims:
                wire_sizes = [None if claim is None else int(claim) for claim in claims]
            else:
                wire_sizes = list(map(int, claims))
            return Names(pieces[1::3], wire_sizes, form is _PLAIN)
    parsed = [parse(name[4:]) for name in text.split(b"\0")[:-1]]
    return Names([name.unique for name in parsed], [name.wire_size for name in parsed], False)


_are_visible = re.compile(rb"[!-~]*+").fullmatch


def are_legal_unique_ids(uniques: Sequence[bytes]) -> bool:
    """Say whether all of them, none of which is empty, can be unique-ids."""
    return bool(_are_visible(b"".join(uniques))) and max(map(len, uniques), default=0) <= 70


def arrival(relative: bytes) -> tuple[int, bytes]:
    """Return what messages seen for the first time together are ordered by."""
    name = relative[4:]
    seconds = name.partition(b".")[0]
    return (int(seconds) if seconds.isdigit() and len(seconds) <= 18 else 0), name

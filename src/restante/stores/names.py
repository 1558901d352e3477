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
    dated: bool
    """Whether each begins with ten digits of seconds, so that its octets sort it rightly."""


_REST = rb"(?:,S=\d{1,12})?(?:,W=(\d{1,12}))?(?::[^\0]*)?\0"
_DATED = re.compile(rb"(?:new|cur)/(\d{10}\.[^,:=\0]+)" + _REST)
"""A name as nearly every program gives it, with its folder, behind it the one octet none holds."""
_REGULAR = re.compile(rb"(?:new|cur)/([^,:=\0]+)" + _REST)


def parse_all(relatives: Sequence[bytes]) -> Names:
    """Take file names (with their folders) apart.

    One search over all of them is many times faster than a look at each, and where it finds as
    many as there are, it has found each: a name holds one slash, behind its folder.
    """
    text = b"".join([name + b"\0" for name in relatives])
    for form in (_DATED, _REGULAR):
        found = form.findall(text)
        if len(found) == len(relatives):
            return Names(
                [unique for unique, _ in found],
                [int(claim) if claim else None for _, claim in found],
                form is _DATED,
            )
    parsed = [parse(name[4:]) for name in relatives]
    dated = all(_is_dated(name) for name in relatives)
    return Names([name.unique for name in parsed], [name.wire_size for name in parsed], dated)


_is_dated = re.compile(rb"(?:new|cur)/\d{10}\.").match

are_legal_unique_ids = re.compile(rb"(?:[!-~]{1,70}\0)*").fullmatch
"""The same of many, each with a NUL behind it."""


def arrival(relative: bytes) -> tuple[int, bytes]:
    """Return what messages seen for the first time together are ordered by."""
    name = relative[4:]
    seconds = name.partition(b".")[0]
    return (int(seconds) if seconds.isdigit() and len(seconds) <= 18 else 0), name

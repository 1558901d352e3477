"""SASLprep: names and passwords brought to one form (RFC 4013, a profile of RFC 3454)."""

import stringprep
import unicodedata
from collections.abc import Callable

LONGEST_PREPARED_OCTETS = 1_024
"""Preparing takes the longer the more there is, and holds the interpreter meanwhile."""

_PROHIBITED: tuple[Callable[[str], bool], ...] = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str, *, allow_unassigned: bool = False) -> str:
    """Return the prepared form; `allow_unassigned` is for what is compared, not stored.

    Raises:
        ValueError: it holds what RFC 4013 §2.3 to §2.5 do not allow, or nothing is left of it.
    """
    if text.isascii():
        if not text or not text.isprintable():
            raise ValueError("a control character, or nothing at all")
        return text
    prepared = _normalised(text)
    if not prepared:
        raise ValueError("nothing is left of it")
    for character in prepared:
        if any(prohibits(character) for prohibits in _PROHIBITED):
            raise ValueError("a prohibited character")
        if not allow_unassigned and stringprep.in_table_a1(character):
            raise ValueError("an unassigned character")
    _check_direction(prepared)
    return prepared


def prepare_password(password: bytes) -> bytes:
    """Return the form of a password that is hashed (RFC 4616 §2, RFC 5802 §2.2).

    Departs from both: what cannot be prepared is taken as it is instead of being refused. Whoever
    has such a password has it elsewhere too, and the same octets still make the same hash.
    """
    if len(password) > LONGEST_PREPARED_OCTETS:
        return password
    try:
        return saslprep(password.decode("utf-8"), allow_unassigned=True).encode("utf-8")
    except ValueError:
        return password


def is_preparable(password: bytes) -> bool:
    """Say whether RFC 4013 lets somebody have this password."""
    if len(password) > LONGEST_PREPARED_OCTETS:
        return False
    try:
        saslprep(password.decode("utf-8"), allow_unassigned=True)
    except ValueError:
        return False
    return True


def _normalised(text: str) -> str:
    """Map and normalise (RFC 4013 §2.1, §2.2)."""
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    return unicodedata.ucd_3_2_0.normalize("NFKC", mapped)


def _check_direction(text: str) -> None:
    """Refuse a mix of directions (RFC 3454 §6)."""
    if not any(map(stringprep.in_table_d1, text)):
        return
    if any(map(stringprep.in_table_d2, text)):
        raise ValueError("left-to-right and right-to-left are mixed")
    if not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
        raise ValueError("right-to-left text is to begin and end so")

"""The words of device passwords: made at random, written in groups, read as people type them.

28 letters and digits out of 32, which are 140 bits: nobody guesses one, so a fast digest of it is
as good as a slow one. None looks like another: no 0 and o, no 1 and l.
"""

from secrets import choice

from restante.secret import Secret

_ALPHABET = "23456789abcdefghijkmnpqrstuvwxyz"
_CHARACTERS = 28
_GROUP = 4
_SEPARATORS = b"- "
_LETTERS = _ALPHABET.encode()

LONGEST_OCTETS = 128
"""Of what may be one, written with however many separators."""


def make() -> Secret:
    """Return a new device password, in the form that is kept."""
    return Secret("".join(choice(_ALPHABET) for _ in range(_CHARACTERS)).encode())


def read(password: bytes) -> Secret | None:
    """Return the form that is kept of a password as it was typed; None: it can be no device's.

    Separators and capitals make no difference.
    """
    if not _CHARACTERS <= len(password) <= LONGEST_OCTETS:
        return None
    bare = password.translate(None, _SEPARATORS).lower()
    if len(bare) != _CHARACTERS or bare.translate(None, _LETTERS):
        return None
    return Secret(bare)


def grouped(secret: Secret) -> Secret:
    """Return the form that people are shown: groups with hyphens between."""
    octets = secret.reveal()
    groups = [octets[at : at + _GROUP] for at in range(0, len(octets), _GROUP)]
    return Secret(b"-".join(groups))


def spellings(secret: Secret) -> tuple[bytes, bytes]:
    """Return what a program may have been given: as shown, and without the hyphens.

    A digest is of the octets as they were typed, so each spelling is another digest.
    """
    return grouped(secret).reveal(), secret.reveal()

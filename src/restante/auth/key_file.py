"""A key in a file of its own: random octets, readable by its owner alone, made once.

It is made beside and linked to its name, which fails where somebody was faster: two that need it at
the same moment end up with the same, and no crash leaves half of one.
"""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from restante.errors import RestanteError
from restante.secret import Secret

KEY_OCTETS = 32
_FORM_OCTETS = 2 * KEY_OCTETS + 1
"""Hexadecimal digits and a line end."""
_OTHERS = 0o077
"""The rights of a file that a key has to be without."""


class UnusableKey(RestanteError):
    """A key that is not there, or no key; the text is for the log."""


def read_key(path: Path, what: str) -> Secret:
    """Return the key of a file; `what` is its name in complaints.

    Raises:
        UnusableKey: it is damaged, or others can read it.
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        text, mode = file.read(_FORM_OCTETS + 1), os.fstat(descriptor).st_mode
    key = _read(text)
    # Raised out here: the error of a codec would carry the key along.
    if key is None:
        raise UnusableKey(f"{what} is damaged")
    if mode & _OTHERS:
        raise UnusableKey(f"{what} can be read or written by others: its mode has to be 600")
    return key


def _read(text: bytes) -> Secret | None:
    if len(text) == _FORM_OCTETS and text.endswith(b"\n"):
        with suppress(ValueError):
            octets = bytes.fromhex(text.decode("ascii"))
            return Secret(octets) if len(octets) == KEY_OCTETS else None
    return None


def make_key(path: Path) -> None:
    """Make the file of a key, unless there is one.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f"{path.name}.{token_hex(8)}")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(f"{token_hex(KEY_OCTETS)}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

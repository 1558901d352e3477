"""The fields that messages are made of, read strictly and within bounds.

What is malformed is told by a return value: an exception of the standard library would hold the
octets, a secret among them, and so would whatever is raised while it is handled.
"""

from binascii import Error as BadBase64
from binascii import a2b_base64, b2a_base64

NAME_OCTETS = 1024
"""RFC 4616 §2 wants 255 characters at least, which are up to 1,020 octets."""
PASSWORD_OCTETS = 4096
TOKEN_OCTETS = 65_536


def read_text(octets: bytes) -> str | None:
    """Return the text of octets; None: they are not UTF-8, or there is a NUL."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def read_name(octets: bytes) -> str | None:
    """Return a name, which may be empty; None: it is none, or too long for one."""
    return read_text(octets) if len(octets) <= NAME_OCTETS else None


def write_name(name: str) -> bytes | None:
    """Return the octets of a name, which may be empty; None: no message can carry it."""
    octets = name.encode("utf-8", "surrogatepass")
    return octets if read_name(octets) == name else None


def is_password(octets: bytes) -> bool:
    """Tell whether octets can be a password: UTF-8 without a NUL, neither empty nor endless."""
    return 0 < len(octets) <= PASSWORD_OCTETS and read_text(octets) is not None


def read_base64(octets: bytes) -> bytes | None:
    """Return what strict and canonical base64 stands for; None for anything else."""
    try:
        data = a2b_base64(octets, strict_mode=True)
    except BadBase64:
        return None
    return data if write_base64(data) == octets else None


def write_base64(data: bytes) -> bytes:
    """Return octets in base64, without a line end."""
    return b2a_base64(data, newline=False)

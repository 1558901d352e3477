"""MD5 and HMAC-MD5, for the two ways of logging in that were built on it (RFC 1321, RFC 2104).

Neither use rests on MD5 being free of collisions, so a platform that forbids it for security is
told that this is none; one that does not have it at all has neither APOP nor CRAM-MD5.
"""

import hashlib
import hmac
from functools import partial

DIGEST_OCTETS = 16

_md5 = partial(hashlib.md5, usedforsecurity=False)


def md5(data: bytes) -> bytes:
    """Return the digest, 16 octets."""
    return _md5(data).digest()


def hmac_md5(key: bytes, data: bytes) -> bytes:
    """Return the keyed digest, 16 octets."""
    return hmac.new(key, data, _md5).digest()


def md5_available() -> bool:
    """Tell whether this platform computes MD5; without it APOP and CRAM-MD5 cannot be offered."""
    try:
        md5(b"")
    except ValueError:
        return False
    return True


def hex_digest(text: bytes) -> bytes | None:
    """Return the 16 octets that 32 hexadecimal digits of either case stand for; None: they do not.

    RFC 1939 §7 (APOP): lower case is sent; there is nothing that taking upper case could harm.
    """
    if len(text) != 2 * DIGEST_OCTETS or not set(text) <= _HEX_DIGITS:
        return None
    return bytes.fromhex(text.decode("ascii"))


_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")

"""APOP: a digest over the timestamp of the greeting and a shared secret (RFC 1939 §7).

The command and the greeting are the protocol's; here is what both ends compute, and which
timestamp of a greeting a client may use.
"""

import hmac
import re

from restante.sasl.md5 import md5

# The first part ends at the first "@": whatever a server sends, one look is enough.
_TIMESTAMP = re.compile(rb"<[!-;=?A-~]+@[!-;=?-~]+>")


def apop_digest(timestamp: bytes, secret: bytes) -> bytes:
    """Return the digest, 16 octets; the timestamp is taken with its angle brackets."""
    return md5(timestamp + secret)


def check_apop(timestamp: bytes, secret: bytes, digest: bytes) -> bool:
    """Tell whether 16 octets are the digest, in constant time."""
    return hmac.compare_digest(apop_digest(timestamp, secret), digest)


def timestamp_of(greeting: bytes) -> bytes | None:
    """Return the timestamp of a greeting, the last where it has several; None: it has none.

    A server that chooses its timestamps freely can make MD5 collide and learn the secret octet by
    octet (CVE-2007-1558); for that it needs octets that no msg-id has. A greeting with any of them
    is not believed at all.
    """
    if not greeting.isascii():
        return None
    found = _TIMESTAMP.findall(greeting)
    return found[-1] if found else None

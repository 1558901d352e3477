"""CRAM-MD5: a keyed digest over a challenge of the server (RFC 2195)."""

import hmac

from restante.sasl.md5 import hmac_md5


def cram_md5_digest(challenge: bytes, secret: bytes) -> bytes:
    """Return the digest, 16 octets."""
    return hmac_md5(secret, challenge)


def check_cram_md5(challenge: bytes, secret: bytes, digest: bytes) -> bool:
    """Tell whether 16 octets are the digest, in constant time."""
    return hmac.compare_digest(cram_md5_digest(challenge, secret), digest)

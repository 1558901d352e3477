"""JWTs, verified here: the signature by a key of the issuer, and then the claims (RFC 8725, 9068).

The algorithm is one that the settings name, of those with a public key alone; the key has to be of
its kind. So neither `none` nor an HMAC under a public key is ever looked at.
"""

import base64
import binascii
import re
import time
from collections.abc import Callable

from joserfc import jws
from joserfc.errors import JoseError

from restante.auth.oauth2.claims import Claims, Rules
from restante.auth.oauth2.http import read_object
from restante.auth.oauth2.keys import Keys, PublicKey
from restante.auth.oauth2.options import OAuth2Options
from restante.secret import Secret

MAXIMUM_OCTETS = 16_384
_HEADER_OCTETS = 4_096
_KID_CHARACTERS = 255
_SIGNATURE_OCTETS = 1_024
_COMPACT = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC"}
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
"""What an access token may call itself (RFC 9068 §4); others are for something else."""


class JwtSource:
    """A source that knows whose a JWT is."""

    name = "oauth2"

    def __init__(
        self,
        options: OAuth2Options,
        keys: Keys,
        rules: Rules,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = options.issuer
        self._algorithms = frozenset(options.algorithms)
        self._keys = keys
        self._rules = rules
        self._wall_clock = wall_clock

    async def holder(self, token: Secret) -> str | None:
        """Return whose a token is; see the contract."""
        octets = token.reveal()
        claims = await self._verified(octets)
        if claims is None:
            return None
        holder = self._rules.holder(claims, self._wall_clock(), must_expire=True)
        return None if holder is None else holder.name

    async def close(self) -> None:
        """Let go of what is under way."""
        await self._keys.close()

    async def _verified(self, octets: bytes) -> Claims | None:
        """Return the claims of a token that the issuer has signed; None: of anybody else's."""
        match = _COMPACT.fullmatch(octets) if len(octets) <= MAXIMUM_OCTETS else None
        if match is None:
            return None
        header = _decoded(match[1]) if len(match[1]) <= _HEADER_OCTETS else None
        if header is None or not self._is_ours(header):
            return None
        # Nothing is proved by it yet, but for a token of somebody else no key is looked for.
        claims = _decoded(match[2])
        if claims is None or claims.get("iss") != self._issuer:
            return None
        algorithm, kid = str(header["alg"]), header.get("kid")
        keys = await self._keys.find(kid, _KINDS[algorithm[:2]])
        return claims if any(_is_signed(octets, key, algorithm) for key in keys) else None

    def _is_ours(self, header: Claims) -> bool:
        """Say whether a token of this header may be looked at further."""
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            return False
        if "kid" in header and not (isinstance(kid, str) and len(kid) <= _KID_CHARACTERS):
            return False
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            return False
        # RFC 7515 §4.1.11: what has to be understood and is not makes the token invalid. `b64` is
        # one of those; without `crit` it means nothing.
        return "crit" not in header and "b64" not in header


def _decoded(part: bytes) -> Claims | None:
    try:
        octets = base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return read_object(octets)


def _is_signed(octets: bytes, key: PublicKey, algorithm: str) -> bool:
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = _HEADER_OCTETS
    registry.max_signature_length = 2 * _SIGNATURE_OCTETS
    try:
        jws.deserialize_compact(octets, key, registry=registry)
    except (JoseError, ValueError, TypeError):
        return False
    return True

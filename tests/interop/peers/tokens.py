"""Bearer tokens for the accounts of a peer, signed with a key that it has too (RFC 7519, HS256)."""

import base64
import hashlib
import hmac
import json
import secrets
import time

LIFETIME_SECONDS = 86_400


class Issuer:
    """Who gives tokens out."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    @property
    def key(self) -> str:
        """Return the key in base64."""
        return base64.b64encode(self._key).decode()

    def token(self, name: str) -> str:
        """Return a token that is good for one account."""
        now = int(time.time())
        claims = {"sub": name, "iat": now, "nbf": now, "exp": now + LIFETIME_SECONDS}
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        signature = hmac.digest(self._key, signed.encode(), hashlib.sha256)
        return f"{signed}.{_text(signature)}"


def _part(value: dict[str, object]) -> str:
    return _text(json.dumps(value).encode())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")

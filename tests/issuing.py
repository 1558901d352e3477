"""An issuer of bearer tokens for tests: a key of its own, and JWTs that it signs."""

import json
import time
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey


class Issuer:
    """Whoever issues tokens to the accounts of one server."""

    url = "https://id.example.org"
    audience = "pop.example.org"
    lifetime_seconds = 3_600

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"kid": "tests"})

    def token(self, name: str) -> str:
        """Return a token that lets an account in."""
        claims = {
            "iss": self.url,
            "aud": self.audience,
            "exp": int(time.time()) + self.lifetime_seconds,
            "email": name,
            "email_verified": True,
        }
        header = {"alg": "ES256", "kid": "tests", "typ": "at+jwt"}
        return jwt.encode(header, claims, self._key)

    def source(self, keys: Path) -> str:
        """Write the public key to a file, and return the source that reads it, in TOML."""
        keys.write_text(json.dumps({"keys": [self._key.as_dict(private=False)]}))
        return (
            '[[auth.source]]\ntype = "oauth2"\n[auth.source.oauth2]\n'
            f'keys_file = "{keys}"\nissuer = "{self.url}"\naudience = ["{self.audience}"]\n'
        )

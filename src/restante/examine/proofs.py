"""What proves a password without sending it: the client's side of APOP, CRAM-MD5 and SCRAM.

Names and passwords of the suite's accounts are printable ASCII where these are used, which
SASLprep leaves as they are; what is sent unprepared on purpose is put in by the cases.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

TIMESTAMP = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")
ROUNDS_LIMIT = 1_000_000
"""A server that asks for more would have the suite compute for minutes."""


def timestamp_in(greeting: str) -> str | None:
    """Return the timestamp of a greeting, brackets included, if it has one."""
    found = TIMESTAMP.search(greeting)
    return found[0] if found else None


def apop_digest(timestamp: str, secret: str) -> str:
    """Return the digest of RFC 1939 §7."""
    octets = timestamp.encode("latin-1") + secret.encode()
    return hashlib.md5(octets, usedforsecurity=False).hexdigest()


def cram_response(name: str, secret: str, challenge: bytes) -> bytes:
    """Return the response of RFC 2195 §2."""
    return f"{name} {hmac.digest(secret.encode(), challenge, 'md5').hex()}".encode()


def _nonce() -> str:
    return secrets.token_urlsafe(18)


@dataclass(slots=True)
class Scram:
    """One exchange of RFC 5802 as the client sees it; `hash_name` is hashlib's."""

    hash_name: str
    name: str
    password: str
    header: str = "n,,"
    nonce: str = field(default_factory=_nonce)
    extension: str = ""
    server_first: str = ""
    bound: bytes = field(default=b"", init=False)
    """What the exchange is bound to; it stands behind the header in the final message."""

    @property
    def bare(self) -> str:
        """Return the first message behind its GS2 header."""
        escaped = self.name.replace("=", "=3D").replace(",", "=2C")
        return f"n={escaped},r={self.nonce}{self.extension}"

    @property
    def first(self) -> str:
        """Return the first message."""
        return self.header + self.bare

    def take(self, server_first: str) -> None:
        """Read the server's nonce, salt and rounds, raising ValueError where they are not there."""
        self.server_first = server_first
        if not 1 <= self.rounds <= ROUNDS_LIMIT:
            raise ValueError(f"the server asks for {self.rounds} rounds")
        if not self.salt:
            raise ValueError("the salt is empty")
        if not self.full_nonce.startswith(self.nonce):
            raise ValueError("the server's nonce does not begin with the client's")

    @property
    def salt(self) -> bytes:
        """Return the salt."""
        return base64.b64decode(self._attribute("s"), validate=True)

    @property
    def rounds(self) -> int:
        """Return the iteration count."""
        return int(self._attribute("i"))

    @property
    def full_nonce(self) -> str:
        """Return both nonces, as the server put them together."""
        return self._attribute("r")

    def final(
        self,
        *,
        header: str = "",
        nonce: str = "",
        spoilt: bool = False,
        bound: bytes | None = None,
    ) -> str:
        """Return the final message, with something else than is due on purpose."""
        data = self.bound if bound is None else bound
        binding = base64.b64encode((header or self.header).encode() + data).decode()
        unproven = f"c={binding},r={nonce or self.full_nonce}"
        key = self._mac(self._salted(), b"Client Key")
        signature = self._mac(hashlib.new(self.hash_name, key).digest(), self._signed(unproven))
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        if spoilt:
            proof = proof[:-1] + bytes([proof[-1] ^ 1])
        return f"{unproven},p={base64.b64encode(proof).decode()}"

    def verifier(self, final: str) -> str:
        """Return what the server has to say when it knows the password too."""
        unproven = final.rpartition(",p=")[0]
        key = self._mac(self._salted(), b"Server Key")
        return "v=" + base64.b64encode(self._mac(key, self._signed(unproven))).decode()

    def _attribute(self, letter: str) -> str:
        found = re.search(rf"(?:^|,){letter}=([^,]*)", self.server_first)
        if found is None:
            raise ValueError(f"the server's first message has no {letter}=")
        return found[1]

    def _salted(self) -> bytes:
        return hashlib.pbkdf2_hmac(self.hash_name, self.password.encode(), self.salt, self.rounds)

    def _signed(self, unproven: str) -> bytes:
        return f"{self.bare},{self.server_first},{unproven}".encode()

    def _mac(self, key: bytes, octets: bytes) -> bytes:
        return hmac.digest(key, octets, self.hash_name)

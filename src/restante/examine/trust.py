"""Trust: whose certificate may have a password sent to it.

The cases judge POP3 and not certificates, but they send a real password. So the certificate is
verified by every ordinary handshake, and what a case arranges by itself has to end at a
certificate that has been verified before.
"""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path


class Trust:
    """Trust in anybody, and what the kinds of trust below have in common."""

    def context(self) -> ssl.SSLContext:
        """Return a context for an ordinary handshake."""
        return self.new_context()

    def new_context(self) -> ssl.SSLContext:
        """Return a context that verifies as an ordinary one does, for its caller to change."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def learn(self, certificate: bytes | None) -> None:
        """Take note of what an ordinary handshake ended with."""

    def accepts(self, certificate: bytes | None) -> bool:
        """Tell whether a password may go to whoever has this certificate."""
        return True

    def refuses(self, certificate: bytes | None) -> bool:
        """Tell whether nothing at all is to be said to whoever has this certificate."""
        return False


ANYBODY = Trust()


class VerifiedTrust(Trust):
    """Trust in who has a certificate for the host from an authority that is known."""

    def __init__(self, authorities: Path | None = None) -> None:
        self._authorities = None if authorities is None else str(authorities)
        self._context = self.new_context()
        self._seen: set[bytes] = set()

    def context(self) -> ssl.SSLContext:
        """Return the context that verifies, the same each time: authorities take long to load."""
        return self._context

    def new_context(self) -> ssl.SSLContext:
        """Return another one."""
        return ssl.create_default_context(cafile=self._authorities)

    def learn(self, certificate: bytes | None) -> None:
        """Remember a certificate that has been verified."""
        if certificate is not None:
            self._seen.add(certificate)

    def accepts(self, certificate: bytes | None) -> bool:
        """Tell whether it has been verified before."""
        return certificate in self._seen


class PinnedTrust(Trust):
    """Trust in who has the one certificate with this fingerprint."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint

    def accepts(self, certificate: bytes | None) -> bool:
        """Compare the fingerprint."""
        return certificate is not None and fingerprint_of(certificate) == self._fingerprint

    def refuses(self, certificate: bytes | None) -> bool:
        """Tell of everybody else: unlike an authority's, this trust lets any handshake pass."""
        return not self.accepts(certificate)


def fingerprint_of(certificate: bytes) -> str:
    """Return the SHA-256 of a certificate in hexadecimal digits."""
    return hashlib.sha256(certificate).hexdigest()

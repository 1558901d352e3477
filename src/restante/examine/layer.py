"""TLS over a socket as the judge needs it: its octets stay apart from those of TCP.

The library's own socket class would hide how TLS ended, and leave no way to say something below
it. The context speaks with anybody: whose certificate it is, is not what the cases judge.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time

_CHUNK = 1 << 16


def tls_context() -> ssl.SSLContext:
    """Return a context that trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TlsLayer:
    """The client's side of TLS on a connected socket."""

    def __init__(self, below: socket.socket, context: ssl.SSLContext) -> None:
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing)
        self.ended_cleanly = False

    @property
    def version(self) -> str | None:
        """Return the version the handshake ended with."""
        return self._tls.version()

    @property
    def ticket_seconds(self) -> int | None:
        """Return how long the server lets the session be resumed by a ticket, if it gave one."""
        session = self._tls.session
        return session.ticket_lifetime_hint if session and session.has_ticket else None

    def handshake(self, deadline: float) -> None:
        """Do the handshake, raising OSError (ssl.SSLError among them) where it fails."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(deadline)
                if not self._feed(deadline):
                    raise ConnectionError("the connection ended in the handshake") from None
            else:
                self._flush(deadline)
                return

    def send(self, octets: bytes, deadline: float) -> None:
        """Send all of this."""
        self._tls.write(octets)
        self._flush(deadline)

    def receive(self, deadline: float) -> bytes:
        """Return what comes next, or nothing at the end."""
        while True:
            try:
                octets = self._tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                self._flush(deadline)
                self._feed(deadline)
            except ssl.SSLEOFError:
                return b""
            else:
                self.ended_cleanly = not octets
                return octets

    def half_close(self, deadline: float) -> None:
        """Say that nothing more will be sent, which TLS has its own word for."""
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        self._flush(deadline)

    def _feed(self, deadline: float) -> bool:
        """Take in what TCP has, and tell whether it goes on."""
        self._below.settimeout(max(deadline - time.monotonic(), 0.001))
        octets = self._below.recv(_CHUNK)
        if octets:
            self._incoming.write(octets)
        else:
            self._incoming.write_eof()
        return bool(octets)

    def _flush(self, deadline: float) -> None:
        """Send what TLS has to say."""
        self._below.settimeout(max(deadline - time.monotonic(), 0.001))
        self._below.sendall(self._outgoing.read())

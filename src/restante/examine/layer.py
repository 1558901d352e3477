"""TLS over a socket as the judge needs it: its octets stay apart from those of TCP.

The library's own socket class would hide how TLS ended, and leave no way to say something below
it. Whose certificate it is, is not what the cases judge; see `trust.py`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import ssl
import time

_CHUNK = 1 << 16
_UNREAD_LIMIT = 32 << 20
"""What a server may send while it is written to, before that is taken for a flood."""


def tls_context() -> ssl.SSLContext:
    """Return a context that trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def receive_some(below: socket.socket, deadline: float) -> bytes:
    """Return what TCP has next, raising TimeoutError where the time is up.

    A socket's own timeout begins anew with each call: octets that keep coming would go on for
    ever.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    below.settimeout(left)
    return below.recv(_CHUNK)


def name_to_indicate(host: str) -> str | None:
    """Return the host as a certificate would name it, if it has a name or an address."""
    address, _, _ = host.partition("%")
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(address))
    return host.removesuffix(".") or None


class TlsLayer:
    """The client's side of TLS on a connected socket."""

    def __init__(
        self,
        below: socket.socket,
        context: ssl.SSLContext,
        host: str = "",
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_hostname=name_to_indicate(host),
            session=session,
        )
        self.ended_cleanly = False

    @property
    def version(self) -> str | None:
        """Return the version the handshake ended with."""
        return self._tls.version()

    @property
    def unique(self) -> bytes | None:
        """Return what is called tls-unique (RFC 5929 §3)."""
        return self._tls.get_channel_binding("tls-unique")

    @property
    def session(self) -> ssl.SSLSession | None:
        """Return what a later handshake with the same context may take up again."""
        return self._tls.session

    @property
    def resumed(self) -> bool:
        """Tell whether the handshake took a session up again."""
        return bool(self._tls.session_reused)

    @property
    def ticket_seconds(self) -> int | None:
        """Return how long the server lets the session be resumed by a ticket, if it gave one."""
        session = self._tls.session
        return session.ticket_lifetime_hint if session and session.has_ticket else None

    @property
    def certificate(self) -> bytes | None:
        """Return the server's certificate in DER."""
        return self._tls.getpeercert(binary_form=True)

    def handshake(self, deadline: float) -> None:
        """Do the handshake, raising OSError (ssl.SSLError among them) where it fails."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(deadline)
                if not self._feed(deadline):
                    raise ConnectionError("the connection ended in the handshake") from None
            except ssl.SSLError:
                # The alert that says why; the server's log is the place to look for it.
                with contextlib.suppress(OSError):
                    self._flush(deadline)
                raise
            else:
                self._flush(deadline)
                return

    def send(self, octets: bytes, deadline: float) -> None:
        """Send all of this, taking in what the server says meanwhile."""
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
        octets = receive_some(self._below, deadline)
        if octets:
            self._incoming.write(octets)
        else:
            self._incoming.write_eof()
        return bool(octets)

    def _flush(self, deadline: float) -> None:
        """Send what TLS has to say; a server that does not read on may be waiting to be read."""
        view = memoryview(self._outgoing.read())
        poll = select.poll()
        poll.register(self._below, select.POLLIN | select.POLLOUT)
        while view:
            wait = max(0.0, deadline - time.monotonic())
            ready = dict(poll.poll(wait * 1000)).get(self._below.fileno(), 0)
            if ready & ~select.POLLIN:
                view = view[self._below.send(view) :]
            elif ready and self._incoming.pending < _UNREAD_LIMIT:
                if not self._feed(deadline):
                    poll.modify(self._below, select.POLLOUT)
            else:
                raise TimeoutError

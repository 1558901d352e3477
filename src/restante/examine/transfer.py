"""A conversation with a listener that takes mail, by SMTP (RFC 5321) or LMTP (RFC 2033).

As much of both as it takes to hand one message to one recipient. All of it has one deadline, and
a reply has a bound: the listener is as little to be trusted as the server under examination.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from types import TracebackType

from restante.examine.layer import receive_some

Address = tuple[str, int] | str
"""A host and a port, or the path of a UNIX socket."""

_REPLY_LIMIT = 64 << 10
_REPLY = re.compile(rb"(?:\d{3}-[^\n]*\n)*(\d{3})(?: ([^\n]*))?\r?\n")
_DOT = re.compile(rb"^\.", re.MULTILINE)


class Refused(Exception):
    """A reply that is not the one that leads on, or no reply at all."""


class Transfer:
    """One connection on which one message is handed over."""

    def __init__(self, address: Address, greeting_command: str, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._greeting_command = greeting_command
        self._buffer = b""
        self._socket = _connect(address, seconds)

    def envelope(self, recipient: str) -> None:
        """Begin and name the recipient; the sender is nobody, so that nothing comes back."""
        self._expect(b"220")
        self._say(f"{self._greeting_command} localhost")
        offered = self._expect(b"250").upper()
        self._say("MAIL FROM:<>" + (" BODY=8BITMIME" if b"8BITMIME" in offered else ""))
        self._expect(b"250")
        self._say(f"RCPT TO:<{recipient}>")
        self._expect(b"250", b"251")

    def message(self, octets: bytes) -> None:
        """Hand the message over; all its lines end in CRLF."""
        self._say("DATA")
        self._expect(b"354")
        # Behind a LF alone a dot is stuffed too, which some take for a line end.
        self._send(_DOT.sub(b"..", octets) + b".\r\n")
        self._expect(b"250")

    def __enter__(self) -> Transfer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._say("QUIT")
        self._socket.close()

    def _say(self, line: str) -> None:
        self._send(line.encode() + b"\r\n")

    def _send(self, octets: bytes) -> None:
        self._socket.settimeout(max(self._deadline - time.monotonic(), 0.001))
        self._socket.sendall(octets)

    def _expect(self, *codes: bytes) -> bytes:
        """Return the reply, raising Refused where its code is another."""
        while not (reply := _REPLY.match(self._buffer)):
            octets = receive_some(self._socket, self._deadline)
            if not octets or len(self._buffer) > _REPLY_LIMIT:
                raise Refused(f"no reply but {self._buffer[:80]!a}")
            self._buffer += octets
            if b"\n" in self._buffer and not self._buffer[:3].isdigit():
                raise Refused(f"no reply but {self._buffer[:80]!a}")
        self._buffer = self._buffer[reply.end() :]
        if reply[1] not in codes:
            raise Refused(f"{reply[0][:200].decode('latin-1').strip()!a}")
        return reply[0]


def _connect(address: Address, seconds: float) -> socket.socket:
    """Return a connection to a port or a path."""
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout=seconds)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection

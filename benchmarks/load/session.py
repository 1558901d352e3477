"""One POP3 session over a blocking socket that reads replies into one buffer, uncopied."""

import socket
import ssl
from types import TracebackType
from typing import Self

from benchmarks.load.expectation import ReplyWrong

_FIRST_BUFFER_OCTETS = 1 << 20
_TIMEOUT_SECONDS = 120.0
_END = b"\r\n.\r\n"


class Session:
    """A connection in lock-step: one command, then its whole reply."""

    def __init__(self, address: tuple[str, int], tls: ssl.SSLContext | None = None) -> None:
        raw = socket.create_connection(address, _TIMEOUT_SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = raw if tls is None else tls.wrap_socket(raw, server_hostname="localhost")
        self._buffer = bytearray(_FIRST_BUFFER_OCTETS)
        self._view = memoryview(self._buffer)
        self._receive_line()

    def __enter__(self) -> Self:
        """Return the session itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._socket.close()

    def log_in(self, user: str, password: str) -> None:
        """Say USER and PASS."""
        self.command(b"USER " + user.encode("ascii"))
        self.command(b"PASS " + password.encode("ascii"))

    def command(self, line: bytes) -> bytes:
        """Send a command and return its one line of reply, which must be positive."""
        self._socket.sendall(line + b"\r\n")
        return self._receive_line()

    def listing(self, line: bytes) -> memoryview:
        """Send a command and return what follows the status line, valid until the next command."""
        self._socket.sendall(line + b"\r\n")
        filled = self._receive_some(0)
        while not self._complete(filled):
            filled = self._receive_some(filled)
        status_end = self._buffer.index(b"\n", 0, filled) + 1
        return self._view[status_end:filled]

    def quit(self) -> None:
        """Say QUIT and wait until the server has closed."""
        self.command(b"QUIT")
        if self._socket.recv(1):
            raise ReplyWrong("octets behind the reply to QUIT")

    def cipher(self) -> str:
        """Return the version of TLS and the cipher suite in use, nothing in clear."""
        if not isinstance(self._socket, ssl.SSLSocket):
            return ""
        suite = self._socket.cipher()
        return f"{self._socket.version()}, {suite[0] if suite else 'no cipher'}"

    def _receive_line(self) -> bytes:
        filled = self._receive_some(0)
        while self._buffer[filled - 1] != 0x0A:
            filled = self._receive_some(filled)
        line = bytes(self._view[:filled])
        if not line.startswith(b"+OK"):
            raise ReplyWrong(f"refused: {line!r}")
        return line

    def _receive_some(self, filled: int) -> int:
        if filled == len(self._buffer):
            larger = bytearray(2 * filled)
            larger[:filled] = self._buffer
            self._buffer, self._view = larger, memoryview(larger)
        got = self._socket.recv_into(self._view[filled:])
        if not got:
            raise ReplyWrong("the server closed in the middle of a session")
        return filled + got

    def _complete(self, filled: int) -> bool:
        if self._buffer[0] != 0x2B:
            raise ReplyWrong(f"refused: {bytes(self._view[: min(filled, 200)])!r}")
        return self._view[max(0, filled - 5) : filled] == _END

"""One connection as the judge uses it: every wait has a deadline, every buffer a bound.

What it meets is reported by raising `Silent`, `Ended` or `Flooded`; what POP3 means by the octets
is none of its business beyond line ends and the final dot.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable

from restante.examine.layer import TlsLayer, receive_some, tls_context
from restante.examine.outcome import Ended, Flooded, Silent, Unmet, Unreachable
from restante.examine.record import Record
from restante.examine.replies import Answer, Status

LINE_LIMIT = 1 << 20
REPLY_LIMIT = 32 << 20
REPLY_LINES_LIMIT = 1 << 20
_GLANCE_SECONDS = 0.01


class Wire:
    """A TCP connection to the server, in clear or under TLS, with its side of the record.

    Each wait ends after `patience` seconds, and all of them `until` the end of the run. `watch`
    sees everything before it is sent, and raises where it must not be.
    """

    def __init__(
        self,
        address: tuple[str, int],
        patience: float,
        record: Record,
        number: int,
        *,
        until: float = math.inf,
        watch: Callable[[Wire, bytes], None] = lambda wire, octets: None,
    ) -> None:
        self.patience_seconds = patience
        self._until = until
        self._record = record
        self._number = number
        self._watch = watch
        self._buffer = bytearray()
        self.host = address[0]
        self.tls: TlsLayer | None = None
        try:
            wait = max(self.deadline() - time.monotonic(), 0.001)
            self._socket = socket.create_connection(address, timeout=wait)
        except (OSError, UnicodeError) as error:
            cause = getattr(error, "strerror", None) or error
            raise Unreachable(f"no connection: {cause}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._event("connected")

    def start_tls(
        self, context: ssl.SSLContext | None = None, session: ssl.SSLSession | None = None
    ) -> None:
        """Do the handshake, raising OSError (ssl.SSLError among them) where it fails."""
        if self._buffer:
            raise ConnectionError(f"octets in clear came before it: {bytes(self._buffer[:40])!a}")
        layer = TlsLayer(self._socket, context or tls_context(), self.host, session)
        layer.handshake(self.deadline())
        self.tls = layer
        self._event(f"TLS is up: {layer.version}")

    def send(self, octets: bytes, *, shown: bytes | None = None, cut: int = 0) -> None:
        """Send octets, in segments of `cut` where it is given; `shown` goes into the record."""
        self._watch(self, octets)
        self._record.note(self._number, "C", octets if shown is None else shown)
        size = cut or len(octets) or 1
        try:
            for start in range(0, len(octets), size):
                self._send_segment(octets[start : start + size])
        except TimeoutError as error:
            raise Silent("the server stopped reading") from error
        except OSError:
            return  # it closed; what it said before is still to be read

    def _send_segment(self, octets: bytes) -> None:
        """Send, and where the server does not read on, read first what it has to say."""
        deadline = self.deadline()
        if self.tls is not None:
            self.tls.send(octets, deadline)
            return
        view = memoryview(octets)
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | select.POLLOUT)
        while view:
            wait = max(0.0, deadline - time.monotonic())
            ready = dict(poll.poll(wait * 1000)).get(self._socket.fileno(), 0)
            if ready & ~select.POLLIN:
                view = view[self._socket.send(view) :]
            elif ready:
                self._fill(deadline)
            else:
                raise TimeoutError

    def status(self) -> Status:
        """Read the first line of a reply."""
        status = Status(self._line(self.deadline()))
        self._record.note(self._number, "S", status.raw)
        if not status.raw.startswith((b"+", b"-ERR")):
            raise Unmet(f"not a reply of POP3: {status.line[:80]!a}")
        return status

    def line(self) -> bytes:
        """Read one line, whatever it says."""
        line = self._line(self.deadline())
        self._record.note(self._number, "S", line)
        return line

    def answer(self) -> Answer:
        """Read a multi-line reply; raises Unmet where it is negative."""
        status = self.status()
        if not status.positive:
            raise Unmet(f"the reply is {status.line[:80]!a}, not +OK and its lines")
        return Answer(status, self.lines())

    def lines(self) -> tuple[bytes, ...]:
        """Read the lines behind a status line, up to the final dot."""
        deadline = self.deadline(periods=2)
        lines: list[bytes] = []
        room = REPLY_LIMIT
        while (line := self._line(deadline)) not in (b".\r\n", b".\n"):
            lines.append(line)
            room -= len(line)
            if room < 0 or len(lines) > REPLY_LINES_LIMIT:
                raise Flooded(f"a reply of more than {REPLY_LIMIT} octets or a million lines")
        self._record.note(self._number, "S", b"".join(lines) + line)
        return tuple(lines)

    def rest(self) -> bytes:
        """Read until the server closes and return what came."""
        deadline = self.deadline()
        while self._receive(deadline):
            pass
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._record.note(self._number, "S", rest)
        self._event("the server closed")
        return rest

    def glance(self) -> bytes:
        """Take what has come by now, without waiting, raising Ended behind the last of it."""
        if not self._receive_at_hand() and not self._buffer:
            raise Ended("the server closed the connection")
        return self._taken()

    def sip(self, limit: int) -> bytes:
        """Take at most so many octets, waiting where there are none."""
        with contextlib.suppress(Silent):
            # What TLS has taken in already shows nowhere below it.
            while len(self._buffer) < limit and self._receive(time.monotonic() + _GLANCE_SECONDS):
                pass
        if not self._buffer:
            self._fill(self.deadline())
        octets = bytes(self._buffer[:limit])
        del self._buffer[:limit]
        return octets

    def exactly(self, count: int, deadline: float) -> bytes:
        """Read this many octets, for what is not POP3."""
        while len(self._buffer) < count:
            self._fill(deadline)
        octets = bytes(self._buffer[:count])
        del self._buffer[:count]
        return octets

    def deadline(self, periods: int = 1) -> float:
        """Return when a wait that begins now ends."""
        return min(time.monotonic() + periods * self.patience_seconds, self._until)

    def half_close(self) -> None:
        """Say that nothing more will be sent."""
        self._event("half-closed by the suite")
        with contextlib.suppress(OSError):
            if self.tls is not None:
                self.tls.half_close(self.deadline())
            else:
                self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close without a word."""
        with contextlib.suppress(OSError, ValueError):
            self._socket.close()

    def reset(self) -> None:
        """Close with a TCP reset."""
        self._event("reset by the suite")
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def remark(self, text: str) -> None:
        """Put into the record what is not said by either side."""
        self._event(text)

    def break_tls(self) -> None:
        """Send octets that no TLS record begins with, below TLS, and wait for the close."""
        self._event("octets outside TLS sent by the suite")
        deadline = self.deadline()
        with contextlib.suppress(OSError):
            self._socket.settimeout(self.patience_seconds)
            self._socket.sendall(b"\0" * 16)
            while receive_some(self._socket, deadline):
                pass

    def _line(self, deadline: float) -> bytes:
        """Take one line, end included."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LINE_LIMIT:
                raise Flooded(f"a line of more than {LINE_LIMIT} octets")
            self._fill(deadline)
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    def _taken(self) -> bytes:
        """Return what is in the buffer, which goes into the record."""
        octets = bytes(self._buffer)
        self._buffer.clear()
        if octets:
            self._record.note(self._number, "S", octets)
        return octets

    def _fill(self, deadline: float) -> None:
        """Receive once, raising where the connection has ended."""
        if not self._receive(deadline):
            left = f" after {bytes(self._buffer[:80])!a}" if self._buffer else ""
            raise Ended("the server closed the connection" + left)

    def _receive(self, deadline: float) -> bool:
        """Receive once and tell whether anything came before the end of the connection."""
        if len(self._buffer) > REPLY_LIMIT:
            raise Flooded(f"more than {REPLY_LIMIT} octets nobody asked for")
        try:
            octets = self._receive_octets(deadline)
        except TimeoutError as error:
            raise Silent(f"no answer within {self.patience_seconds:g} s") from error
        except OSError:
            octets = b""
        self._buffer += octets
        return bool(octets)

    def _receive_at_hand(self) -> bool:
        """Receive what has come by now, and tell whether the connection goes on."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(0):
            return True
        try:
            return self._receive(time.monotonic() + _GLANCE_SECONDS)
        except Silent:
            return True  # under TLS, where it is not the whole of anything yet

    def _receive_octets(self, deadline: float) -> bytes:
        """Return what comes next, out of TLS where it is up."""
        if self.tls is not None:
            return self.tls.receive(deadline)
        return receive_some(self._socket, deadline)

    def _event(self, text: str) -> None:
        """Record something that is not said in POP3."""
        self._record.note(self._number, "*", text.encode())

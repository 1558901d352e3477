"""Connection: octets between one transport and one session, in clear or under TLS.

Here are the pump, backpressure in both directions, and the deadlines. What the session's events
mean is the driver's matter. Nothing said in clear can reach the session under TLS: octets go
either to the session or to the TLS engine, and the switch happens between two calls of the
transport (threats T1, T3).
"""

import asyncio
import fcntl
import struct
import termios
from sys import intern
from typing import TYPE_CHECKING, cast

from restante.identity import Peer
from restante.protocol import ServerSession
from restante.protocol.replies import status_line
from restante.sasl.mechanism import Channel
from restante.server.backlog import LONG_OCTETS
from restante.server.driver import Driver
from restante.server.limits import Places
from restante.server.offering import Offering, local_end, plain_address
from restante.server.outlet import CHUNK_OCTETS, Buffer, Outlet
from restante.server.registry import SessionDescription
from restante.server.tls import TlsEngine, TlsFailed
from restante.telemetry import Event, Rendered, render_peer

if TYPE_CHECKING:
    from restante.server.service import Service

WRITE_HIGH_OCTETS = CHUNK_OCTETS
WRITE_LOW_OCTETS = CHUNK_OCTETS // 2
"""Between these the next chunk is fetched, so that a client that does not read costs one."""
LINGER_SECONDS = 5.0
TOO_MANY_CONNECTIONS = status_line(False, "too many connections, try again later", "SYS/TEMP")


class Connection(asyncio.Protocol):
    """One client."""

    __slots__ = (
        "_active_at",
        "_address",
        "_closing",
        "_driver",
        "_engine",
        "_heard",
        "_input_ended",
        "_local",
        "_lost",
        "_number",
        "_offering",
        "_opened_at",
        "_outlet",
        "_places",
        "_port",
        "_service",
        "_taken_at",
        "_tls",
        "_tls_since",
        "_transport",
        "_unacknowledged",
        "_unread_octets",
        "_writing_paused",
        "congested",
        "reading_paused",
        "session",
    )

    def __init__(self, service: "Service", offering: Offering) -> None:
        self._service = service
        self._offering = offering
        self._engine: TlsEngine | None = None
        self._outlet: Outlet | None = None
        self._unread_octets = self._unacknowledged = 0
        """As last seen: what waits to be written, and what the client's machine has not taken."""
        self._taken_at = 0.0
        self._places: Places | None = None
        """Where it is counted; None: nowhere, it was not let in or is gone."""
        self._driver: Driver | None = None
        self.reading_paused = False
        """The session is behind, so no more is read from the client."""
        self._writing_paused = False
        self.congested = False
        """Output waits for the client to read."""
        self._closing = self._lost = self._input_ended = False
        self._heard = False
        """The client sent something since the last tick."""
        self._tls_since = 0.0
        self._tls: str | None = None

    # ---- the transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the client at the other end."""
        remote = transport.get_extra_info("peername") or ("", 0)
        self.open(transport, (remote[0], remote[1]), self._offering.local or local_of(transport))

    def open(
        self, transport: asyncio.BaseTransport, remote: tuple[str, int], local: tuple[str, int]
    ) -> None:
        """Admit the client, or turn it away without a word in TLS's way."""
        self._transport = cast(asyncio.Transport, transport)
        service, offering = self._service, self._offering
        self._active_at = service.now
        self._opened_at: float | None = service.now
        """None: it has logged in."""
        self._number = service.registry.next_number()
        # Many connections come from few addresses, and to fewer.
        self._address, self._port = intern(plain_address(remote[0])), remote[1]
        self._local = local
        places: Places | str = "descriptors"
        if service.session_count < service.capacity:
            places = service.limits.admit(self._address)
        if isinstance(places, str):
            self._turn_away(places)
            return
        self._places = places
        service.registry.add(self._number, self)
        implicit_tls = offering.implicit_tls
        offer = offering.under_tls() if implicit_tls else offering.in_clear(self._address)
        timestamp = service.mechanisms.timestamp() if offer.apop else b""
        self.session = ServerSession(offer, service.session_options, timestamp)
        self._driver = Driver(service, self)
        if implicit_tls:
            self._begin_tls()
        else:
            self.flush()

    def data_received(self, data: bytes) -> None:
        """Hand octets to the session, through TLS where that is on."""
        driver = self._driver
        if driver is None or self._closing:
            return
        self._heard = True
        if self._engine is None:
            self.session.receive_data(data)
        elif not self._receive_ciphertext(self._engine, data):
            return
        driver.advance()
        if self._opened_at is not None:
            backlog = self._service.backlog
            if backlog or self.octets_waiting > LONG_OCTETS:
                backlog.look(self)

    def eof_received(self) -> bool:
        """Let a client that sends no more still have its answers."""
        if self._driver is None or self._closing:
            return False
        if self._engine is not None and not self._engine.peer_closed:
            # TLS has its own end; without it the stream may have been cut by anybody.
            return False
        self._input_ended = True
        self.session.receive_eof()
        self._driver.advance()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything, without UPDATE."""
        self._closing = self._lost = True
        if self._places is not None:
            self._service.limits.leave(self._places, logged_in=self._opened_at is None)
            self._places = None
            self._service.registry.remove(self._number)
            self._service.backlog.leave(self)
        if self._driver is not None:
            self._driver.abandon("client gone")
            self._driver = None
        self._outlet = None
        self._engine = None

    def pause_writing(self) -> None:
        """Stop answering: the client does not read."""
        self._writing_paused = self.congested = True

    def resume_writing(self) -> None:
        """Go on answering."""
        self._writing_paused = False
        self.congested = bool(self._outlet)
        if self._driver is None:
            return
        # The client took something, even if as much waits again by the next tick.
        self._unread_octets = -1
        self._pump()
        if not self._closing:
            self._driver.advance()

    # ---- what the driver asks

    @property
    def peer(self) -> Peer:
        """Both ends of it, made when somebody asks: it may be idle for most of its life."""
        host, port = self._local
        name = self._service.registry.name_of(self._number)
        return Peer(self._address, self._port, host, port, name, self._tls)

    @property
    def origin(self) -> Rendered:
        """The fields of a log line that say which connection it is about."""
        host, port = self._local
        name = self._service.registry.name_of(self._number)
        return render_peer(self._address, self._port, host, port, name, self._tls)

    @property
    def octets_waiting(self) -> int:
        """Octets of the client's that its session has not looked at."""
        return self.session.octets_waiting

    @property
    def unnoticed(self) -> bool:
        """Whether its end before a login is worth no line of the log."""
        return self._offering.unnoticed

    def channel(self, random: bytes) -> Channel:
        """Return what a mechanism may have to know of it, together with fresh octets."""
        engine, certificate = self._engine, None
        bindings: dict[str, bytes] = {}
        names: frozenset[str] = frozenset()
        if engine is not None:
            bindings = engine.bindings()
            certificate, names = engine.client_certificate, engine.names
        return Channel(
            hostname=self._service.options.hostname,
            other_names=names | {self._local[0]},
            random=random,
            bindings=bindings,
            binding_offered=bool(bindings) and self._offering.binds,
            certificate=certificate,
        )

    def flush(self) -> bool:
        """Send what the session has to say; False: there was nothing."""
        engine = self._engine
        if self._lost or (engine is not None and not engine.handshake_complete):
            return False
        buffers = self.session.data_to_send()
        if not buffers:
            return False
        if (
            engine is None
            and len(buffers) == 1
            and len(buffers[0]) <= CHUNK_OCTETS
            and not self.congested
        ):
            self._transport.write(buffers[0])
        elif self.congested or sum(map(len, buffers)) > CHUNK_OCTETS:
            self._queue(buffers)
        else:
            self._write(buffers)
        return True

    def begin_tls(self) -> None:
        """Switch to TLS behind the reply to STLS."""
        self.flush()
        self._begin_tls()

    def logged_in(self) -> None:
        """Count this connection among the authenticated ones."""
        if self._places is not None and self._opened_at is not None:
            self._service.limits.logged_in(self._places)
        self._service.backlog.leave(self)
        self._opened_at = None

    def close(self, *, linger: bool) -> None:
        """Close behind what waits to be sent.

        `linger`: the client may still be sending; closing at once would answer that with a reset,
        and the reset could reach it before the last reply does.
        """
        self._closing = True
        self._active_at = self._service.loop.time()
        if self._lost or self.congested:
            # `_pump` comes back here when the last of it is written.
            return
        if self._engine is not None:
            self._engine.close()
            self._send_ciphertext(self._engine)
        if linger and not self._input_ended and self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    # ---- what the service asks

    def tick(self, now: float) -> None:
        """Look at the deadlines."""
        if self._heard:
            # Only here, so that nobody is held idle for longer than they are.
            self._heard = False
            self._active_at = now
        unread = self._transport.get_write_buffer_size() + (1 if self._outlet else 0)
        if unread != self._unread_octets:
            self._unread_octets = unread
            self._taken_at = self._active_at = now
            if unread:
                self._unacknowledged = _unacknowledged_octets(self._transport)
        limits = self._service.options.limits
        if unread and now - self._taken_at > limits.write_stall_seconds:
            self._check_stall(now)
        elif self._closing:
            if not unread and now - self._active_at > LINGER_SECONDS:
                self._transport.abort()
        elif self._tls_since and now - self._tls_since > limits.tls_handshake_seconds:
            self.drop("tls handshake timeout")
        elif not self.session.authenticated:
            opened_at = now if self._opened_at is None else self._opened_at
            late = now - opened_at > limits.before_login_seconds
            # How long a disk takes is not the client's fault, and it has said who it is.
            if late and not (self._driver is not None and self._driver.opening):
                self.drop("login timeout")
        elif now - self._active_at > limits.autologout_seconds and not self.session.answer_due:
            self._check_autologout(now)

    def drain(self) -> None:
        """End now if the session waits for a command, else behind the reply it is at."""
        if self._driver is not None and not self._closing:
            self._driver.drain()

    def drop(self, reason: str) -> None:
        """End at once, without UPDATE and without a reply."""
        if self._driver is not None:
            self._driver.abandon(reason)
        self._closing = True
        self._transport.abort()

    def describe(self) -> SessionDescription:
        """Return what `who` tells of this session."""
        peer = self.peer
        description: SessionDescription = {
            "session": peer.session,
            "address": peer.address,
            "port": peer.port,
            "local_address": peer.local_address,
            "local_port": peer.local_port,
            "tls": peer.tls,
            "idle_seconds": round(self._service.loop.time() - self._active_at, 3),
        }
        if self._driver is not None:
            description |= self._driver.describe()
        return description

    # ---- TLS

    def _begin_tls(self) -> None:
        certificates = self._service.certificates
        assert certificates is not None
        self._tls_since = self._service.loop.time()
        self._engine = TlsEngine(certificates)

    def _receive_ciphertext(self, engine: TlsEngine, data: bytes) -> bool:
        """Decrypt; False: there is nothing to answer, or nobody."""
        try:
            pieces = engine.receive(data)
        except TlsFailed as failure:
            self._service.flood_log(Event.TLS_FAILED, reason=str(failure), peer=self.origin)
            self._send_ciphertext(engine)
            self._closing = True
            assert self._driver is not None
            self._driver.abandon("tls failed")
            self._transport.close()
            return False
        if self._tls_since and engine.handshake_complete:
            self._tls_begun(engine)
        self._send_ciphertext(engine)
        for piece in pieces:
            self.session.receive_data(piece)
        if engine.peer_closed:
            self.session.receive_eof()
        return engine.handshake_complete

    def _tls_begun(self, engine: TlsEngine) -> None:
        self._tls_since = 0.0
        self._tls = engine.description
        offering = self._offering
        offer = offering.under_tls(
            binding=engine.bindable, certificate=engine.client_certificate is not None
        )
        if offering.implicit_tls:
            self.session.offer_instead(offer)
            self.flush()
        else:
            self.session.tls_established(offer)

    def _send_ciphertext(self, engine: TlsEngine) -> None:
        data = engine.data_to_send()
        if data:
            self._transport.write(data)

    # ---- output and input

    def _write(self, buffers: list[Buffer]) -> None:
        if self._engine is not None:
            # Together: each buffer by itself would be a record by itself.
            data = buffers[0] if len(buffers) == 1 else b"".join(buffers)
            buffers = cast(list[Buffer], self._engine.encrypt(data))
        if len(buffers) == 1:
            self._transport.write(buffers[0])
        else:
            self._transport.writelines(buffers)

    def _queue(self, buffers: list[Buffer]) -> None:
        if self._outlet is None:
            self._outlet = Outlet()
            self._transport.set_write_buffer_limits(WRITE_HIGH_OCTETS, WRITE_LOW_OCTETS)
        self._outlet.put(buffers)
        self.congested = True
        self._pump()

    def _pump(self) -> None:
        while self._outlet and not self._writing_paused:
            self._write(self._outlet.take())
        self.congested = self._writing_paused or bool(self._outlet)
        if self._closing and not self.congested:
            self.close(linger=False)

    def throttle_reading(self) -> None:
        """Read no more from a client whose octets the session has not caught up with."""
        full = self.session.octets_waiting > self._offering.input_octets
        if full and not self.reading_paused and not self._closing:
            self.reading_paused = True
            self._transport.pause_reading()
        elif self.reading_paused and not full and not self._closing:
            self.reading_paused = False
            self._transport.resume_reading()

    def _turn_away(self, reason: str) -> None:
        self._closing = True
        self._service.flood_log(Event.CONNECTION_REFUSED, reason=reason, peer=self.origin)
        if not self._offering.implicit_tls:
            self._transport.write(TOO_MANY_CONNECTIONS)
        self._transport.close()

    # ---- deadlines

    def _check_stall(self, now: float) -> None:
        """End a session whose client takes nothing.

        The system asks for more only when much of what it holds is gone: of a client that reads
        slowly it may hear for minutes while the transport has nothing to tell.
        """
        if self._is_taking():
            self._taken_at = self._active_at = now
        else:
            self.drop("client does not read")

    def _check_autologout(self, now: float) -> None:
        """End an idle session, silently (RFC 1939 §3), unless its client is still reading."""
        if self._is_taking():
            self._active_at = now
        else:
            self.drop("autologout")

    def _is_taking(self) -> bool:
        """Tell whether the client's machine has taken something since this was last looked at."""
        unacknowledged = _unacknowledged_octets(self._transport)
        if not unacknowledged or unacknowledged == self._unacknowledged:
            return False
        self._unacknowledged = unacknowledged
        return True


def local_of(transport: asyncio.BaseTransport) -> tuple[str, int]:
    """Return where a connection came to."""
    name = transport.get_extra_info("sockname") or ("", 0)
    return local_end(name[0], name[1])


def _unacknowledged_octets(transport: asyncio.Transport) -> int:
    sock = transport.get_extra_info("socket")
    if sock is None:
        return 0
    try:
        answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    except OSError:
        return 0
    return cast(int, struct.unpack("i", answer)[0])

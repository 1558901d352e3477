"""Arrival: a connection to a listener that proxies send to, until it is known whose it is.

Who comes from elsewhere is handed on at once. From a trusted sender a header has to come first, and
nothing is said before it; with it the transport gets a `Connection` for whom the header names, and
whatever came behind it in the same segment. An arrival counts among all connections, not among
those of its address: its proxy is the one address of all its clients.
"""

import asyncio
from sys import intern
from typing import TYPE_CHECKING, cast

from restante.server import proxy_header
from restante.server.connection import TOO_MANY_CONNECTIONS, Connection, local_of
from restante.server.offering import Offering, local_end, plain_address
from restante.server.proxies import Proxies
from restante.server.proxy_header import BadHeader, Header
from restante.server.registry import SessionDescription
from restante.telemetry import Event, Rendered, render_peer

if TYPE_CHECKING:
    from restante.server.service import Service


class Arrival(asyncio.Protocol):
    """One connection before its header."""

    __slots__ = (
        "_local",
        "_number",
        "_octets",
        "_opened_at",
        "_proxies",
        "_sender",
        "_service",
        "_transport",
        "_waiting",
    )

    def __init__(self, service: "Service", proxies: Proxies) -> None:
        self._service = service
        self._proxies = proxies
        self._octets = b""
        self._waiting = False
        """It is counted, and its header is still to come."""

    # ---- the transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the header of a trusted sender; hand everybody else on."""
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername")
        if name is None:
            # Gone before it was accepted, as health checks are: nobody can tell who that was.
            self._transport.abort()
            return
        self._sender: tuple[str, int] = ("", 0)
        if isinstance(name, tuple):
            self._sender = intern(plain_address(name[0])), name[1]
        self._local = self._proxies.direct.local or local_of(transport)
        if not self._proxies.trusts(self._sender[0]):
            self._hand_over(self._proxies.direct, self._sender, self._local)
            return
        service = self._service
        self._number = service.registry.next_number()
        self._opened_at = service.loop.time()
        if service.session_count >= service.capacity:
            self._turn_away("descriptors")
        elif not service.limits.admit_unnamed():
            self._turn_away("connections")
        else:
            self._waiting = True
            service.registry.add(self._number, self)

    def data_received(self, data: bytes) -> None:
        """Read the header, and leave what follows to whom it names."""
        if not self._waiting:
            return
        octets = self._octets + data if self._octets else data
        try:
            header = proxy_header.parse(octets)
        except BadHeader as error:
            self._refuse(str(error))
            return
        if header is None:
            # A header is bounded, and so is what is kept of one that is not there yet.
            self._octets = octets
            return
        self._leave()
        offering = self._proxies.offering(header, self._sender)
        connection = self._hand_over(offering, *self._ends(header))
        if len(octets) > header.octets:
            connection.data_received(octets[header.octets :])

    def eof_received(self) -> bool:
        """Close: nothing that is still to come could be answered."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up waiting; who only looked whether somebody is here is worth no line."""
        if self._waiting and self._octets:
            self._refuse("proxy header cut off")
        self._leave()

    # ---- what the service asks

    def tick(self, now: float) -> None:
        """Look at the deadline."""
        if now - self._opened_at > self._service.options.limits.proxy_header_seconds:
            self._refuse("proxy header timeout")

    def drain(self) -> None:
        """End: there is no session yet."""
        self._leave()
        self._transport.close()

    def drop(self, reason: str) -> None:
        """End at once."""
        self._leave()
        self._transport.abort()

    def describe(self) -> SessionDescription:
        """Return what `who` tells of it."""
        return {
            "session": self._service.registry.name_of(self._number),
            "address": self._sender[0],
            "port": self._sender[1],
            "local_address": self._local[0],
            "local_port": self._local[1],
            "tls": None,
            "idle_seconds": round(self._service.loop.time() - self._opened_at, 3),
            "account": None,
            "state": "proxy header",
        }

    # ---- ways out

    def _ends(self, header: Header) -> tuple[tuple[str, int], tuple[str, int]]:
        if header.ends is None:
            return self._sender, self._local
        return header.ends.remote, local_end(*header.ends.local)

    def _hand_over(
        self, offering: Offering, remote: tuple[str, int], local: tuple[str, int]
    ) -> Connection:
        connection = Connection(self._service, offering)
        self._transport.set_protocol(connection)
        connection.open(self._transport, remote, local)
        return connection

    def _turn_away(self, reason: str) -> None:
        self._service.flood_log(Event.CONNECTION_REFUSED, reason=reason, peer=self._origin)
        if not self._proxies.direct.implicit_tls:
            # The proxy passes it on to its client.
            self._transport.write(TOO_MANY_CONNECTIONS)
        self._transport.close()

    def _refuse(self, reason: str) -> None:
        self._service.flood_log(Event.PROXY_REFUSED, reason=reason, peer=self._origin)
        self._leave()
        self._transport.close()

    def _leave(self) -> None:
        """Count it no longer."""
        if self._waiting:
            self._waiting = False
            self._service.limits.leave_unnamed()
            self._service.registry.remove(self._number)

    @property
    def _origin(self) -> Rendered:
        session = self._service.registry.name_of(self._number)
        return render_peer(*self._sender, *self._local, session, None)

"""A small POP3 server in threads that can be told to break a rule.

Without a fault it does what every case asks for. It stands for all the servers the judge will
meet: what it gets wrong on demand, some server got wrong before it. It shares nothing with the
server of the project, on purpose.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from restante.examine.fixtures import M5
from restante.examine.pace import Pace
from restante.examine.target import Account, ClientCertificate, Endpoint, Target, Tls
from unit.examine.crooked_clock import Clock
from unit.examine.crooked_proofs import token_of
from unit.examine.crooked_session import Session
from unit.examine.crooked_tls import Certificates

ANY_MAIL = tuple(fixture.stored for fixture in M5)


@dataclass
class Mailbox:
    """The mail of one account, its unique-ids, and whether a session holds it."""

    password: str
    mail: list[tuple[str, bytes]] = field(default_factory=list)
    given: int = 0
    closed_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, octets: bytes) -> None:
        """Take one message in and give it a unique-id."""
        self.given += 1
        self.mail.append((f"id{self.given}", octets))


class CrookedServer:
    """Four listening ports, their threads and the accounts behind them."""

    altered = ""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="crooked-")
        self.certificates = Certificates(Path(self._folder.name))
        self.faults: frozenset[str] = frozenset()
        self.mailboxes: dict[str, Mailbox] = {}
        self.clock = Clock(self._send_away)
        self._sessions: list[Session] = []
        self._listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
        kinds = ((Tls.STLS, True), (Tls.STLS, False), (Tls.IMPLICIT, True), (Tls.NONE, True))
        self.endpoints = tuple(
            Endpoint("127.0.0.1", listener.getsockname()[1], tls, cleartext)
            for listener, (tls, cleartext) in zip(self._listeners, kinds, strict=True)
        )
        for listener, endpoint in zip(self._listeners, self.endpoints, strict=True):
            threading.Thread(target=self._accept, args=(listener, endpoint), daemon=True).start()

    def target(self, patience_seconds: float = 0.6, *, timing: bool = False) -> Target:
        """Return the server as the judge wants it."""
        return Target(self.endpoints, self, patience_seconds, timing=timing)

    def slow_target(self, patience_seconds: float = 5.0) -> Target:
        """Return it with a clock under which hours pass in no time."""
        pace = Pace(clock=self.clock.now, sleep=self.clock.sleep)
        return Target(self.endpoints, self, patience_seconds, slow=True, pace=pace)

    def stop(self) -> None:
        """Close the listening ports."""
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._folder.cleanup()

    def provide(
        self,
        mail: Sequence[bytes] | None,
        *,
        password: str | None,
        scratch: bool,
        turn: int,
        named: str = "",
    ) -> Account:
        """Add an account with this mail."""
        name = f"user{len(self.mailboxes) + 1}" + f"{named}named" * bool(named)
        account = Account(name, password or "the secret word", token_of(name))
        self.mailboxes[account.name] = Mailbox(account.password)
        for octets in ANY_MAIL if mail is None else mail:
            self.deposit(account, octets)
        return account

    def deposit(self, account: Account, octets: bytes) -> None:
        """Put one message into the mailbox."""
        self.mailboxes[account.name].add(octets)

    def _send_away(self, now: float) -> None:
        """End the sessions whose time is up."""
        for session in list(self._sessions):
            session.look_at_clock(now)

    def certificate(self, account: Account) -> ClientCertificate:
        """Return a certificate that shows who the account is of."""
        return self.certificates.of_client(account.name)

    def _accept(self, listener: socket.socket, endpoint: Endpoint) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, endpoint), daemon=True).start()

    def _serve(self, connection: socket.socket, endpoint: Endpoint) -> None:
        with (
            contextlib.suppress(OSError, ValueError, LookupError, struct.error),
            contextlib.ExitStack() as stack,
        ):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = Session(self, connection, endpoint)
            self._sessions.append(session)
            stack.callback(self._sessions.remove, session)
            stack.callback(session.end)
            session.run()

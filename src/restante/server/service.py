"""Service: what all connections of one worker share, and what happens to all of them at once."""

import asyncio
from collections.abc import Callable

from restante.identity import AnswersByCall, Authenticator
from restante.maildrop import MailStore, Places
from restante.protocol import SessionOptions
from restante.server.arrival import Arrival
from restante.server.backlog import Backlog
from restante.server.certificates import Certificates
from restante.server.connection import Connection
from restante.server.limits import Limits
from restante.server.mechanisms import Mechanisms, TokenHints, possible
from restante.server.offering import Offering, binds
from restante.server.options import ListenerOptions, ServerOptions
from restante.server.proxies import Proxies
from restante.server.registry import Registry
from restante.server.surrogates import SurrogateStore
from restante.server.threads import Executor
from restante.telemetry import Event, Log, RateLimitedLog


class Service:
    """The parts a connection works with.

    `executor` runs what may wait for a disk.
    """

    def __init__(
        self,
        *,
        options: ServerOptions,
        certificates: Certificates | None,
        authenticator: Authenticator,
        store: MailStore,
        limits: Limits,
        log: Log,
        loop: asyncio.AbstractEventLoop,
        executor: Executor,
        verifiable: frozenset[str] | None = None,
        token_hints: TokenHints | None = None,
        capacity: int = 1_000_000,
    ) -> None:
        self.options = options
        self.certificates = certificates
        self.authenticator = authenticator
        self.answers_by_call = isinstance(authenticator, AnswersByCall)
        self.store = store
        self.places = store if isinstance(store, Places) else None
        self.limits = limits
        self.backlog = Backlog()
        self.log = log
        self.flood_log = RateLimitedLog(log)
        self.loop = loop
        self.executor = executor
        self.capacity = capacity
        """Connections that this process has descriptors for."""
        self.session_options = SessionOptions()
        self.mechanisms = Mechanisms(options.hostname, token_hints)
        self.offers = possible(options.offers, verifiable)
        self.surrogates: SurrogateStore | None = None
        """What is opened for a client that has not said UTF8; None: the same as for others."""
        if self.offers.utf8 and self.offers.international_headers == "surrogate":
            self.surrogates = SurrogateStore(store)
        self.registry = Registry()
        self.draining = False
        self.now = loop.time()
        """The time by the last tick: deadlines of minutes need no better one."""

    def prepare_bindings(self) -> None:
        """Have what TLS 1.3 binds logins by, if a mechanism is offered that does."""
        if self.certificates is None or not binds(self.offers.mechanisms):
            return
        try:
            self.certificates.log_keys()
        except OSError as error:
            # Under TLS 1.3 no mechanism with channel binding is offered then.
            self.log(Event.WARNING, reason=f"no channel binding: {error.strerror or error}")

    @property
    def session_count(self) -> int:
        """Connections that are open."""
        return len(self.registry)

    def connection_factory(
        self, listener: ListenerOptions, local: tuple[str, int] | None = None
    ) -> Callable[[], asyncio.Protocol]:
        """Return what makes the connections of one listener.

        `local` is where it listens, if that is one address: asking the kernel for it once is
        cheaper than at each connection.
        """
        tls_ready = self.certificates is not None
        offering = Offering(self.offers, listener, tls_ready=tls_ready, local=local)
        if not listener.proxy_protocol:
            return lambda: Connection(self, offering)
        proxies = Proxies(self.offers, listener, offering, tls_ready=tls_ready)
        return lambda: Arrival(self, proxies)

    def tick(self, now: float) -> None:
        """Let every connection look at its deadlines; called about once a second."""
        self.now = now
        for connection in self.registry:
            try:
                connection.tick(now)
            except Exception as error:
                # The deadlines of all others depend on getting past this one.
                self.log(Event.FAULT, reason=type(error).__name__)
                connection.drop("fault")

    def begin_drain(self) -> None:
        """End sessions that wait for a command; others end behind the reply they are at."""
        self.draining = True
        for connection in self.registry:
            connection.drain()

    def cut(self) -> None:
        """End every session at once, without UPDATE."""
        for connection in self.registry:
            connection.drop("server stopping")

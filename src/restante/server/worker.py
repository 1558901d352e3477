"""Worker: one process that serves connections, from its fork to its end.

It accepts on the sockets it was given, tells the supervisor when it does, answers its questions,
and ends in one of three ways: told to retire (a newer generation accepts now, sessions finish),
told to drain (the server stops: sessions end behind the reply they are at, and are cut at the
deadline), or because the supervisor is gone, which is taken as the second.
"""

import asyncio
import resource
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from restante.server import memory
from restante.server.channel import Channel, Message
from restante.server.generation import Generation
from restante.server.limits import Limits, SharedCounts
from restante.server.options import ListenerOptions
from restante.server.service import Service
from restante.server.threads import Threads
from restante.telemetry import Event, LineLog

try:
    from uvloop import new_event_loop
except ImportError:  # not made for this system: the loop of the standard library serves as well
    from asyncio import new_event_loop  # type: ignore[assignment]

TICK_SECONDS = 1.0
GIVE_BACK_TICKS = 600
"""Between two times that free memory goes back to the system."""
BACKLOG = 1_024
STORE_SECONDS = 4.0
"""For the store to end what it does in the background: less than the supervisor's patience."""


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker gets from the supervisor."""

    generation: Generation
    sockets: tuple[tuple[ListenerOptions, socket.socket], ...]
    counts: SharedCounts
    slot: int
    channel: socket.socket
    auth_socket: Path
    log: LineLog


def run_worker(parts: WorkerParts) -> None:
    """Live the life of a worker."""
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    parts.log.batch(loop.call_soon)
    try:
        loop.run_until_complete(Worker(parts, loop).run())
    finally:
        parts.log.flush()


class Worker:
    """A worker while it lives."""

    def __init__(self, parts: WorkerParts, loop: asyncio.AbstractEventLoop) -> None:
        self._parts = parts
        self._loop = loop
        self._channel = Channel(parts.channel)
        self._servers: list[asyncio.Server] = []
        self._over = loop.create_future()
        self._retiring = False
        self._ticks = 0
        self._deadline: float | None = None
        options = parts.generation.options
        authenticator, store = parts.generation.build(parts.auth_socket, parts.log)
        self._threads = Threads(loop.call_later)
        self._limits = Limits(options.limits, parts.counts, parts.slot)
        service = self._service = Service(
            options=options,
            certificates=parts.generation.certificates,
            authenticator=authenticator,
            store=store,
            limits=self._limits,
            log=parts.log,
            loop=loop,
            executor=self._threads,
            verifiable=parts.generation.verifiable,
            token_hints=parts.generation.token_hints,
            capacity=_capacity(),
        )
        service.prepare_bindings()

    async def run(self) -> None:
        """Serve until it is over."""
        self._loop.set_exception_handler(self._log_fault)
        # The supervisor decides when to end; a terminal's Ctrl-C reaches every process at once.
        self._loop.add_signal_handler(signal.SIGINT, lambda: None)
        self._loop.add_signal_handler(signal.SIGTERM, self._drain)
        self._loop.add_reader(self._channel.socket, self._receive)
        for options, sock in self._parts.sockets:
            factory = self._service.connection_factory(options, _one_address(sock))
            self._servers.append(
                await self._loop.create_server(factory, sock=sock, backlog=BACKLOG)
            )
        memory.settle()
        self._send({"event": "ready"})
        self._tick()
        await self._over
        # An UPDATE that has begun is finished, whatever else hangs.
        await self._loop.run_in_executor(None, self._threads.shutdown, STORE_SECONDS)
        await self._close_store()

    async def _close_store(self) -> None:
        closing = self._loop.run_in_executor(None, self._service.store.close)
        # Nothing that was promised to a client depends on it: a disk that hangs is left behind.
        await asyncio.wait([closing], timeout=STORE_SECONDS)
        if closing.done() and (error := closing.exception()) is not None:
            self._parts.log(Event.FAULT, reason=type(error).__name__)

    # ---- the supervisor's words

    def _receive(self) -> None:
        messages = self._channel.receive()
        if messages is None:
            self._loop.remove_reader(self._channel.socket)
            self._drain()
            return
        for message in messages:
            self._obey(message)

    def _obey(self, message: Message) -> None:
        command = message.get("command")
        if command == "drain":
            self._drain()
        elif command == "retire":
            self._stop_accepting()
            self._retiring = True
        elif command == "who":
            self._send({"reply": message.get("id"), "sessions": self._service.registry.who()})
        elif command == "kick":
            kicked = self._service.registry.kick(str(message.get("session")))
            self._send({"reply": message.get("id"), "kicked": kicked})

    def _send(self, message: Message) -> None:
        self._channel.send(message)
        if self._channel.wants_to_write:
            self._loop.add_writer(self._channel.socket, self._write)

    def _write(self) -> None:
        self._channel.write()
        if not self._channel.wants_to_write:
            self._loop.remove_writer(self._channel.socket)

    def _log_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """Log what escaped from a call of the loop's, as one line and without its arguments."""
        error = context.get("exception")
        self._parts.log(
            Event.FAULT,
            reason=type(error).__name__ if error is not None else str(context.get("message")),
        )

    # ---- time

    def _tick(self) -> None:
        now = self._loop.time()
        self._limits.refresh()
        self._service.tick(now)
        self._ticks += 1
        if self._ticks % GIVE_BACK_TICKS == 0:
            memory.give_back()
        if self._deadline is not None and now >= self._deadline:
            self._service.cut()
        leaving = self._retiring or self._deadline is not None
        if leaving and not self._service.session_count:
            if not self._over.done():
                self._over.set_result(None)
            return
        self._loop.call_later(TICK_SECONDS if not leaving else TICK_SECONDS / 20, self._tick)

    def _drain(self) -> None:
        if self._deadline is not None:
            return
        self._stop_accepting()
        self._deadline = self._loop.time() + self._parts.generation.options.limits.drain_seconds
        self._service.begin_drain()

    def _stop_accepting(self) -> None:
        for server in self._servers:
            server.close()
        self._servers = []


def _one_address(sock: socket.socket) -> tuple[str, int] | None:
    """Return where a socket listens, unless that is wherever a client comes to."""
    address = sock.getsockname()
    if not isinstance(address, tuple) or address[0] in ("0.0.0.0", "::"):
        return None
    return address[0], address[1]


def _capacity() -> int:
    """Return how many connections leave enough descriptors for everything else.

    Beyond that a client is told so; running out of descriptors would leave it unanswered, and
    every session that wants to read a message with it.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return 1_000_000
    return max(limit - max(limit // 40, 32), 1)

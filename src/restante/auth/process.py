"""The auth process: the authenticator behind a socket that only workers can reach."""

import asyncio
import os
import signal
import socket

from restante.auth.frames import BadFrame, Decoder, Frame, Kind, encode
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.messages import identity_fields, read_request, refusal_fields
from restante.auth.options import AuthOptions
from restante.errors import Refusal, TemporaryFailure
from restante.identity import Credentials, Peer
from restante.telemetry import Event, LineLog, Log

try:
    from uvloop import new_event_loop
except ImportError:  # not made for this system: the loop of the standard library serves as well
    from asyncio import new_event_loop  # type: ignore[assignment]

MAXIMUM_REQUESTS = 10_000
"""Logins of one worker that wait at once."""


def run(options: AuthOptions, listener: socket.socket, log: LineLog) -> None:
    """Serve workers on a listening socket until told to end."""
    os.umask(0o077)
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    log.batch(loop.call_soon)
    try:
        loop.run_until_complete(serve(InProcessAuthenticator(options, log), listener, log))
    finally:
        log.flush()


async def serve(authenticator: InProcessAuthenticator, listener: socket.socket, log: Log) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, over.cancel)
    server = await loop.create_unix_server(
        lambda: WorkerConnection(authenticator, log), sock=listener
    )
    await asyncio.wait([over])
    server.close()
    await authenticator.close()


class WorkerConnection(asyncio.Protocol):
    """One worker's line: requests in, answers out, those of one turn in one write."""

    def __init__(self, authenticator: InProcessAuthenticator, log: Log) -> None:
        self._authenticator = authenticator
        self._log = log
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._answers: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Take in requests."""
        try:
            for frame in self._decoder.feed(data):
                self._take(frame)
        except BadFrame as error:
            self._log(Event.FAULT, reason=f"frame from a worker: {error}")
            assert self._transport is not None
            self._transport.abort()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Withdraw everything that was asked."""
        self._transport = None
        for task in list(self._tasks.values()):
            task.cancel()

    def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.CANCEL:
            task = self._tasks.get(frame.request)
            if task is not None:
                task.cancel()
            return
        if frame.kind is not Kind.AUTHENTICATE:
            raise BadFrame("a frame that workers do not send")
        if frame.request in self._tasks:
            raise BadFrame("a number that another login has")
        credentials, peer = read_request(frame.fields)
        try:
            identity = self._authenticator.authenticate_at_once(credentials, peer)
        except Exception as error:
            self._fail(frame.request, error)
            return
        if identity is not None:
            self._answer(Kind.ADMITTED, frame.request, identity_fields(identity))
        elif len(self._tasks) >= MAXIMUM_REQUESTS:
            self._answer(Kind.REFUSED, frame.request, refusal_fields(TemporaryFailure()))
        else:
            task = self._loop.create_task(self._authenticate(frame.request, credentials, peer))
            self._tasks[frame.request] = task
            # Not in the task itself: one that is withdrawn before its first step never runs.
            task.add_done_callback(lambda _: self._tasks.pop(frame.request, None))

    async def _authenticate(self, request: int, credentials: Credentials, peer: Peer) -> None:
        try:
            identity = await self._authenticator.authenticate(credentials, peer)
        except Exception as error:
            self._fail(request, error)
        else:
            self._answer(Kind.ADMITTED, request, identity_fields(identity))

    def _fail(self, request: int, error: Exception) -> None:
        """Refuse; a defect costs one login, never the process or the others of its worker."""
        if not isinstance(error, Refusal):
            self._log(Event.FAULT, reason=type(error).__name__)
            error = TemporaryFailure()
        self._answer(Kind.REFUSED, request, refusal_fields(error))

    def _answer(self, kind: Kind, request: int, fields: list[bytes]) -> None:
        self._answers.append(encode(kind, request, fields))
        if len(self._answers) == 1:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._answers and self._transport is not None:
            self._transport.write(b"".join(self._answers))
        self._answers.clear()

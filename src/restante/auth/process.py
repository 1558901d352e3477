"""The auth process: the authenticator behind a socket that only workers can reach."""

import asyncio
import os
import signal
import socket
from functools import partial

from restante.auth.commands import Commands, SupervisorLine
from restante.auth.frames import (
    ADMITTED,
    ADMITTED_MUTUALLY,
    ASK,
    AUTHENTICATE,
    CANCEL,
    REFUSED,
    SALTED,
    BadFrame,
    Decoder,
    encode_number,
    encode_rest,
)
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.messages import (
    Login,
    identity_body,
    read_credentials,
    read_login,
    refusal_body,
)
from restante.auth.options import AuthOptions
from restante.auth.questions import mutual_body, parameters_body, read_question
from restante.auth.regulars import Regular
from restante.auth.throttle_file import ThrottleFile
from restante.errors import Refusal, TemporaryFailure
from restante.identity import (
    Credentials,
    Identity,
    MutualIdentity,
    Peer,
    Question,
    SaltRequest,
)
from restante.telemetry import Event, LineLog, Log

try:
    from uvloop import new_event_loop
except ImportError:  # not made for this system: the loop of the standard library serves as well
    from asyncio import new_event_loop  # type: ignore[assignment]

MAXIMUM_REQUESTS = 10_000
"""Logins of one worker that wait at once."""
LARGE_OCTETS = 8_192
"""More than any proof has but tokens and certificates."""
MAXIMUM_LARGE_OCTETS = 33_554_432
"""Of all requests of one worker that wait and are larger, together."""


def run(
    options: AuthOptions, listener: socket.socket, log: LineLog, supervisor: SupervisorLine
) -> None:
    """Serve workers on a listening socket until told to end, and the supervisor on its line."""
    os.umask(0o077)
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    log.batch(loop.call_soon)
    try:
        loop.run_until_complete(_live(options, listener, log, supervisor))
    finally:
        log.flush()


async def _live(
    options: AuthOptions, listener: socket.socket, log: LineLog, supervisor: SupervisorLine
) -> None:
    authenticator = InProcessAuthenticator(options, log)
    file = ThrottleFile(options.state_directory, authenticator.throttle, log)
    file.load()
    Commands(supervisor, authenticator, log)
    keeping = asyncio.get_running_loop().create_task(file.keep())
    keeping.add_done_callback(partial(_log_end, log))
    try:
        await serve(authenticator, listener, log)
    finally:
        keeping.cancel()
        file.save()


def _log_end(log: Log, task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log(Event.FAULT, reason=type(error).__name__)


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
        self._large_octets = 0
        """Of all that is looked into now."""
        self._answers: list[bytes] = []
        self._reading = False
        """`data_received` is under way, and will flush."""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Take in requests."""
        self._reading, fresh = True, False
        try:
            for number, kind, body in self._decoder.feed(data):
                if kind == AUTHENTICATE:
                    if not fresh:
                        self._authenticator.refresh()
                        fresh = True
                    self._take(number, read_login(body))
                elif kind == CANCEL:
                    self._withdraw(number)
                elif kind == ASK:
                    self._check_number(number)
                    self._judge(number, *read_question(body), len(body))
                else:
                    raise BadFrame("a frame that workers do not send")
        except BadFrame as error:
            self._log(Event.FAULT, reason=f"frame from a worker: {error}")
            assert self._transport is not None
            self._transport.abort()
        finally:
            self._reading = False
            self._flush()

    def pause_writing(self) -> None:
        """Take nothing more from a worker that does not read its answers."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        if self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Withdraw everything that was asked."""
        self._transport = None
        for task in list(self._tasks.values()):
            task.cancel()

    def _take(self, number: int, login: Login) -> None:
        self._check_number(number)
        try:
            regular = self._authenticator.recognise(login)
        except Exception as error:
            self._fail(number, error)
            return
        if regular is None:
            self._judge(number, *read_credentials(login), sum(map(len, login)))
        else:
            self._answers += (encode_number(number), regular.answer or _phrase(regular))

    def _check_number(self, number: int) -> None:
        if number in self._tasks:
            raise BadFrame("a number that another login has")

    def _judge(self, number: int, question: Question, peer: Peer, octets: int) -> None:
        """Answer at once where nothing has to be waited for; `octets` is what it all takes."""
        try:
            if isinstance(question, SaltRequest):
                parameters = self._authenticator.salt_at_once(question, peer)
                self._answer(number, SALTED, parameters_body(parameters))
                return
            identity = self._authenticator.authenticate_at_once(question, peer)
        except Exception as error:
            self._fail(number, error)
            return
        if identity is not None:
            self._admit(number, identity)
        else:
            self._begin(number, question, peer, octets)

    def _begin(self, number: int, credentials: Credentials, peer: Peer, octets: int) -> None:
        """Have a proof looked into that may take its time."""
        large = octets if octets > LARGE_OCTETS else 0
        full = large and self._large_octets + large > MAXIMUM_LARGE_OCTETS
        if full or len(self._tasks) >= MAXIMUM_REQUESTS:
            self._answer(number, REFUSED, refusal_body(TemporaryFailure()))
            return
        task = self._loop.create_task(self._look_into(number, credentials, peer))
        self._tasks[number] = task
        self._large_octets += large
        # Not in the task itself: one that is withdrawn before its first step never runs.
        task.add_done_callback(partial(self._looked_into, number, large))

    def _looked_into(self, number: int, large: int, task: "asyncio.Task[None]") -> None:
        self._tasks.pop(number, None)
        self._large_octets -= large

    def _withdraw(self, number: int) -> None:
        task = self._tasks.get(number)
        if task is not None:
            task.cancel()

    async def _look_into(self, number: int, credentials: Credentials, peer: Peer) -> None:
        try:
            self._admit(number, await self._authenticator.look_into(credentials, peer))
        except Exception as error:
            self._fail(number, error)

    def _admit(self, number: int, identity: Identity) -> None:
        if isinstance(identity, MutualIdentity):
            self._answer(number, ADMITTED_MUTUALLY, mutual_body(identity))
        else:
            self._answer(number, ADMITTED, identity_body(identity))

    def _fail(self, number: int, error: Exception) -> None:
        """Refuse; a defect costs one login, never the process or the others of its worker."""
        if not isinstance(error, Refusal):
            self._log(Event.FAULT, reason=type(error).__name__)
            error = TemporaryFailure()
        self._answer(number, REFUSED, refusal_body(error))

    def _answer(self, number: int, kind: int, body: bytes) -> None:
        if not (self._answers or self._reading):
            self._loop.call_soon(self._flush)
        self._answers += (encode_number(number), encode_rest(kind, body))

    def _flush(self) -> None:
        if self._answers and self._transport is not None:
            self._transport.write(b"".join(self._answers))
        self._answers.clear()


def _phrase(regular: Regular) -> bytes:
    """Return what admits a regular, and keep it for the next time."""
    regular.answer = encode_rest(ADMITTED, identity_body(regular.identity))
    return regular.answer

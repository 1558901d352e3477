"""The worker's side of the auth process: an authenticator that asks it.

One connection, made when it is first needed and again when it was lost. Logins that wait when the
auth process dies are refused as a temporary failure; those that come before it is back are too.
Requests of one turn of the loop go out in one write.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from restante.auth.frames import (
    ADMITTED,
    ADMITTED_MUTUALLY,
    ASK,
    CANCEL,
    REFUSED,
    SALTED,
    BadFrame,
    Decoder,
    encode,
)
from restante.auth.messages import login_frame, read_identity, read_refusal
from restante.auth.questions import question_body, read_mutual, read_parameters
from restante.errors import Refusal, TemporaryFailure
from restante.identity import (
    Answer,
    Credentials,
    Identity,
    Outcome,
    PasswordCredentials,
    Peer,
    Question,
    SaltRequest,
    ScramParameters,
)
from restante.telemetry import Event, Log

MAXIMUM_WAITING = 10_000


class AuthClient:
    """An authenticator in another process."""

    def __init__(self, path: Path, log: Log) -> None:
        self._path = path
        self._log = log
        self._line: _Line | None = None
        self._connecting: asyncio.Lock | None = None
        self._connecting_tasks: set[asyncio.Task[None]] = set()

    async def authenticate(self, credentials: Credentials, peer: Peer) -> Identity:
        """Return who the credentials prove to be; see the contract."""
        outcome = await self._ask(credentials, peer)
        assert isinstance(outcome, Identity)
        return outcome

    async def salt(self, request: SaltRequest, peer: Peer) -> ScramParameters:
        """Return the parameters of a name; see the contract."""
        outcome = await self._ask(request, peer)
        assert isinstance(outcome, ScramParameters)
        return outcome

    async def _ask(self, question: Question, peer: Peer) -> Identity | ScramParameters:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Identity | ScramParameters] = loop.create_future()

        def answer(outcome: Outcome) -> None:
            if future.done():  # given up, and not yet told to withdraw
                return
            if isinstance(outcome, Refusal):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        withdraw = self.submit(question, peer, answer)
        try:
            return await future
        except asyncio.CancelledError:
            withdraw()
            raise

    def submit(self, question: Question, peer: Peer, answer: Answer) -> Callable[[], None]:
        """Ask, and be answered by a call; see the contract."""
        line = self._line
        if line is not None and not line.lost:
            return line.ask(question, peer, answer)
        task = asyncio.get_running_loop().create_task(self._submit(question, peer, answer))
        self._connecting_tasks.add(task)
        task.add_done_callback(self._connecting_tasks.discard)
        return lambda: _cancel(task)

    async def _submit(self, question: Question, peer: Peer, answer: Answer) -> None:
        withdraw: Callable[[], object] | None = None
        answered = asyncio.Event()

        def relay(outcome: Outcome) -> None:
            answered.set()
            answer(outcome)

        try:
            line = await self._connect()
            withdraw = line.ask(question, peer, relay)
            await answered.wait()
        except Refusal as refusal:
            answer(refusal)
        except Exception as error:
            # Whoever asked has nobody else to hear it from.
            self._log(Event.FAULT, reason=type(error).__name__)
            answer(TemporaryFailure())
        except asyncio.CancelledError:
            if withdraw is not None:
                withdraw()
            raise

    async def close(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.close()

    async def _connect(self) -> "_Line":
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        async with self._connecting:
            if self._line is not None and not self._line.lost:
                return self._line
            loop = asyncio.get_running_loop()
            try:
                _, self._line = await loop.create_unix_connection(
                    lambda: _Line(loop), str(self._path)
                )
            except OSError as error:
                self._log(Event.AUTH_UNAVAILABLE, reason=type(error).__name__)
                raise TemporaryFailure from error
            if self._line.lost:  # it was accepted by a process that was ending
                raise TemporaryFailure
            return self._line


class _Line(asyncio.Protocol):
    """One connection to the auth process."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, Answer] = {}
        self._requests: list[bytes] = []
        self._number = 0
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        """Refuse everybody who waits."""
        self.lost = True
        self._transport = None
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            answer(TemporaryFailure())

    def data_received(self, data: bytes) -> None:
        """Take in answers."""
        try:
            for number, kind, body in self._decoder.feed(data):
                answer = self._waiting.get(number)
                if answer is not None:
                    # A frame that says nothing leaves its login to wait for the end of the line.
                    outcome = read_identity(body) if kind == ADMITTED else _read(kind, body)
                    del self._waiting[number]
                    answer(outcome)
        except BadFrame:
            self.close()

    def ask(self, question: Question, peer: Peer, answer: Answer) -> Callable[[], None]:
        """Ask; what is returned withdraws the question."""
        if len(self._waiting) >= MAXIMUM_WAITING:
            return self._loop.call_soon(answer, TemporaryFailure()).cancel
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        if isinstance(question, PasswordCredentials):
            self._send(login_frame(number, question, peer))
        else:
            self._send((encode(number, ASK, question_body(question, peer)),))
        self._waiting[number] = answer
        return partial(self._withdraw, number)

    def _withdraw(self, number: int) -> None:
        if self._waiting.pop(number, None) is not None:
            self._send((encode(number, CANCEL),))

    def close(self) -> None:
        """Close the connection."""
        self.lost = True
        if self._transport is not None:
            self._transport.abort()

    def _send(self, pieces: tuple[bytes, ...]) -> None:
        if not self._requests:
            self._loop.call_soon(self._flush)
        self._requests += pieces

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._requests))
        self._requests.clear()


def _read(kind: int, body: bytes) -> Outcome:
    if kind == REFUSED:
        return read_refusal(body)
    if kind == SALTED:
        return read_parameters(body)
    if kind == ADMITTED_MUTUALLY:
        return read_mutual(body)
    raise BadFrame("a frame that the auth process does not send")


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()

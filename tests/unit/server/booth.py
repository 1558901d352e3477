"""A connection with all around it in the test's hands: transport, clock, loop, disk and accounts.

The loop is a real one that moves only when told to, and its clock is a number. Work for the disk
is done at once, or held back until the test lets it go on.
"""

import asyncio
import io
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, cast

from restante.errors import AuthenticationFailed
from restante.identity import (
    Answer,
    Authenticator,
    Credentials,
    Identity,
    Outcome,
    PasswordCredentials,
    Peer,
    Question,
)
from restante.maildrop import MailStore
from restante.server.certificates import Certificates
from restante.server.connection import Connection
from restante.server.limits import Limits, SharedCounts
from restante.server.options import (
    LimitOptions,
    ListenerOptions,
    Mechanism,
    OfferOptions,
    ServerOptions,
    TlsMode,
)
from restante.server.service import Service
from restante.stores.memory import MemoryStore
from restante.telemetry import RecordingLog

ALICE = Identity("alice")
LOG_IN = b"USER alice\r\nPASS secret\r\n"


class SteppedLoop(asyncio.SelectorEventLoop):
    """An event loop that runs when told to, by a clock of the test's."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.faults: list[dict[str, Any]] = []
        self.set_exception_handler(lambda loop, context: self.faults.append(context))

    def time(self) -> float:
        return self.now

    def settle(self) -> None:
        """Run until nothing is left that could run now."""
        for _ in range(50):
            self.call_soon(self.stop)
            self.run_forever()


class HeldExecutor:
    """An executor that works at once, or, while `held`, when the test says so."""

    def __init__(self) -> None:
        self.held = False
        self._waiting: list[Callable[[], None]] = []

    def submit(
        self, account: str, place: Hashable, work: Callable[[], Any], *, lasting: bool = False
    ) -> "Future[Any]":
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = work()
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        if self.held:
            self._waiting.append(run)
        else:
            run()
        return future

    @property
    def waiting(self) -> int:
        """Pieces of work held back."""
        return len(self._waiting)

    def release(self) -> None:
        """Do what was held back."""
        self.held = False
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            work()


class Gatekeeper:
    """An authenticator that lets `secret` in, at once or when told to."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.held = False
        self.asked: list[str] = []
        self.questions: list[Question] = []
        self.outcomes: dict[type[Question], Outcome] = {}
        """What is said to questions of other kinds than passwords."""
        self.withdrawn = 0
        self._waiting: dict[int, Callable[[], None]] = {}

    async def authenticate(self, credentials: Credentials, peer: Peer) -> Identity:
        raise AssertionError("who answers by call is not asked by coroutine")

    def submit(self, question: Question, peer: Peer, answer: Answer) -> Callable[[], None]:
        self.asked.append(question.name)
        self.questions.append(question)
        outcome: Outcome = AuthenticationFailed()
        if not isinstance(question, PasswordCredentials):
            outcome = self.outcomes.get(type(question), outcome)
        elif question.password.reveal() == b"secret":
            outcome = Identity(question.name)
        number = len(self.asked)
        self._waiting[number] = partial(answer, outcome)
        if not self.held:
            self._loop.call_soon(self._answer, number)
        return partial(self._withdraw, number)

    def release(self) -> None:
        """Answer everybody who waits."""
        for number in list(self._waiting):
            self._answer(number)

    def _answer(self, number: int) -> None:
        answer = self._waiting.pop(number, None)
        if answer is not None:
            answer()

    def _withdraw(self, number: int) -> None:
        if self._waiting.pop(number, None) is not None:
            self.withdrawn += 1


class FakeTransport:
    """What a connection writes, and whether its client reads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, address: str) -> None:
        self._loop = loop
        self._lost = False
        self.address = address
        self.taken = bytearray()
        """What the client has read."""
        self.waiting = bytearray()
        """What waits for the client to read."""
        self.stuck = False
        """The client does not read."""
        self.closed = self.aborted = self.ended = self.reading_paused = False
        self.writes = 0
        self.protocol: asyncio.Protocol | None = None
        self._high = self._low = 0
        self._paused = False

    def get_extra_info(self, name: str) -> object:
        # The kernel does not know the peer of a connection that is gone.
        peer = (self.address, 4711) if self.address else None
        return {"peername": peer, "sockname": ("127.0.0.1", 110)}.get(name)

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        self._high, self._low = high, low

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "written behind the end"
        if self.closed:
            return
        self.writes += 1
        self.waiting += data
        if not self.stuck:
            self.read_some(len(self.waiting))
        elif len(self.waiting) > self._high and not self._paused:
            self._paused = True
            assert self.protocol is not None
            self.protocol.pause_writing()

    def writelines(self, buffers: list[bytes]) -> None:
        self.write(b"".join(buffers))

    def read_some(self, octets: int) -> None:
        """Let the client read so much."""
        self.taken += self.waiting[:octets]
        del self.waiting[:octets]
        self._taken()

    def unstick(self) -> None:
        """Let the client read everything."""
        self.stuck = False
        self.read_some(len(self.waiting))

    def _taken(self) -> None:
        self._lose_when_empty()
        if self._paused and len(self.waiting) <= self._low:
            self._paused = False
            assert self.protocol is not None
            self.protocol.resume_writing()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.reading_paused = True

    def resume_reading(self) -> None:
        self.reading_paused = False

    def close(self) -> None:
        self.closed = True
        self._lose_when_empty()

    def abort(self) -> None:
        self.closed = self.aborted = True
        self.waiting.clear()
        self._lose_when_empty()

    def _lose_when_empty(self) -> None:
        if self.closed and not self.waiting and not self._lost and self.protocol is not None:
            self._lost = True
            self._loop.call_soon(self.protocol.connection_lost, None)


class Client:
    """One connection as its client sees it."""

    def __init__(
        self, booth: "Booth", address: str, tls: TlsMode, proxies: tuple[str, ...] = ()
    ) -> None:
        self._booth = booth
        self.transport = FakeTransport(booth.loop, address)
        listener = ListenerOptions(address="127.0.0.1:110", tls=tls, proxy_protocol=proxies)
        self.transport.protocol = booth.service.connection_factory(listener, ("127.0.0.1", 110))()
        self.transport.protocol.connection_made(cast(asyncio.Transport, self.transport))
        booth.loop.settle()

    @property
    def protocol(self) -> asyncio.Protocol:
        """What the transport speaks to now."""
        assert self.transport.protocol is not None
        return self.transport.protocol

    @property
    def connection(self) -> Connection:
        """The connection that serves this client."""
        assert isinstance(self.protocol, Connection)
        return self.protocol

    def send(self, data: bytes) -> bytes:
        """Send octets and return what comes back at once."""
        seen = len(self.transport.taken)
        self.protocol.data_received(data)
        self._booth.loop.settle()
        return bytes(self.transport.taken[seen:])

    def end(self) -> None:
        """Send no more."""
        if not self.protocol.eof_received():
            self.transport.close()
        self._booth.loop.settle()

    def lose(self) -> None:
        """Be gone."""
        self.transport.abort()
        self._booth.loop.settle()

    def log_in(self) -> bytes:
        """Authenticate and return the last reply."""
        return self.send(LOG_IN).splitlines()[-1]

    @property
    def taken(self) -> bytes:
        """Everything the client has read."""
        return bytes(self.transport.taken)

    @property
    def closed(self) -> bool:
        """Whether the server sends no more."""
        return self.transport.closed or self.transport.ended


class Booth:
    """A service, and clients of it."""

    def __init__(
        self,
        loop: SteppedLoop,
        *,
        store: MailStore | None = None,
        authenticator: Authenticator | None = None,
        limits: LimitOptions | None = None,
        certificates: Certificates | None = None,
        capacity: int = 1_000_000,
        cleartext: Literal["tls", "loopback", "always"] = "always",
        mechanisms: tuple[Mechanism, ...] = ("PLAIN", "USER"),
        utf8: bool = False,
        international_headers: Literal["refuse", "surrogate", "as-is"] = "refuse",
    ) -> None:
        self.loop = loop
        self.log = RecordingLog()
        self.executor = HeldExecutor()
        self.gatekeeper = Gatekeeper(loop)
        self.mail = MemoryStore()
        limits = limits or LimitOptions()
        self.counts = SharedCounts(slots=1)
        slot = self.counts.take()
        assert slot is not None
        self.limits = Limits(limits, self.counts, slot)
        self.service = Service(
            options=ServerOptions(
                hostname="pop.example.org",
                listeners=(),
                limits=limits,
                offers=OfferOptions(
                    cleartext=cleartext,
                    mechanisms=mechanisms,
                    utf8=utf8,
                    international_headers=international_headers,
                ),
            ),
            certificates=certificates,
            authenticator=authenticator or self.gatekeeper,
            store=store or self.mail,
            limits=self.limits,
            log=self.log,
            loop=loop,
            executor=self.executor,
            capacity=capacity,
        )

    def deposit(self, *messages: bytes) -> None:
        """Put messages into alice's mailbox."""
        for message in messages:
            self.mail.deposit(ALICE, io.BytesIO(message))

    def connect(
        self, address: str = "192.0.2.1", tls: TlsMode = "none", proxies: tuple[str, ...] = ()
    ) -> Client:
        """Return a new client."""
        return Client(self, address, tls, proxies)

    def wait(self, seconds: float) -> None:
        """Let time go by, with a tick at the end of every second."""
        end = self.loop.now + seconds
        while self.loop.now < end:
            self.loop.now = min(self.loop.now + 1.0, end)
            self.service.tick(self.loop.now)
            self.loop.settle()

    @property
    def kept(self) -> int:
        """Messages in alice's mailbox."""
        return self.mail.listing(ALICE).count


@contextmanager
def stepped_loop() -> Iterator[SteppedLoop]:
    """Make a loop, and take it for the one of this thread."""
    loop = SteppedLoop()
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        loop.settle()
        asyncio.set_event_loop(None)
        loop.close()

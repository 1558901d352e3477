"""The worker's side of the auth process: an authenticator that asks it.

One connection, made when it is first needed and again when it was lost. Logins that wait when the
auth process dies are refused as a temporary failure; those that come before it is back are too.
Requests of one turn of the loop go out in one write.
"""

import asyncio
import contextlib
from pathlib import Path

from restante.auth.frames import BadFrame, Decoder, Frame, Kind, encode
from restante.auth.messages import read_identity, read_refusal, request_fields
from restante.errors import Refusal, TemporaryFailure
from restante.identity import Credentials, Identity, Peer
from restante.telemetry import Event, Log

MAXIMUM_WAITING = 10_000


class AuthClient:
    """An authenticator in another process."""

    def __init__(self, path: Path, log: Log) -> None:
        self._path = path
        self._log = log
        self._line: _Line | None = None
        self._connecting: asyncio.Lock | None = None

    async def authenticate(self, credentials: Credentials, peer: Peer) -> Identity:
        """Return who the credentials prove to be; see the contract."""
        line = self._line
        if line is None or line.lost:
            line = await self._connect()
        return await line.ask(credentials, peer)

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
            return self._line


class _Line(asyncio.Protocol):
    """One connection to the auth process."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[Identity]] = {}
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
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(TemporaryFailure())
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Take in answers."""
        try:
            for frame in self._decoder.feed(data):
                self._take(frame)
        except BadFrame:
            self.close()

    async def ask(self, credentials: Credentials, peer: Peer) -> Identity:
        """Ask, and wait for the answer; being cancelled withdraws the question."""
        if self.lost or len(self._waiting) >= MAXIMUM_WAITING:
            raise TemporaryFailure
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        future: asyncio.Future[Identity] = self._loop.create_future()
        self._waiting[number] = future
        self._send(encode(Kind.AUTHENTICATE, number, request_fields(credentials, peer)))
        try:
            return await future
        except asyncio.CancelledError:
            with contextlib.suppress(KeyError):
                del self._waiting[number]
                self._send(encode(Kind.CANCEL, number))
            raise

    def close(self) -> None:
        """Close the connection."""
        self.lost = True
        if self._transport is not None:
            self._transport.abort()

    def _send(self, data: bytes) -> None:
        self._requests.append(data)
        if len(self._requests) == 1:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._requests))
        self._requests.clear()

    def _take(self, frame: Frame) -> None:
        future = self._waiting.pop(frame.request, None)
        if future is None or future.done():
            return
        if frame.kind is Kind.ADMITTED:
            future.set_result(read_identity(frame.fields))
        elif frame.kind is Kind.REFUSED:
            refusal: Refusal = read_refusal(frame.fields)
            future.set_exception(refusal)
        else:
            raise BadFrame("a frame that the auth process does not send")

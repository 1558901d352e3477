"""One worker's line into the auth process, with an authenticator that is told what to say."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from restante.auth import process
from restante.auth.frames import Decoder, Frame, Kind, encode
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.messages import request_fields
from restante.auth.process import WorkerConnection
from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.identity import Credentials, Identity, Peer
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import PEER, credentials, run, turns

BOB = Identity("bob", "accounts", "/mail/bob")


class Scripted:
    """An authenticator that answers by the name: at once, later, never, or by a defect."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.withdrawn: list[str] = []
        self.gate = asyncio.Event()

    def authenticate_at_once(self, credentials: Credentials, peer: Peer) -> Identity | None:
        if credentials.name == "ready":
            return BOB
        if credentials.name == "refused":
            raise TemporaryFailure(reason="the source is gone")
        if credentials.name == "defect":
            raise RuntimeError("kanarienvogel")
        return None

    async def authenticate(self, credentials: Credentials, peer: Peer) -> Identity:
        self.begun.append(credentials.name)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.withdrawn.append(credentials.name)
            raise
        if credentials.name == "wrong":
            raise AuthenticationFailed(reason="password")
        if credentials.name == "late defect":
            raise RuntimeError("kanarienvogel")
        return BOB


class Transport:
    """What a connection writes to."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def abort(self) -> None:
        self.aborted = True


class Line:
    """A worker's connection and both its ends."""

    def __init__(self) -> None:
        self.authenticator = Scripted()
        self.log = RecordingLog()
        self.transport = Transport()
        self.connection = WorkerConnection(
            cast(InProcessAuthenticator, self.authenticator), self.log
        )
        self.connection.connection_made(cast(asyncio.Transport, self.transport))

    def ask(self, *names: str, first: int = 1) -> None:
        """Send logins in one piece, numbered from `first`."""
        self.connection.data_received(
            b"".join(login(name, number) for number, name in enumerate(names, first))
        )

    def answers(self) -> list[Frame]:
        return list(Decoder().feed(b"".join(self.transport.writes)))

    def said(self) -> list[tuple[int, Kind]]:
        return [(frame.request, frame.kind) for frame in self.answers()]


def login(name: str, number: int) -> bytes:
    return encode(Kind.AUTHENTICATE, number, request_fields(credentials(name, "secret"), PEER))


def on_a_line(story: Callable[[Line], Awaitable[None]]) -> None:
    """Run a story with a line of its own."""

    async def told() -> None:
        await story(Line())

    run(told())


def test_answers_come_to_those_who_asked() -> None:
    async def story(line: Line) -> None:
        line.ask("ready", "later", "wrong", "refused")
        await turns()
        assert line.said() == [(1, Kind.ADMITTED), (4, Kind.REFUSED)]
        line.authenticator.gate.set()
        await turns()
        assert line.said()[2:] == [(2, Kind.ADMITTED), (3, Kind.REFUSED)]
        assert line.answers()[0].fields == (b"bob", b"accounts", b"/mail/bob")

    on_a_line(story)


def test_answers_of_one_turn_go_out_together() -> None:
    async def story(line: Line) -> None:
        line.ask(*["ready"] * 20)
        line.ask(*["later"] * 20, first=21)
        await turns()
        line.authenticator.gate.set()
        await turns()
        assert len(line.answers()) == 40
        assert len(line.transport.writes) == 2

    on_a_line(story)


@pytest.mark.parametrize(
    "bad",
    [
        b"\0" * 16,
        b"GET / HTTP/1.1\r\n\r\n",
        encode(Kind.ADMITTED, 1, [b"root", b"accounts"]),
        encode(Kind.REFUSED, 1, [b"\0", b"no", b""]),
        encode(Kind.AUTHENTICATE, 1, [b"bob", b"secret"]),
        encode(Kind.AUTHENTICATE, 1, [b"\xff", b"", b"", b"", b"", b""]),
    ],
)
def test_a_bad_frame_ends_its_own_line_alone(bad: bytes) -> None:
    async def story(line: Line) -> None:
        other = Line()
        other.ask("later")
        line.ask("later")
        line.connection.data_received(login("ready", 2) + bad + login("ready", 3))
        assert line.transport.aborted
        line.connection.connection_lost(None)
        other.authenticator.gate.set()
        await turns()
        assert line.log.named(Event.FAULT)
        assert line.authenticator.withdrawn == []  # it had not begun
        assert not other.transport.aborted
        assert other.said() == [(1, Kind.ADMITTED)]

    on_a_line(story)


def test_a_defect_costs_one_login() -> None:
    """What raises at once must not end the line of everybody else at this worker."""

    async def story(line: Line) -> None:
        line.ask("defect", "ready", "late defect")
        line.authenticator.gate.set()
        await turns()
        assert sorted(line.said()) == [(1, Kind.REFUSED), (2, Kind.ADMITTED), (3, Kind.REFUSED)]
        texts = {frame.fields[1] for frame in line.answers() if frame.kind is Kind.REFUSED}
        assert texts == {TemporaryFailure.default_text.encode()}
        assert line.log.named(Event.FAULT) == [{"reason": "RuntimeError"}] * 2
        assert not line.transport.aborted

    on_a_line(story)


def test_a_cancelled_login_is_withdrawn_and_not_answered() -> None:
    async def story(line: Line) -> None:
        line.ask("later", "later")
        await turns()
        line.connection.data_received(encode(Kind.CANCEL, 1))
        line.connection.data_received(encode(Kind.CANCEL, 99))
        await turns()
        assert line.authenticator.withdrawn == ["later"]
        line.authenticator.gate.set()
        await turns()
        assert line.said() == [(2, Kind.ADMITTED)]

    on_a_line(story)


def test_logins_cancelled_in_the_same_write_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that leaves at once makes the worker say both in one write.

    A task that is cancelled before its first step never runs; what it was counted by must not stay,
    or such clients use up what one worker may ask at once.
    """
    monkeypatch.setattr(process, "MAXIMUM_REQUESTS", 5)

    async def story(line: Line) -> None:
        for number in range(20):
            line.connection.data_received(login("later", number) + encode(Kind.CANCEL, number))
            await turns()
        line.authenticator.gate.set()
        line.ask("later", first=100)
        await turns()
        assert line.said() == [(100, Kind.ADMITTED)]
        assert line.authenticator.begun == ["later"]

    on_a_line(story)


def test_more_than_a_worker_may_ask_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAXIMUM_REQUESTS", 3)

    async def story(line: Line) -> None:
        line.ask(*["later"] * 4, "ready")
        await turns()
        assert line.said() == [(4, Kind.REFUSED), (5, Kind.ADMITTED)]
        assert line.answers()[0].fields[1] == TemporaryFailure.default_text.encode()
        line.authenticator.gate.set()
        await turns()
        line.ask("later", first=6)
        await turns()
        assert (6, Kind.ADMITTED) in line.said()

    on_a_line(story)


def test_a_number_given_twice_is_a_bad_frame() -> None:
    """Two logins of one number could not be counted or withdrawn apart."""

    async def story(line: Line) -> None:
        line.ask("later", first=1)
        line.ask("later", first=1)
        assert line.transport.aborted

    on_a_line(story)


def test_a_lost_worker_withdraws_everything() -> None:
    async def story(line: Line) -> None:
        line.ask("later", "later")
        await turns()
        line.connection.connection_lost(None)
        await turns()
        assert line.authenticator.withdrawn == ["later", "later"]
        assert line.transport.writes == []

    on_a_line(story)

"""One worker's line into the auth process, with an authenticator that is told what to say."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import cast

import pytest

from restante.auth import process
from restante.auth.frames import (
    ADMITTED,
    ASK,
    AUTHENTICATE,
    CANCEL,
    REFUSED,
    SALTED,
    Decoder,
    Frame,
    encode,
)
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.messages import Login, identity_body, login_frame, read_refusal
from restante.auth.process import WorkerConnection
from restante.auth.questions import question_body
from restante.auth.regulars import Regular
from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.identity import (
    Credentials,
    Identity,
    Peer,
    SaltRequest,
    ScramParameters,
    TokenCredentials,
)
from restante.secret import Secret
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import PEER, credentials, run, turns

BOB = Identity("bob", "accounts", "/mail/bob")


class Scripted:
    """An authenticator that answers by the name: at once, later, never, or by a defect."""

    def __init__(self) -> None:
        self.regular = Regular(BOB, blake2b())
        self.refreshed = 0
        self.begun: list[str] = []
        self.withdrawn: list[str] = []
        self.gate = asyncio.Event()

    def refresh(self) -> None:
        self.refreshed += 1

    def recognise(self, login: Login) -> Regular | None:
        if login[0] == b"regular defect":
            raise RuntimeError("kanarienvogel")
        return self.regular if login[0] == b"regular" else None

    def authenticate_at_once(self, credentials: Credentials, peer: Peer) -> Identity | None:
        if credentials.name == "ready":
            return BOB
        if credentials.name == "refused":
            raise TemporaryFailure(reason="the source is gone")
        if credentials.name == "defect":
            raise RuntimeError("kanarienvogel")
        return None

    def salt_at_once(self, request: SaltRequest, peer: Peer) -> ScramParameters:
        return ScramParameters(b"salt", 4_096)

    async def look_into(self, credentials: Credentials, peer: Peer) -> Identity:
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
        self.aborted = self.reading_paused = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.reading_paused = True

    def resume_reading(self) -> None:
        self.reading_paused = False


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

    def said(self) -> list[tuple[int, int]]:
        return [(number, kind) for number, kind, _ in self.answers()]


def login(name: str, number: int) -> bytes:
    return b"".join(login_frame(number, credentials(name, "secret"), PEER))


def on_a_line(story: Callable[[Line], Awaitable[None]]) -> None:
    """Run a story with a line of its own."""

    async def told() -> None:
        await story(Line())

    run(told())


def test_answers_come_to_those_who_asked() -> None:
    async def story(line: Line) -> None:
        line.ask("ready", "later", "wrong", "refused")
        await turns()
        assert line.said() == [(1, ADMITTED), (4, REFUSED)]
        line.authenticator.gate.set()
        await turns()
        assert line.said()[2:] == [(2, ADMITTED), (3, REFUSED)]
        assert line.answers()[0][2] == identity_body(BOB)

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


def test_a_regular_is_admitted_like_others() -> None:
    async def story(line: Line) -> None:
        line.ask("regular", "ready", "later", "regular")
        assert line.said() == [(1, ADMITTED), (2, ADMITTED), (4, ADMITTED)]
        assert {body for _, _, body in line.answers()} == {identity_body(BOB)}
        assert len(line.transport.writes) == 1

    on_a_line(story)


def test_what_was_sent_together_is_judged_by_one_look() -> None:
    """Taken after it was received: whoever logs in after a change meets it."""

    async def story(line: Line) -> None:
        line.ask(*["regular"] * 20)
        assert line.authenticator.refreshed == 1
        line.ask("regular", first=21)
        assert line.authenticator.refreshed == 2

    on_a_line(story)


def test_a_salt_is_looked_for_without_a_look_and_sent_without_a_turn() -> None:
    """Nobody is recognised by it; a password behind it still has its look."""

    async def story(line: Line) -> None:
        asked = encode(1, ASK, question_body(SaltRequest("bob", "SCRAM-SHA-256"), PEER))
        line.connection.data_received(asked)
        assert line.said() == [(1, SALTED)]
        assert line.authenticator.refreshed == 0
        line.connection.data_received(asked + login("regular", 2))
        assert line.authenticator.refreshed == 1
        await turns()
        assert line.said() == [(1, SALTED), (1, SALTED), (2, ADMITTED)]
        assert len(line.transport.writes) == 2

    on_a_line(story)


@pytest.mark.parametrize(
    "bad",
    [
        b"\0" * 16,
        b"GET / HTTP/1.1\r\n\r\n",
        encode(9, ADMITTED, identity_body(BOB)),
        encode(9, REFUSED, b"\0\0\0\0\2no"),
        encode(9, AUTHENTICATE, b"bob"),
        encode(9, AUTHENTICATE, b"\0\0\0\1" + bytes(16) + b"\xff"),
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
        assert other.said() == [(1, ADMITTED)]

    on_a_line(story)


def test_a_defect_costs_one_login() -> None:
    """What raises at once must not end the line of everybody else at this worker."""

    async def story(line: Line) -> None:
        line.ask("defect", "ready", "late defect", "regular defect")
        line.authenticator.gate.set()
        await turns()
        said = [(1, REFUSED), (2, ADMITTED), (3, REFUSED), (4, REFUSED)]
        assert sorted(line.said()) == said
        texts = {read_refusal(body).text for _, kind, body in line.answers() if kind == REFUSED}
        assert texts == {TemporaryFailure.default_text}
        assert line.log.named(Event.FAULT) == [{"reason": "RuntimeError"}] * 3
        assert not line.transport.aborted

    on_a_line(story)


def test_a_cancelled_login_is_withdrawn_and_not_answered() -> None:
    async def story(line: Line) -> None:
        line.ask("later", "later")
        await turns()
        line.connection.data_received(encode(1, CANCEL))
        line.connection.data_received(encode(99, CANCEL))
        await turns()
        assert line.authenticator.withdrawn == ["later"]
        line.authenticator.gate.set()
        await turns()
        assert line.said() == [(2, ADMITTED)]

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
            line.connection.data_received(login("later", number) + encode(number, CANCEL))
            await turns()
        line.authenticator.gate.set()
        line.ask("later", first=100)
        await turns()
        assert line.said() == [(100, ADMITTED)]
        assert line.authenticator.begun == ["later"]

    on_a_line(story)


def test_more_than_a_worker_may_ask_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAXIMUM_REQUESTS", 3)

    async def story(line: Line) -> None:
        line.ask(*["later"] * 4, "ready")
        await turns()
        assert line.said() == [(4, REFUSED), (5, ADMITTED)]
        assert read_refusal(line.answers()[0][2]).text == TemporaryFailure.default_text
        line.authenticator.gate.set()
        await turns()
        line.ask("later", first=6)
        await turns()
        assert (6, ADMITTED) in line.said()

    on_a_line(story)


def test_large_proofs_that_wait_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """And leave room for everybody whose proof is of a common size."""
    monkeypatch.setattr(process, "MAXIMUM_LARGE_OCTETS", 200_000)

    def token(number: int) -> bytes:
        proof = TokenCredentials("later", Secret(b"x" * 60_000), "XOAUTH2")
        return encode(number, ASK, question_body(proof, PEER))

    async def story(line: Line) -> None:
        for number in range(1, 6):
            line.connection.data_received(token(number))
        await turns()
        assert line.said() == [(4, REFUSED), (5, REFUSED)]
        line.ask(*["later"] * 20, first=10)
        await turns()
        assert len(line.authenticator.begun) == 23
        line.connection.data_received(encode(1, CANCEL))
        await turns()
        line.connection.data_received(token(6))
        line.authenticator.gate.set()
        await turns()
        assert (6, ADMITTED) in line.said()
        assert line.connection._large_octets == 0

    on_a_line(story)


def test_a_worker_that_does_not_read_is_not_read_either() -> None:
    """What it asked would be answered into memory."""

    async def story(line: Line) -> None:
        line.connection.pause_writing()
        assert line.transport.reading_paused
        line.connection.resume_writing()
        assert not line.transport.reading_paused
        line.connection.connection_lost(None)
        line.connection.pause_writing()
        line.connection.resume_writing()
        assert not line.transport.reading_paused

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

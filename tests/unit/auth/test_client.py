"""The worker's side of the auth process, against a process that says what the test wants."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from restante.auth import client as module
from restante.auth.client import AuthClient
from restante.auth.frames import (
    ADMITTED,
    AUTHENTICATE,
    CANCEL,
    REFUSED,
    Decoder,
    Frame,
    encode,
)
from restante.auth.messages import identity_body, read_login, refusal_body
from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.identity import Answer, AnswersByCall, Identity, Outcome
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import PEER, credentials, run, turns

BOB = Identity("bob", "accounts", None)
admit = partial(encode, kind=ADMITTED, body=identity_body(BOB))


class FakeProcess:
    """An auth process that keeps what it is asked and answers when it is told to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._server: asyncio.Server | None = None
        self.frames: list[Frame] = []
        self.reads = 0
        self.lines: list[asyncio.StreamWriter] = []
        self._news = asyncio.Event()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self._path))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines.append(writer)
        decoder = Decoder()
        while data := await reader.read(1_000_000):
            self.reads += 1
            self.frames += decoder.feed(data)
            self._news.set()
        writer.close()

    async def asked(self, count: int) -> list[Frame]:
        """Wait until so many frames have come."""
        while len(self.frames) < count:
            self._news.clear()
            await self._news.wait()
        return self.frames

    def say(self, data: bytes) -> None:
        self.lines[-1].write(data)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for line in self.lines:
            line.close()
        await turns()
        self._path.unlink(missing_ok=True)


class Scene:
    def __init__(self, path: Path) -> None:
        self.process = FakeProcess(path / "auth.sock")
        self.log = RecordingLog()
        self.client = AuthClient(path / "auth.sock", self.log)
        self.came: list[Outcome] = []

    def log_in(self, name: str = "bob") -> "asyncio.Task[Identity]":
        return asyncio.create_task(self.client.authenticate(credentials(name, "secret"), PEER))

    def submit(self, answer: Answer | None = None) -> Callable[[], None]:
        return self.client.submit(credentials("bob", "secret"), PEER, answer or self.came.append)

    async def connected(self) -> None:
        """Have a line that is in use."""
        login = self.log_in()
        number = (await self.process.asked(1))[0][0]
        self.process.say(admit(number))
        assert await login == BOB
        self.process.frames.clear()


def at(path: Path, story: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a story with a process that listens."""

    async def told() -> None:
        scene = Scene(path)
        await scene.process.start()
        try:
            await story(scene)
        finally:
            await scene.client.close()
            await scene.process.stop()

    run(told())


def test_it_answers_by_call() -> None:
    assert isinstance(AuthClient(Path("nowhere"), RecordingLog()), AnswersByCall)


def test_logins_are_answered_in_any_order(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        right, wrong = scene.log_in("bob"), scene.log_in("eve")
        frames = await scene.process.asked(2)
        numbers = {read_login(body)[0]: number for number, _, body in frames}
        refusal = refusal_body(AuthenticationFailed(reason="password"))
        scene.process.say(encode(numbers[b"eve"], REFUSED, refusal))
        scene.process.say(admit(numbers[b"bob"]))
        assert await right == BOB
        with pytest.raises(AuthenticationFailed) as caught:
            await wrong
        assert caught.value.reason == "password"
        assert len(scene.process.lines) == 1

    at(tmp_path, story)


def test_questions_of_one_turn_go_out_in_one_write(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        reads = scene.process.reads
        for _ in range(50):
            scene.submit()
        await scene.process.asked(50)
        assert scene.process.reads == reads + 1

    at(tmp_path, story)


def test_without_a_process_it_is_temporary(tmp_path: Path) -> None:
    async def story() -> None:
        scene = Scene(tmp_path)
        with pytest.raises(TemporaryFailure):
            await scene.log_in()
        scene.submit()
        while not scene.came:
            await asyncio.sleep(0)
        assert isinstance(scene.came[0], TemporaryFailure)
        assert scene.log.named(Event.AUTH_UNAVAILABLE)[0] == {"reason": "FileNotFoundError"}
        await scene.client.close()

    run(story())


def test_a_lost_line_refuses_those_who_wait_and_is_made_anew(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        waiting = [scene.log_in() for _ in range(3)]
        await scene.process.asked(3)
        await scene.process.stop()
        for login in waiting:
            with pytest.raises(TemporaryFailure):
                await login
        with pytest.raises(TemporaryFailure):
            await scene.log_in()
        await scene.process.start()
        scene.process.frames.clear()
        await scene.connected()
        assert len(scene.process.lines) == 2

    at(tmp_path, story)


def test_a_login_given_up_is_withdrawn(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        login = scene.log_in()
        (asked,) = await scene.process.asked(1)
        login.cancel()
        frames = await scene.process.asked(2)
        assert frames[1] == (asked[0], CANCEL, b"")
        with pytest.raises(asyncio.CancelledError):
            await login
        scene.process.say(admit(asked[0]))
        again = scene.log_in()
        number = (await scene.process.asked(3))[2][0]
        scene.process.say(admit(number))
        assert await again == BOB

    at(tmp_path, story)


def test_a_login_given_up_before_there_is_a_line_is_not_asked(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        withdraw = scene.submit()
        withdraw()
        await scene.connected()
        assert scene.came == []
        assert len(scene.process.frames) == 0

    at(tmp_path, story)


def test_a_login_given_up_while_the_line_is_new_is_withdrawn(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        withdraw = scene.submit()
        (asked,) = await scene.process.asked(1)
        withdraw()
        frames = await scene.process.asked(2)
        assert frames[1] == (asked[0], CANCEL, b"")
        scene.process.say(admit(asked[0]))
        await scene_settles(scene)
        assert scene.came == []

    at(tmp_path, story)


async def scene_settles(scene: Scene) -> None:
    """Have everything said so far taken in: a login behind it has been answered."""
    login = scene.log_in()
    count = len(scene.process.frames)
    number = (await scene.process.asked(count + 1))[-1][0]
    scene.process.say(admit(number))
    await login


def test_an_answer_that_crosses_a_withdrawal_harms_nobody(tmp_path: Path) -> None:
    """A future that was cancelled takes no result; that must not end the line of the others."""

    async def story(scene: Scene) -> None:
        await scene.connected()
        given_up, other = scene.log_in(), scene.log_in()
        first, second = await scene.process.asked(2)
        line = scene.client._line
        assert line is not None
        given_up.cancel()
        line.data_received(admit(first[0]))
        scene.process.say(admit(second[0]))
        assert await other == BOB
        assert not line.lost
        with pytest.raises(asyncio.CancelledError):
            await given_up

    at(tmp_path, story)


def test_too_many_that_wait_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_WAITING", 3)

    async def story(scene: Scene) -> None:
        await scene.connected()
        for _ in range(4):
            scene.submit()
        scene.submit()()  # withdrawn: it must not be answered any more
        await scene.process.asked(3)
        await turns()
        assert [type(outcome) for outcome in scene.came] == [TemporaryFailure]
        assert len(scene.process.frames) == 3

    at(tmp_path, story)


@pytest.mark.parametrize(
    "bad",
    [
        lambda number: b"\0" * 16,
        lambda number: b"HTTP/1.1 200 OK\r\n\r\n",
        lambda number: encode(number, ADMITTED, b"root"),
        lambda number: encode(number, ADMITTED, b"\0\0\0\1\0\0\0\0\0\xff"),
        lambda number: encode(number, REFUSED, b"\7\0\0\0\2no"),
        lambda number: encode(number, AUTHENTICATE),
    ],
)
def test_a_bad_frame_lets_nobody_in_and_nobody_wait(
    tmp_path: Path, bad: Callable[[int], bytes]
) -> None:
    async def story(scene: Scene) -> None:
        logins = [scene.log_in(), scene.log_in()]
        number = (await scene.process.asked(2))[0][0]
        scene.process.say(bad(number))
        for login in logins:
            with pytest.raises(TemporaryFailure):
                await login
        scene.process.frames.clear()
        await scene.connected()
        assert len(scene.process.lines) == 2

    at(tmp_path, story)


@pytest.mark.parametrize("connected", [False, True])
def test_a_login_that_cannot_be_said_is_not_left_waiting(
    tmp_path: Path, *, connected: bool
) -> None:
    async def story(scene: Scene) -> None:
        if connected:
            await scene.connected()
        with pytest.raises((TemporaryFailure, UnicodeEncodeError)):
            await scene.log_in("b\udc80b")

    at(tmp_path, story)


def test_an_answer_nobody_waits_for_is_nothing(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        scene.process.say(admit(12345))
        await scene_settles(scene)
        assert len(scene.process.lines) == 1

    at(tmp_path, story)


def test_numbers_begin_again(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        line = scene.client._line
        assert line is not None
        line._number = 0xFFFFFFFF
        login = scene.log_in()
        (asked,) = await scene.process.asked(1)
        assert asked[0] == 0
        scene.process.say(admit(0))
        assert await login == BOB

    at(tmp_path, story)

"""What an administrator asks of the auth process, over the line that no worker has."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from restante.auth import commands
from restante.auth.commands import Commands
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.options import ThrottleOptions
from restante.server.channel import Channel
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import options, run, turns

HERE = "192.0.2.1"


class Line:
    """Both ends of a line, and an authenticator at one of them."""

    def __init__(self, state: Path) -> None:
        self.log = RecordingLog()
        settings = options(state, throttle=ThrottleOptions(), default_domain="example.org")
        self.authenticator = InProcessAuthenticator(settings, self.log)
        ours, theirs = socket.socketpair()
        self.ours = Channel(ours)
        self.theirs = Channel(theirs)
        Commands(self.theirs, self.authenticator, self.log)
        self._number = 0

    def fail(self, address: str, account: str, times: int = 1) -> None:
        for _ in range(times):
            self._number += 1
            self.authenticator.throttle.failed(address, account, b"wrong %d" % self._number)

    async def ask(self, **message: object) -> Any:
        self._number += 1
        self.ours.send({"id": self._number, **message})
        while True:
            replies = self.ours.receive()
            assert replies is not None
            if replies:
                (reply,) = replies
                assert reply.pop("reply") == self._number
                return reply
            await asyncio.sleep(0)


def on_a_line(tmp_path: Path, story: Callable[[Line], Awaitable[None]]) -> None:
    async def told() -> None:
        line = Line(tmp_path)
        await story(line)
        line.ours.close()
        asyncio.get_running_loop().remove_reader(line.theirs.socket)
        line.theirs.close()
        await line.authenticator.close()

    run(told())


def test_what_is_held_is_listed_with_the_worst_first(tmp_path: Path) -> None:
    async def story(line: Line) -> None:
        line.fail(HERE, "alice")
        line.fail("198.51.100.1", "bob", 5)
        reply = await line.ask(command="throttle list")
        assert reply["left_off"] == 0
        assert reply["held"][0] == {
            "kind": "address",
            "name": "198.51.100.1",
            "failures": 5,
            "seconds_ago": pytest.approx(0, abs=30),
            "delay_seconds": 4.0,
        }
        assert {each["name"] for each in reply["held"]} >= {HERE, "alice", "192.0.2.0/24"}

    on_a_line(tmp_path, story)


def test_a_list_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAXIMUM_HELD", 500)
    monkeypatch.setattr(commands, "KEYS_AT_ONCE", 7)

    async def story(line: Line) -> None:
        for number in range(1_000):
            line.fail(f"203.{number >> 8}.{number & 255}.1", "x" * 250)
        reply = await line.ask(command="throttle list")
        assert len(reply["held"]) == 500
        assert reply["left_off"] == 2_001 + 1 - 500

    on_a_line(tmp_path, story)


@pytest.mark.parametrize(
    ("target", "forgiven"),
    [
        (HERE, 1),
        ("192.0.2.0/24", 2),
        ("bob@example.org", 1),
        ("BOB", 1),
        (None, 3),
        ("alice", 0),
        ("198.51.100.0/24", 0),
        ("no/name", 0),
        ("", 0),
    ],
)
def test_failures_are_forgiven(tmp_path: Path, target: str | None, forgiven: int) -> None:
    async def story(line: Line) -> None:
        line.fail(HERE, "bob@example.org", 20)
        message: dict[str, object] = {"command": "throttle forgive"}
        if target is not None:
            message["target"] = target
        assert await line.ask(**message) == {"forgiven": forgiven}
        assert line.log.named(Event.THROTTLE_FORGIVEN) == [
            {"count": forgiven, "target": target if target is not None else "all"}
        ]
        left = [each for each in line.authenticator.throttle.held() if each.kind != "all"]
        assert len(left) == 3 - forgiven - (target == HERE)

    on_a_line(tmp_path, story)


@pytest.mark.parametrize(
    "message", [{}, {"command": "drain"}, {"command": "throttle forgive", "target": 5}]
)
def test_what_is_no_command_is_refused(tmp_path: Path, message: dict[str, object]) -> None:
    async def story(line: Line) -> None:
        line.fail(HERE, "bob")
        assert await line.ask(**message) == {"error": "unknown command"}
        assert list(line.authenticator.throttle.held())

    on_a_line(tmp_path, story)


def test_a_line_whose_other_end_is_gone_is_left_alone(tmp_path: Path) -> None:
    async def story(line: Line) -> None:
        line.ours.close()
        await turns()
        assert not asyncio.get_running_loop().remove_reader(line.theirs.socket)

    on_a_line(tmp_path, story)

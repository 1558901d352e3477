"""Child processes: what they take along, what they leave behind, and how they end."""

import gc
import os
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.server.channel import Message
from restante.server.processes import EXIT_FAULT, Child, spawn
from restante.telemetry import LineLog


class Lives:
    """Children of a test, and what they write to their log."""

    def __init__(self) -> None:
        self._reader, writer = os.pipe()
        self.log = LineLog(writer, timestamps=False)
        self._writer = writer

    def start(self, life: Callable[[socket.socket], None], *, to_close: list[int]) -> Child:
        return spawn(
            "worker", life, generation=3, user=None, to_close=to_close, now=5.0, log=self.log
        )

    def end(self, child: Child) -> int:
        """Return the exit status of a child."""
        _, status = os.waitpid(child.pid, 0)
        child.channel.close()
        return os.waitstatus_to_exitcode(status)

    def end_with_messages(self, child: Child) -> list[Message]:
        """Return what a child has said when it ended well."""
        _, status = os.waitpid(child.pid, 0)
        assert status == 0
        messages = child.channel.receive()
        child.channel.close()
        assert messages is not None
        return messages

    def lines(self) -> list[str]:
        os.close(self._writer)
        with os.fdopen(self._reader) as log:
            return log.read().splitlines()


@pytest.fixture
def lives() -> Lives:
    return Lives()


def test_a_child_lives_its_life_and_ends(lives: Lives) -> None:
    own, other = os.pipe()

    def life(channel: socket.socket) -> None:
        try:
            os.fstat(other)
        except OSError:
            channel.send(b'{"closed":true}\n')
        channel.send(b'{"core":%d}\n' % resource.getrlimit(resource.RLIMIT_CORE)[1])
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    child = lives.start(life, to_close=[other])
    assert lives.end_with_messages(child) == [{"closed": True}, {"core": 0}]
    os.close(own)
    os.close(other)
    assert (child.role, child.generation, child.started_at) == ("worker", 3, 5.0)
    assert lives.lines() == [
        f"restante[{os.getpid()}]: process started: role=worker process={child.pid} generation=3"
    ]


def test_a_defect_is_a_line_and_a_status(lives: Lives) -> None:
    def life(channel: socket.socket) -> None:
        raise ValueError("the secret in it")

    assert lives.end(lives.start(life, to_close=[])) == EXIT_FAULT
    (fault,) = [line for line in lives.lines() if "]: fault: " in line]
    assert "ValueError: life line " in fault
    assert "secret" not in fault


def test_no_child_gets_back_into_its_parent(lives: Lives) -> None:
    """Whatever its life raises, it ends there."""

    def life(channel: socket.socket) -> None:
        raise SystemExit(0)

    assert lives.end(lives.start(life, to_close=[])) == EXIT_FAULT
    lives.lines()


def test_no_room_for_a_process_leaves_nothing_open(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    # What other tests left to the collector would be closed at any moment.
    gc.collect()
    gc.disable()
    try:
        before = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises(OSError, match="temporarily"):
            lives.start(lambda channel: None, to_close=[])
        assert len(list(Path("/proc/self/fd").iterdir())) == before
    finally:
        gc.enable()
    assert lives.lines() == []

"""A slow disk is the affair of who asked for it: another session of the worker notices nothing."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import require
from serving import STOP_SECONDS, Dialogue, ServerProcess, fill

SLOW_SECONDS = 2.0
LONG_AGO_NS = 1_700_000_000_123_456_789


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path, cleartext="always") as running:
        yield running


@contextmanager
def slow_disk(process: int, paths: list[Path], ready: str, waiting: str) -> Iterator[None]:
    """Let a process not find in memory what it looks for, and wait for its disk."""
    strace = subprocess.Popen(
        [
            require("strace"),
            "-f",
            *("-p", str(process)),
            *(argument for path in paths for argument in ("-P", str(path))),
            *("-e", f"trace={','.join(filter(None, (ready, waiting)))}"),
            *(("-e", f"inject={ready}:error=EAGAIN") if ready else ()),
            *("-e", f"inject={waiting}:delay_enter={int(SLOW_SECONDS * 1e6)}"),
            *("-o", "/dev/null"),
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert strace.stderr is not None
    try:
        said = strace.stderr.readline()
        assert b"attached" in said, said
        yield
    finally:
        strace.terminate()
        strace.communicate(timeout=STOP_SECONDS)


@dataclass(frozen=True)
class Wait:
    """Something a session waits for its disk with."""

    place: str
    """What is slow, below the Maildir; `message` is its only message."""
    ready: str
    """The call that finds it in memory, if there is one."""
    waiting: str
    """The call that waits for the disk."""
    before: tuple[bytes, ...]
    """What the session said before the disk became slow."""
    asked: tuple[bytes, ...]
    """What it says then; the last of it waits."""


LOG_IN = (b"USER alice", b"PASS secret")
WAITS = {
    "octets of a message": Wait("message", "preadv2", "pread64", LOG_IN, (b"RETR 1",)),
    "octets of a header": Wait("message", "preadv2", "pread64", LOG_IN, (b"TOP 1 0",)),
    "name of a message": Wait("message", "openat2", "openat", LOG_IN, (b"RETR 1",)),
    "new at a login": Wait("new", "openat2", "newfstatat", (), LOG_IN),
    "mailbox at a first login": Wait("", "", "newfstatat", (), LOG_IN),
    "removal": Wait("new", "", "unlinkat", (*LOG_IN, b"DELE 1"), (b"QUIT",)),
    "durability": Wait("new", "", "fsync", (*LOG_IN, b"DELE 1"), (b"QUIT",)),
    "catalogue": Wait("restante.catalogue", "", "pread64", (*LOG_IN, b"DELE 1"), (b"QUIT",)),
}


def warm(server: ServerProcess, name: str, visits: int = 2) -> Path:
    """Make a maildrop with a message, whose image stands in memory then; return the message."""
    [message] = fill(server.account(name, "secret"), b"Subject: x\n\nbody\n")
    for folder in ("new", "cur"):
        os.utime(message.parents[1] / folder, ns=(LONG_AGO_NS, LONG_AGO_NS))
    for _ in range(visits):
        with Dialogue(server.host, server.ports["none"]) as session:
            assert session.log_in(name, "secret").startswith(b"+OK")
            assert session.say(b"QUIT").startswith(b"+OK")
    return message


def answered_while(quick: Callable[[], None], seconds: float) -> tuple[int, float]:
    """Do something again and again; return how often, and how long the longest took."""
    since = time.monotonic()
    answers, longest = 0, 0.0
    while time.monotonic() - since < seconds:
        begun = time.monotonic()
        quick()
        longest = max(longest, time.monotonic() - begun)
        answers += 1
    return answers, longest


@pytest.mark.parametrize("what", WAITS)
def test_a_slow_disk_stalls_nobody_else(server: ServerProcess, what: str) -> None:
    """Two sessions of one worker: one asks for what takes its time, the other does not."""
    wait = WAITS[what]
    message = warm(server, "alice", visits=0 if "first" in what else 2)
    for name in ("bob", "carol"):
        warm(server, name)
    mailbox = message.parents[1]
    [worker] = server.processes("worker")
    with ExitStack() as sessions:
        slow = sessions.enter_context(Dialogue(server.host, server.ports["none"]))
        quick = sessions.enter_context(Dialogue(server.host, server.ports["none"]))
        assert quick.log_in("bob", "secret").startswith(b"+OK")
        for command in (*wait.before, *wait.asked[:-1]):
            assert slow.say(command).startswith(b"+OK")

        def visit() -> None:
            assert quick.say(b"NOOP").startswith(b"+OK")
            assert quick.say(b"RETR 1").startswith(b"+OK")
            quick.lines()
            with Dialogue(server.host, server.ports["none"]) as visitor:
                assert visitor.log_in("carol", "secret").startswith(b"+OK")
                assert visitor.say(b"QUIT").startswith(b"+OK")

        place = message if wait.place == "message" else mailbox / wait.place
        with slow_disk(worker, [place], wait.ready, wait.waiting):
            since = time.monotonic()
            slow.socket.sendall(wait.asked[-1] + b"\r\n")
            answers, longest = answered_while(visit, SLOW_SECONDS * 0.75)
            assert slow.line().startswith(b"+OK")
            took = time.monotonic() - since
        assert took > SLOW_SECONDS * 0.95, "the disk was not slow"
        assert longest < 0.5
        assert answers > 5


def test_many_sessions_on_a_slow_disk_leave_threads_for_the_others(server: ServerProcess) -> None:
    """More of them than threads that a worker has for what goes on as it should."""
    names = [f"slow{number}" for number in range(40)]
    messages = [warm(server, name) for name in names]
    fill(server.account("fresh", "secret"), b"Subject: x\n\nbody\n")
    [worker] = server.processes("worker")
    with ExitStack() as stack:
        sessions = [stack.enter_context(Dialogue(server.host, server.ports["none"])) for _ in names]
        for session, name in zip(sessions, names, strict=True):
            assert session.log_in(name, "secret").startswith(b"+OK")
        stack.enter_context(slow_disk(worker, messages, "preadv2", "pread64"))
        since = time.monotonic()
        for session in sessions:
            session.socket.sendall(b"RETR 1\r\n")
        # Nothing of this maildrop is in memory: its login takes a thread, and an UPDATE does.
        with Dialogue(server.host, server.ports["none"]) as fresh:
            assert fresh.log_in("fresh", "secret").startswith(b"+OK")
            assert fresh.say(b"DELE 1").startswith(b"+OK")
            assert fresh.say(b"QUIT").startswith(b"+OK")
        assert time.monotonic() - since < SLOW_SECONDS * 0.75
        for session in sessions:
            assert session.line().startswith(b"+OK")
            session.lines()
        assert time.monotonic() - since > SLOW_SECONDS * 0.95, "the disk was not slow"

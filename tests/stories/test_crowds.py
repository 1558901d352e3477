"""Many clients at once: limits counted over all workers, and a server short of descriptors."""

import contextlib
import os
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import require
from serving import Dialogue, ServerProcess, eventually, fill

REFUSED = b"-ERR [SYS/TEMP] too many connections, try again later"
GREETING = b"+OK POP3 server ready"
TICKS = os.sysconf("SC_CLK_TCK")


class Crowd:
    """Clients of many addresses."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._here: list[Dialogue] = []

    def come(self, address: str, *, expect: bytes = GREETING) -> Dialogue:
        """Let one more connect from an address of loopback."""
        port = self._server.ports["none"]
        visitor = Dialogue(self._server.host, port, source=address)
        self._here.append(visitor)
        assert visitor.greeting == expect
        if expect == REFUSED:
            assert visitor.rest() == b""
        return visitor

    def leave(self) -> None:
        """Let everybody go."""
        for visitor in self._here:
            visitor.close()
        self._here.clear()


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    limits: dict[str, float] = {
        "connections": 12,
        "connections_per_address": 4,
        "connections_per_network": 6,
        "before_login_per_address": 3,
    }
    with ServerProcess(tmp_path, workers=2, limits=limits) as server:
        for number in range(4):
            server.account(f"user{number}", "secret")
        made = Crowd(server)
        yield made
        made.leave()


def test_limits_are_counted_over_all_workers(crowd: Crowd) -> None:
    """conformance: 1939-S-03"""
    visitors = [crowd.come("127.0.1.1") for _ in range(3)]
    crowd.come("127.0.1.1", expect=REFUSED)
    for number, visitor in enumerate(visitors):
        assert visitor.log_in(f"user{number}", "secret").startswith(b"+OK")
    crowd.come("127.0.1.1")
    crowd.come("127.0.1.1", expect=REFUSED)
    for _ in range(2):
        crowd.come("127.0.1.2")
    crowd.come("127.0.1.3", expect=REFUSED)
    for number in range(6):
        crowd.come(f"127.0.{2 + number}.1")
    crowd.come("127.0.9.1", expect=REFUSED)
    crowd.leave()
    eventually(lambda: admitted(crowd, "127.0.1.1"))


def admitted(crowd: Crowd, address: str) -> bool:
    """Whether one more is let in."""
    with contextlib.suppress(AssertionError):
        crowd.come(address)
        return True
    return False


def test_what_is_refused_stands_in_the_log_once_a_second(crowd: Crowd) -> None:
    server = crowd._server
    for _ in range(3):
        crowd.come("127.0.1.1")
    since = time.monotonic()
    for _ in range(100):
        crowd.come("127.0.1.1", expect=REFUSED)
    seconds = time.monotonic() - since
    lines = [line for line in server.log().splitlines() if "connection refused:" in line]
    assert 1 <= len(lines) <= 2 * (seconds + 1)
    assert 'reason="connections before login per address"' in lines[0]
    assert "rip=127.0.1.1" in lines[0]


def cpu_seconds(server: ServerProcess) -> float:
    """Return what the processes of a server have used."""
    assert server.process is not None
    processes = [server.process.pid, *server.processes("worker"), *server.processes("auth")]
    used = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICKS


def descriptors(process: int) -> int:
    """Return how many descriptors a process has."""
    return len(os.listdir(f"/proc/{process}/fd"))


def test_a_server_short_of_descriptors(tmp_path: Path) -> None:
    """Those who are there are served on, the log stays quiet, and it passes."""
    prlimit = require("prlimit")
    with ServerProcess(tmp_path, wrapper=[prlimit, "--nofile=64:64"]) as server:
        fill(server.account("alice", "secret"), b"Subject: x\n\nbody\n")
        [worker] = server.processes("worker")
        with Dialogue(server.host, server.ports["none"]) as session:
            session.log_in("alice", "secret")
            assert session.say(b"DELE 1").startswith(b"+OK")
            assert session.say(b"RSET").startswith(b"+OK")
            crowd = [Dialogue(server.host, server.ports["none"]) for _ in range(150)]
            greetings = [visitor.greeting for visitor in crowd]
            assert set(greetings) == {GREETING, REFUSED}
            assert descriptors(worker) <= 64
            before, lines, since = cpu_seconds(server), len(server.log()), time.monotonic()
            while time.monotonic() - since < 2:
                with Dialogue(server.host, server.ports["none"]) as visitor:
                    assert visitor.greeting == REFUSED
                assert session.say(b"RETR 1").startswith(b"+OK")
                assert session.lines() == [b"Subject: x", b"", b"body"]
                time.sleep(0.05)
            seconds = time.monotonic() - since
            assert cpu_seconds(server) - before < 0.25 * seconds
            said = server.log()[lines:].splitlines()
            assert len(said) <= 2 * (seconds + 1), said
            for visitor in crowd:
                visitor.close()
            eventually(lambda: newcomer_is_greeted(server), seconds=2)
        assert "Traceback" not in server.log()


def newcomer_is_greeted(server: ServerProcess) -> bool:
    """Whether a new client is let in."""
    with Dialogue(server.host, server.ports["none"]) as visitor:
        return visitor.greeting == GREETING


@pytest.mark.parametrize("used_up", ["listeners", "files"])
def test_descriptors_that_run_out_all_the_same(tmp_path: Path, used_up: str) -> None:
    """The limit is lowered under a worker that counts on more."""
    with ServerProcess(tmp_path) as server:
        fill(server.account("alice", "secret"), b"Subject: x\n\nbody\n")
        [worker] = server.processes("worker")
        with Dialogue(server.host, server.ports["none"]) as session:
            session.log_in("alice", "secret")
            _, hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (descriptors(worker), hard))
            crowd: list[socket.socket] = []
            before, lines, since = cpu_seconds(server), len(server.log()), time.monotonic()
            if used_up == "files":
                reply = session.say(b"RETR 1")
                assert reply.startswith(b"-ERR [SYS/TEMP]")
            else:
                address = (server.host, server.ports["none"])
                crowd = [socket.create_connection(address, timeout=5) for _ in range(20)]
            while time.monotonic() - since < 2:
                assert session.say(b"NOOP").startswith(b"+OK")
                time.sleep(0.05)
            seconds = time.monotonic() - since
            assert cpu_seconds(server) - before < 0.25 * seconds
            said = server.log()[lines:].splitlines()
            assert len(said) <= 2 * (seconds + 1), said
            for visitor in crowd:
                visitor.close()
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (hard, hard))
            eventually(lambda: newcomer_is_greeted(server), seconds=5)
            assert session.say(b"RETR 1").startswith(b"+OK")
        assert "Traceback" not in server.log()

"""The throttle of a real server: over restarts, by command, and with a network that attacks."""

import json
import os
import re
import resource
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from restante.auth.hashes import hash_password
from restante.auth.options import HashOptions

from serving import Dialogue, ServerProcess, eventually

FAILED = b"-ERR [AUTH] authentication failed"
CHEAP = HashOptions(memory_kib=8, passes=1)


class Throttled(ServerProcess):
    """A server with the usual throttle, and hashes that cost nothing."""

    hashing = CHEAP
    throttle = "first_delay_seconds = 0.05\nlongest_delay_seconds = 0.4\n"

    def write_configuration(self) -> None:
        super().write_configuration()
        written = self.configuration.read_text()
        assert "free_failures = 1000000\n" in written
        self.configuration.write_text(written.replace("free_failures = 1000000\n", self.throttle))

    def hashed(self, *names: str) -> None:
        """Add accounts that have the password `secret`, all with one hash."""
        stored = hash_password(b"secret", self.hashing)
        with self.passwords.open("a") as lines:
            lines.writelines(f"{name}:{stored}\n" for name in names)

    def log_in(self, name: str, password: str, source: str = "127.0.0.1") -> bytes:
        with Dialogue(self.host, self.ports["none"], source=source) as dialogue:
            return dialogue.log_in(name, password)

    def held(self) -> dict[str, int]:
        """Return the failures of everybody, as the command lists them."""
        done = self.run("throttle", "list", "--json")
        assert done.returncode == 0, done.stderr
        return {each["name"]: each["failures"] for each in json.loads(done.stdout)["held"]}

    def delays(self) -> list[str]:
        """Return what logins were delayed for."""
        return re.findall(r"auth delayed: .* reason=(\w+) user=", self.log())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Throttled]:
    throttled = Throttled(tmp_path)
    throttled.hashed("bob", "alice")
    with throttled:
        yield throttled


def guess(server: Throttled, count: int, source: str = "127.0.5.1", name: str = "bob") -> None:
    """Fail with passwords nobody tried before."""
    for _ in range(count):
        assert server.log_in(name, f"guess {time.monotonic_ns()}", source) == FAILED


def test_a_running_server_lists_and_forgives(server: Throttled) -> None:
    guess(server, 5)
    assert server.held().items() >= {"127.0.5.1": 5, "127.0.5.0/24": 5, "bob": 5}.items()
    table = server.run("throttle", "list")
    assert b"address  127.0.5.1     5" in table.stdout
    before = len(server.delays())
    assert before == 1, "the fifth"
    done = server.run("throttle", "forgive", "127.0.5.1")
    assert (done.returncode, done.stdout) == (0, b"forgiven: 1\n")
    assert server.log_in("alice", "secret", "127.0.5.1").startswith(b"+OK")
    assert len(server.delays()) == before
    assert {name for name in server.held() if name} == {"bob"}
    done = server.run("throttle", "forgive", "bob")
    assert done.stdout == b"forgiven: 1\n"
    guess(server, 1)
    assert server.run("throttle", "forgive", "--all").stdout == b"forgiven: 3\n"
    assert server.held() == {}
    eventually(lambda: "throttle forgiven: count=3 target=all" in server.log())


def test_without_a_server_there_is_one_line(tmp_path: Path) -> None:
    server = Throttled(tmp_path)
    for arguments in (["list"], ["forgive", "--all"]):
        done = server.run("throttle", *arguments)
        assert done.returncode == 69
        assert done.stderr == b"restante: no server is running with this state directory\n"


def test_what_is_held_survives_the_end_of_the_auth_process(server: Throttled) -> None:
    """threats: A3"""
    guess(server, 6)
    file = server.state / "auth" / "throttle.json"
    # Nothing is asked of the process that it could write for: it dies of a sudden.
    eventually(lambda: file.exists() and '"a127.0.5.1", 6' in file.read_text())
    (auth,) = server.processes("auth")
    os.kill(auth, signal.SIGKILL)
    eventually(lambda: len(server.processes("auth")) == 1 and server.processes("auth") != [auth])
    eventually(lambda: server.run("throttle", "list").returncode == 0)
    assert server.held()["127.0.5.1"] == 6


def test_what_is_held_survives_a_restart_and_a_reload(server: Throttled) -> None:
    """threats: A3"""
    guess(server, 6)
    assert server.log_in("alice", "secret", "127.0.6.1").startswith(b"+OK")
    server.stop()
    written = (server.state / "auth" / "throttle.json").read_text()
    assert "guess" not in written
    server.start()
    assert server.held()["127.0.5.1"] == 6
    guess(server, 1, name="alice")
    assert server.delays()[-1] == "address"
    for number in range(7):
        guess(server, 1, f"127.0.{number + 10}.1", "alice")
    assert server.delays()[-1] == "account"
    before = len(server.delays())
    assert server.log_in("alice", "secret", "127.0.6.1").startswith(b"+OK")
    assert len(server.delays()) == before, "it logged in from there before the restart"
    file = server.state / "auth" / "throttle.json"
    eventually(lambda: '"ualice", 8' in file.read_text())
    assert server.run("reload").returncode == 0
    eventually(lambda: len(server.processes("auth")) == 1)
    assert server.held()["alice"] == 8


def test_a_forgetful_program_is_no_attack(server: Throttled) -> None:
    """threats: A3"""
    for _ in range(12):
        for name in ("bob", "alice", "nobody"):
            assert server.log_in(name, "the old password", "127.0.7.1") == FAILED
    assert server.delays() == []
    assert server.held()["127.0.7.1"] == 3


# ---- an attack


class Attacked(Throttled):
    """A server whose hashes cost what they usually do, and whose delays are the usual ones."""

    hashing = HashOptions()
    throttle = ""


_AT_ONCE = struct.pack("ii", 1, 0)


class Attack:
    """Many connections of one network, each of which guesses as fast as it is answered."""

    def __init__(self, server: Attacked, connections: int) -> None:
        self._server = server
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._guess, args=(number,)) for number in range(connections)
        ]
        self.answered = 0

    def _guess(self, number: int) -> None:
        source = f"127.66.6.{number % 250 + 1}"
        while not self._over.is_set():
            try:
                with Dialogue(self._server.host, self._server.ports["none"], source=source) as one:
                    one.socket.settimeout(1.0)
                    # Resets the connection at its end, so that nothing of it waits any longer.
                    one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                    one.log_in(f"user{number}", f"guess {time.monotonic_ns()}")
                    self.answered += 1
            except OSError:
                continue

    def __enter__(self) -> "Attack":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def seconds_of_a_login(server: Attacked, name: str, source: str) -> float:
    begun = time.monotonic()
    assert server.log_in(name, "secret", source).startswith(b"+OK")
    return time.monotonic() - begun


def test_an_honest_login_is_served_while_one_network_attacks(tmp_path: Path) -> None:
    """threats: A3, A4"""
    server = Attacked(tmp_path)
    honest = [f"honest{number}" for number in range(6)]
    server.hashed("regular", *honest)
    with server, ExitStack() as stack:
        assert server.log_in("regular", "secret", "127.66.6.200").startswith(b"+OK")
        attack = stack.enter_context(Attack(server, 60))
        eventually(lambda: len(server.delays()) >= 1)
        seconds = [
            seconds_of_a_login(server, name, f"127.{number + 1}.1.1")
            for number, name in enumerate(honest)
        ]
        # Generous: a hash takes some hundredths of a second.
        assert max(seconds) < 3.0
        assert seconds_of_a_login(server, "regular", "127.66.6.200") < 3.0, "from its midst"
        assert attack.answered < 60
        assert "fault" not in server.log()


def _memory_kib(process: int, field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1])


def _crowd_of(tmp_path: Path, count: int) -> None:
    """Let one network guess so many times at once, and log in beside it meanwhile."""
    limits: dict[str, float] = {"connections_per_network": 6_000}
    server = Attacked(tmp_path, workers=2, limits=limits)
    honest = [f"honest{number}" for number in range(20)]
    server.hashed("regular", *honest)
    with server, ExitStack() as stack:
        assert server.log_in("regular", "secret", "127.66.6.200").startswith(b"+OK")
        (auth,) = server.processes("auth")
        crowd = []
        for number in range(count):
            source = f"127.66.6.{number % 199 + 1}"
            one = Dialogue(server.host, server.ports["none"], source=source)
            stack.callback(one.close)
            one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            crowd.append(one)
        Path(f"/proc/{auth}/clear_refs").write_text("5")
        idle = _memory_kib(auth, "VmRSS")
        for number, one in enumerate(crowd):
            one.socket.sendall(b"USER user%d\r\nPASS guess\r\n" % number)
        seconds = [
            seconds_of_a_login(server, name, f"127.{number + 1}.1.1")
            for number, name in enumerate(honest)
        ]
        assert max(seconds) < 3.0
        assert seconds_of_a_login(server, "regular", "127.66.6.200") < 3.0, "from its midst"
        grown = _memory_kib(auth, "VmHWM") - idle
        # 8 KiB a login, 16 MiB for whatever an allocator keeps.
        assert grown <= HashOptions().threads * HashOptions().memory_kib + 8 * count + 16_384
        assert "fault" not in server.log()


def test_many_logins_of_one_network_at_once(tmp_path: Path) -> None:
    """threats: A3, A4"""
    _crowd_of(tmp_path, 300)


@pytest.mark.long
def test_5000_logins_of_one_network_at_once(tmp_path: Path) -> None:
    """threats: A3, A4"""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    try:
        _crowd_of(tmp_path, 5_000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

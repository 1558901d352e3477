"""systemd: sockets it hands over, and what it is told; by its own program and to our own ears."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import require
from serving import RESTANTE, STOP_SECONDS, Dialogue, ServerProcess, eventually


class Listener:
    """The socket that a service manager is told things on."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0restante-systemd-{os.getpid()}-{id(self)}")
        self.address = "@" + self._socket.getsockname()[1:].decode()
        self.heard: list[str] = []

    def wait_for(self, words: str, *, seconds: float = 20.0) -> str:
        """Return the next message with these words; what comes before it is kept in `heard`."""
        deadline = time.monotonic() + seconds
        while True:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.01))
            message = self._socket.recv(4096).decode()
            self.heard.append(message)
            if words in message:
                return message

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def written(directory: Path, *listeners: str) -> ServerProcess:
    """Write a configuration with these listeners."""
    server = ServerProcess(directory)
    text = server.configuration.read_text()
    head, _, tail = text.partition("[[listener]]")
    _, _, tail = tail.partition("[tls]\n")
    server.configuration.write_text(head + "\n".join(listeners) + "\n[tls]\n" + tail)
    server.account("alice", "secret")
    return server


def inherited(name: str, tls: str) -> str:
    return f'[[listener]]\naddress = "systemd:{name}"\ntls = "{tls}"\n'


@pytest.mark.parametrize("names", [("pop3", "pop3s"), ("restante.socket", "restante.socket")])
def test_sockets_are_handed_over(tmp_path: Path, manager: Listener, names: tuple[str, str]) -> None:
    """The connection that started the server is served too; one unit may have two sockets."""
    clear, secret = free_ports(2)
    second = names[1] if names[1] != names[0] else f"{names[1]}.1"
    server = written(tmp_path, inherited(names[0], "stls"), inherited(second, "implicit"))
    process = subprocess.Popen(
        [
            require("systemd-socket-activate"),
            *("-l", f"127.0.0.1:{clear}", "-l", f"127.0.0.1:{secret}"),
            f"--fdname={names[0]}:{names[1]}",
            *("-E", f"NOTIFY_SOCKET={manager.address}", "-E", f"PATH={os.environ['PATH']}"),
            *("-E", f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}"),
            *RESTANTE,
            *("serve", "--config", str(server.configuration)),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        eventually(lambda: can_connect(clear))
        manager.wait_for("READY=1")
        with Dialogue("127.0.0.1", clear) as first:
            assert first.greeting == b"+OK POP3 server ready"
        with Dialogue("127.0.0.1", secret, server.client_context()) as session:
            assert session.log_in("alice", "secret").startswith(b"+OK")
            process.send_signal(signal.SIGHUP)
            manager.wait_for("RELOADING=1")
            manager.wait_for("READY=1")
            with Dialogue("127.0.0.1", secret, server.client_context()) as other:
                assert other.greeting == b"+OK POP3 server ready"
            assert session.say(b"STAT") == b"+OK 0 0"
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0, out
    assert b"Traceback" not in out


def can_connect(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def test_a_socket_that_was_not_handed_over(tmp_path: Path) -> None:
    server = written(tmp_path, inherited("pop3", "stls"))
    done = server.run("serve")
    assert done.returncode == 78
    assert b"no socket named 'pop3' was handed over" in done.stderr.splitlines()[-1]


def test_what_a_service_manager_is_told(tmp_path: Path, manager: Listener) -> None:
    environment = {
        "NOTIFY_SOCKET": manager.address,
        "WATCHDOG_USEC": "400000",
    }
    server = ServerProcess(tmp_path)
    process = subprocess.Popen(
        [*RESTANTE, "serve", "--config", str(server.configuration)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    )
    try:
        manager.wait_for("READY=1")
        since = time.monotonic()
        for _ in range(5):
            manager.wait_for("WATCHDOG=1")
        assert time.monotonic() - since < 5 * 0.4, "a sign of life comes in half the time"
        manager.heard.clear()
        process.send_signal(signal.SIGHUP)
        reloading = manager.wait_for("RELOADING=1")
        assert int(reloading.partition("MONOTONIC_USEC=")[2]) <= time.monotonic_ns() // 1000
        manager.wait_for("READY=1")
        right = server.configuration.read_text()
        server.configuration.write_text("nonsense")
        process.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        manager.wait_for("READY=1")
        server.configuration.write_text(right)
        manager.heard.clear()
        process.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        assert process.wait(STOP_SECONDS) == 0
        assert not any("READY" in message for message in manager.heard)
    finally:
        process.kill()
        process.wait()

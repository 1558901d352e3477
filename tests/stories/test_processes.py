"""Processes that die, and a server that goes on; a server that ends, and leaves nothing behind."""

import contextlib
import fcntl
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import STOP_SECONDS, Dialogue, ServerProcess, eventually, fill, fill_large

LARGE = 48 * 1024 * 1024
"""More than the buffers of a connection hold."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path, workers=2) as running:
        yield running


def connect(server: ServerProcess, name: str) -> Dialogue:
    """Return a session of an account, which is made where it does not exist."""
    if f"{name}:" not in server.passwords.read_text():
        fill(server.account(name, "secret"), b"Subject: one\n\n", b"Subject: two\n\n")
    dialogue = Dialogue(server.host, server.ports["none"])
    assert dialogue.log_in(name, "secret").startswith(b"+OK"), server.log()
    return dialogue


def one_for_each_worker(server: ServerProcess) -> tuple[str, Dialogue, str, Dialogue]:
    """Return a session of one worker and a session of the other, by name."""
    first = connect(server, "user0")
    for number in range(1, 60):
        name = f"user{number}"
        other = connect(server, name)
        if server.worker_of(name) != server.worker_of("user0"):
            return "user0", first, name, other
        other.close()
    raise AssertionError("one worker takes all")


def refuses(server: ServerProcess) -> bool:
    """Whether nobody listens any more; the last worker to hear of it may still be on its way."""
    try:
        socket.create_connection((server.host, server.ports["none"]), timeout=10).close()
    except ConnectionRefusedError:
        return True
    return False


def alive(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_that_is_killed(server: ServerProcess) -> None:
    """conformance: 1939-S-47, 1939-S-113"""
    name, victim, other_name, other = one_for_each_worker(server)
    assert victim.say(b"DELE 1").startswith(b"+OK")
    killed = server.worker_of(name)
    os.kill(killed, signal.SIGKILL)
    with contextlib.suppress(ConnectionResetError):
        assert victim.rest() == b""
    since = time.monotonic()
    with connect(server, name) as again:
        assert time.monotonic() - since < 1, "its lock outlived it"
        assert again.say(b"STAT").startswith(b"+OK 2 ")
    assert other.say(b"RETR 1").startswith(b"+OK")
    assert len(other.lines()) == 2
    eventually(lambda: killed not in server.processes("worker"))
    eventually(lambda: len(server.processes("worker")) == 2)
    assert server.worker_of(other_name) in server.processes("worker")
    victim.close()
    other.close()
    server.stop(expect=0)


def test_a_worker_that_is_killed_is_no_longer_counted(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, limits={"connections": 3}) as server:
        sessions = [Dialogue(server.host, server.ports["none"]) for _ in range(3)]
        with Dialogue(server.host, server.ports["none"]) as refused:
            assert refused.greeting.startswith(b"-ERR [SYS/TEMP]")
        os.kill(server.processes("worker")[0], signal.SIGKILL)
        for session in sessions:
            session.close()
        for _ in range(3):
            sessions.append(Dialogue(server.host, server.ports["none"]))
            assert sessions[-1].greeting.startswith(b"+OK")
        for session in sessions:
            session.close()


def test_an_auth_process_that_is_killed(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server, connect(server, "alice") as session:
        server.account("bob", "secret")
        [auth] = server.processes("auth")
        os.kill(auth, signal.SIGSTOP)
        with Dialogue(server.host, server.ports["none"]) as waiting:
            waiting.socket.sendall(b"USER bob\r\nPASS secret\r\n")
            assert waiting.line().startswith(b"+OK")
            # The request has to be on its way: another one of the same worker's is behind it.
            assert session.say(b"NOOP").startswith(b"+OK")
            os.kill(auth, signal.SIGKILL)
            assert waiting.line().startswith(b"-ERR [SYS/TEMP] ")
            eventually(lambda: server.processes("auth") not in ([], [auth]))
            assert waiting.log_in("bob", "secret").startswith(b"+OK")
        assert session.say(b"RETR 2").startswith(b"+OK")
        assert "Traceback" not in server.log()


def test_a_supervisor_that_is_killed_takes_all_with_it(server: ServerProcess) -> None:
    """Idle sessions end at once; nothing that was marked is removed."""
    session = connect(server, "alice")
    session.say(b"DELE 1")
    children = server.processes("worker") + server.processes("auth")
    assert server.process is not None
    server.process.kill()
    server.process.wait(STOP_SECONDS)
    server.process = None
    assert session.rest() == b""
    eventually(lambda: not any(map(alive, children)))
    assert len(list((server.mail / "alice" / "new").iterdir())) == 2
    session.close()


def test_a_drain_lets_a_message_arrive_and_nobody_wait(tmp_path: Path) -> None:
    """conformance: 1939-S-111"""
    with ServerProcess(tmp_path, workers=2, limits={"drain_seconds": 60}) as server:
        with connect(server, "alice") as busy, connect(server, "bob") as idle:
            idle.say(b"DELE 1")
            busy.say(b"DELE 1")
            # The greeting of a session that has not logged in is all it hears.
            newcomer = Dialogue(server.host, server.ports["none"])
            busy.close()
            fill_large(server.mail / "alice", LARGE)
            with connect(server, "alice") as reader:
                reader.say(b"DELE 1")
                assert reader.say(b"RETR 3").startswith(b"+OK")
                assert server.process is not None
                server.process.send_signal(signal.SIGTERM)
                since = time.monotonic()
                assert idle.rest() == b""
                assert newcomer.rest() == b""
                assert time.monotonic() - since < 5
                eventually(lambda: refuses(server))
                rest = reader.rest()
                assert len(rest) >= LARGE
                assert rest.endswith(b"\r\n.\r\n")
            newcomer.close()
        assert server.process.wait(STOP_SECONDS) == 0
        server.process = None
        assert len(list((server.mail / "alice" / "new").iterdir())) == 3
        assert len(list((server.mail / "bob" / "new").iterdir())) == 2


def test_a_drain_has_a_deadline(tmp_path: Path) -> None:
    """conformance: 1939-S-111"""
    with ServerProcess(tmp_path, limits={"drain_seconds": 1}) as server:
        with connect(server, "alice"):
            pass
        fill_large(server.mail / "alice", LARGE)
        with connect(server, "alice") as stalled:
            stalled.say(b"DELE 1")
            assert stalled.say(b"RETR 3").startswith(b"+OK")
            since = time.monotonic()
            server.stop(expect=0)
            assert 0.9 < time.monotonic() - since < 8
            try:
                rest = stalled.rest()
            except ConnectionResetError:
                rest = b""
            assert len(rest) < LARGE
            assert not rest.endswith(b"\r\n.\r\n")
        assert len(list((server.mail / "alice" / "new").iterdir())) == 3
        assert 'reason="server stopping"' in server.log()


def wait_for_generation(server: ServerProcess, number: int, before: list[int]) -> None:
    """Wait until a generation serves and of those before only the worker of alice is left."""
    old = set(before) - {server.worker_of("alice")}
    eventually(lambda: len(set(server.processes("worker")) - set(before)) == 2)
    eventually(lambda: f"reloaded: generation={number}" in server.log())
    eventually(lambda: not old & set(server.processes("worker")))


def test_a_reload_loses_no_connection_and_no_session(server: ServerProcess) -> None:
    session = connect(server, "alice")
    session.say(b"DELE 1")
    over = threading.Event()
    failures: list[str] = []
    served = 0

    def keep_connecting() -> None:
        nonlocal served
        while not over.is_set():
            try:
                with Dialogue(server.host, server.ports["none"]) as visitor:
                    if visitor.say(b"QUIT") != b"+OK goodbye":
                        failures.append("no goodbye")
                    served += 1
            except OSError as error:
                failures.append(repr(error))

    visitors = [threading.Thread(target=keep_connecting) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    try:
        assert server.process is not None
        for generation in (2, 3):
            before = server.processes("worker")
            server.process.send_signal(signal.SIGHUP)
            wait_for_generation(server, generation, before)
    finally:
        over.set()
        for visitor in visitors:
            visitor.join(STOP_SECONDS)
    assert failures == []
    assert served > 10
    assert session.say(b"RETR 2").startswith(b"+OK")
    session.lines()
    assert session.say(b"QUIT") == b"+OK goodbye"
    session.close()
    assert len(list((server.mail / "alice" / "new").iterdir())) == 1
    eventually(lambda: len(server.processes("worker")) == 2 and len(server.processes("auth")) == 1)
    assert "fault" not in server.log()


@pytest.mark.parametrize("wrong", ["no TOML [", "hostname = 5\n", "", "\udcff"])
def test_a_bad_configuration_changes_nothing(server: ServerProcess, wrong: str) -> None:
    session = connect(server, "alice")
    before = server.processes("worker") + server.processes("auth")
    right = server.configuration.read_bytes()
    server.configuration.write_bytes(wrong.encode("utf-8", "surrogateescape"))
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "reload refused: reason=" in server.log())
    assert session.say(b"NOOP").startswith(b"+OK")
    connect(server, "bob").close()
    server.configuration.unlink()
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: server.log().count("reload refused: reason=") == 2)
    server.configuration.write_bytes(right)
    assert server.processes("worker") + server.processes("auth") == before
    assert session.say(b"NOOP").startswith(b"+OK")
    session.close()


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    """Neither a session nor the end of the server waits for who reads the log."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    server = ServerProcess(tmp_path, log_to=writer)
    server.account("alice", "secret")
    try:
        with server:
            for _ in range(60):
                with Dialogue(server.host, server.ports["none"]) as session:
                    session.socket.settimeout(10)
                    assert session.log_in("alice", "secret").startswith(b"+OK")
                    assert session.say(b"QUIT").startswith(b"+OK")
        assert select.select([reader], [], [], 0)[0]
    finally:
        os.close(reader)
        os.close(writer)


def test_a_hangup_that_reaches_all_is_a_reload_and_no_end(server: ServerProcess) -> None:
    """`killall -HUP` and a terminal that is closed mean every process."""
    session = connect(server, "alice")
    assert server.process is not None
    everybody = [server.process.pid, *server.processes("worker"), *server.processes("auth")]
    for process in everybody:
        os.kill(process, signal.SIGHUP)
    eventually(lambda: "reloaded: generation=2" in server.log())
    assert session.say(b"RETR 1").startswith(b"+OK")
    assert session.lines()
    assert session.say(b"QUIT").startswith(b"+OK")
    assert "status=-1" not in server.log()
    assert "fault" not in server.log()
    session.close()

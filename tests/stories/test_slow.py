"""Slow clients and greedy clients: each is its own affair."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import STOP_SECONDS, Dialogue, ServerProcess, eventually, fill, fill_large

MIB = 1024 * 1024
NOTHING_DONE = b"+OK nothing done\r\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path, cleartext="always") as running:
        yield running


def resident(server: ServerProcess) -> int:
    """Return the octets of memory of the only worker that nobody shares."""
    [worker] = server.processes("worker")
    for line in Path(f"/proc/{worker}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


def log_in(server: ServerProcess, name: str, *, tls: bool = False) -> Dialogue:
    port, context = server.ports["none"], None
    if tls:
        port, context = server.ports["implicit"], server.client_context()
    dialogue = Dialogue(server.host, port, context)
    assert dialogue.log_in(name, "secret").startswith(b"+OK")
    return dialogue


@pytest.mark.parametrize("tls", [False, True])
def test_stalled_readers_of_large_messages_cost_little(server: ServerProcess, *, tls: bool) -> None:
    """Each asks for far more than any buffer holds, and reads nothing."""
    names = [f"user{number}" for number in range(8)]
    for name in names:
        fill_large(server.account(name, "secret"), 128 * MIB)
    server.account("honest", "secret")
    with contextlib.ExitStack() as everybody:
        readers = [everybody.enter_context(log_in(server, name, tls=tls)) for name in names]
        before = resident(server)
        for reader in readers:
            reader.socket.sendall(b"RETR 1\r\nNOOP\r\n")
            assert reader.line().startswith(b"+OK")
        peak = 0
        since = time.monotonic()
        while time.monotonic() - since < 1:
            with log_in(server, "honest", tls=tls) as session:
                assert session.say(b"STAT") == b"+OK 0 0"
            peak = max(peak, resident(server))
        # A chunk that waits in the transport and one in the making, and what the heap keeps of it.
        assert peak - before < len(names) * MIB * 3 // 8, f"{(peak - before) / MIB:.1f} MiB more"


def test_a_million_noops_in_one_write(server: ServerProcess) -> None:
    """conformance: 2449-S-24"""
    server.account("alice", "secret")
    million = 1_000_000
    with log_in(server, "alice") as flood:
        flood.say(b"NOOP")
        before = resident(server)
        writer = threading.Thread(target=flood.socket.sendall, args=(b"NOOP\r\n" * million,))
        writer.start()
        answered, peak, slowest = 0, 0, 0.0
        server.account("bob", "secret")
        while answered < million * len(NOTHING_DONE):
            piece = flood.socket.recv(1 << 20)
            assert piece
            assert not piece.strip(b"+OK nothing done\r\n")
            answered += len(piece)
            if answered // (1 << 22) != (answered - len(piece)) // (1 << 22):
                peak = max(peak, resident(server))
                since = time.monotonic()
                with log_in(server, "bob") as other:
                    other.say(b"NOOP")
                slowest = max(slowest, time.monotonic() - since)
        writer.join(STOP_SECONDS)
        assert answered == million * len(NOTHING_DONE)
        assert peak - before < 8 * MIB, f"{(peak - before) / MIB:.1f} MiB more"
        assert slowest < 2
        assert flood.say(b"QUIT") == b"+OK goodbye"


def test_a_flood_whose_sender_reads_nothing_is_not_read(server: ServerProcess) -> None:
    """conformance: 2449-S-24"""
    server.account("alice", "secret")
    with log_in(server, "alice") as flood:
        before = resident(server)
        flood.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            flood.socket.sendall(b"NOOP\r\n" * 20_000_000)
        assert resident(server) - before < 8 * MIB


def test_who_sends_no_more_is_still_answered(server: ServerProcess) -> None:
    """conformance: 1939-S-115"""
    maildir = server.account("alice", "secret")
    fill(maildir, b"Subject: x\n\n", b"Subject: y\n\n")
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        dialogue.socket.sendall(b"USER alice\r\nPASS secret\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n")
        dialogue.socket.shutdown(socket.SHUT_WR)
        assert dialogue.rest().endswith(b"\r\n+OK marked\r\n+OK goodbye\r\n")
    assert len(list((maildir / "new").iterdir())) == 1
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        dialogue.socket.sendall(b"USER alice\r\nPASS secret\r\nDELE 1\r\nNOOP\r\nQUIT")
        dialogue.socket.shutdown(socket.SHUT_WR)
        assert dialogue.rest().endswith(NOTHING_DONE)
    assert len(list((maildir / "new").iterdir())) == 1


def test_trickling_strangers_keep_nobody_out(tmp_path: Path) -> None:
    limits: dict[str, float] = {"before_login_per_address": 20, "connections": 500}
    with ServerProcess(tmp_path, workers=2, limits=limits) as server:
        server.account("alice", "secret")
        strangers = []
        for number in range(300):
            address = (f"127.0.{2 + number // 100}.{1 + number % 100}", 0)
            port = server.ports[("none", "stls", "implicit")[number % 3]]
            strangers.append(
                socket.create_connection((server.host, port), timeout=20, source_address=address)
            )
        slowest = 0.0
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
        for clear, secret in zip(b"USER somebo", hello, strict=True):
            for number, stranger in enumerate(strangers):
                stranger.send(bytes([secret if number % 3 == 2 else clear]))
            since = time.monotonic()
            with log_in(server, "alice") as session:
                assert session.say(b"QUIT") == b"+OK goodbye"
            slowest = max(slowest, time.monotonic() - since)
        assert slowest < 1
        for stranger in strangers:
            stranger.close()


def test_handshakes_that_never_end_are_cut(tmp_path: Path) -> None:
    """conformance: 2595-S-11"""
    with ServerProcess(tmp_path, limits={"tls_handshake_seconds": 1}) as server:
        [worker] = server.processes("worker")
        before = len(list(Path(f"/proc/{worker}/fd").iterdir()))
        begun = []
        for number in range(200):
            begun.append(socket.create_connection((server.host, server.ports["implicit"]), 20))
            begun[-1].send(b"\x16\x03\x01"[: number % 4])
        for each in begun:
            each.settimeout(20)
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(100) == b""
            each.close()
        eventually(lambda: len(list(Path(f"/proc/{worker}/fd").iterdir())) <= before + 1)
        lines = [line for line in server.log().splitlines() if "tls handshake timeout" in line]
        assert 1 <= len(lines) < 10

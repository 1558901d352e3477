"""A certificate is renewed while people collect their mail."""

import shutil
import signal
import socket
import ssl
from pathlib import Path

from serving import READY_SECONDS, Dialogue, ServerProcess, eventually

SEVERAL = 8
"""Connections, so that more than one worker has its turn."""


def shown(server: ServerProcess) -> bytes | None:
    """Return the certificate a new client is shown."""
    context = server.client_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    address = (server.host, server.ports["implicit"])
    with (
        socket.create_connection(address, timeout=READY_SECONDS) as plain,
        context.wrap_socket(plain) as encrypted,
    ):
        return encrypted.getpeercert(binary_form=True)


def give_way(server: ServerProcess, old: set[int]) -> None:
    """Wait until no worker of a generation is left that could still accept a client."""
    eventually(lambda: not old & set(server.processes("worker")), seconds=READY_SECONDS)


def test_a_renewed_certificate_is_taken_by_a_signal(tmp_path: Path) -> None:
    """Sessions go on, and one that cannot be used changes nothing. conformance: 8314-O-10"""
    with ServerProcess(tmp_path, workers=2) as server:
        server.account("alice", "secret")
        assert server.process is not None
        old = set(server.processes("worker"))
        before = shown(server)
        with Dialogue(server.host, server.ports["implicit"], server.client_context()) as session:
            assert session.log_in("alice", "secret").startswith(b"+OK")
            server.make_certificate()
            server.process.send_signal(signal.SIGHUP)
            eventually(lambda: shown(server) != before, seconds=READY_SECONDS)
            assert session.say(b"NOOP").startswith(b"+OK")
            assert session.say(b"QUIT").startswith(b"+OK")
        give_way(server, old)
        after = shown(server)
        assert after != before
        with Dialogue(server.host, server.ports["implicit"], server.client_context()) as session:
            assert session.log_in("alice", "secret").startswith(b"+OK")
            shutil.copy(server.certificate, server.private_key)
            server.process.send_signal(signal.SIGHUP)
            eventually(lambda: "reload refused: " in server.log(), seconds=READY_SECONDS)
            assert {shown(server) for _ in range(SEVERAL)} == {after}
            assert session.say(b"NOOP").startswith(b"+OK")
            assert session.say(b"QUIT").startswith(b"+OK")

"""A certificate is renewed while people collect their mail."""

import shutil
import signal
import socket
import ssl
import time
from pathlib import Path

from serving import READY_SECONDS, Dialogue, ServerProcess


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


def test_a_renewed_certificate_is_taken_by_a_signal(tmp_path: Path) -> None:
    """Sessions go on, and one that cannot be used changes nothing. conformance: 8314-O-10"""
    with ServerProcess(tmp_path, workers=2) as server:
        server.account("alice", "secret")
        assert server.process is not None
        with Dialogue(server.host, server.ports["implicit"], server.client_context()) as session:
            assert session.log_in("alice", "secret").startswith(b"+OK")
            before = shown(server)
            server.make_certificate()
            server.process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + READY_SECONDS
            while shown(server) == before:
                assert time.monotonic() < deadline, server.log()
            after = shown(server)
            shutil.copy(server.certificate, server.private_key)
            server.process.send_signal(signal.SIGHUP)
            while "reload refused: " not in server.log():
                assert time.monotonic() < deadline, server.log()
            assert shown(server) == after
            assert session.say(b"NOOP").startswith(b"+OK")
            assert session.say(b"QUIT").startswith(b"+OK")

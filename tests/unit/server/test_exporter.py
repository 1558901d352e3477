"""Keying material: what OpenSSL's own tool exports is what logins are bound to."""

import fcntl
import os
import re
import socket
import ssl
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.server.certificates import Certificates
from restante.server.exporter import Exporter
from restante.server.options import TlsOptions
from restante.server.tls import TlsEngine

from conftest import require

SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]


@pytest.fixture
def certificates(tls_options: TlsOptions) -> Iterator[Certificates]:
    """Contexts that log their keys."""
    made = Certificates(tls_options)
    made.log_keys()
    assert made.default.exporter is not None
    yield made
    made.default.exporter.close()


@pytest.mark.parametrize("suite", SUITES)
def test_it_is_what_openssl_exports(certificates: Certificates, suite: str) -> None:
    """conformance: 9266-S-01"""
    engine = TlsEngine(certificates)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        asked = ("-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32")
        command = (require("openssl"), "s_client", "-connect", f"127.0.0.1:{port}")
        with subprocess.Popen(
            [*command, "-tls1_3", "-ciphersuites", suite, *asked],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as client:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(30)
                while not engine.handshake_complete:
                    engine.receive(connection.recv(65_536))
                    connection.sendall(engine.data_to_send())
                connection.shutdown(socket.SHUT_WR)
                said, _ = client.communicate(b"", timeout=30)
    assert suite in engine.description
    exported = re.search(rb"Keying material: ([0-9A-F]{64})", said)
    assert exported is not None
    assert engine.bindings()["tls-exporter"] == bytes.fromhex(exported[1].decode())


def test_a_secret_is_found_by_the_random_of_its_client(certificates: Certificates) -> None:
    exporter = certificates.default.exporter
    assert exporter is not None
    random, secret = bytes(range(32)), bytes(range(48))
    [end] = writing_ends(exporter)
    line = f"EXPORTER_SECRET {random.hex()} {secret.hex()}\n".encode()
    for written, found in [
        (b"", None),
        (line, secret),
        (b"CLIENT_RANDOM 00 00\n" + line + b"# more\n", secret),
        (line.replace(b"00", b"11", 1), None),
        (line.replace(b"EXPORTER", b"EARLY_EXPORTER"), None),
        (line[:-40] + b"\n", None),
        (line[:-2] + b"x\n", None),
    ]:
        os.write(end, written)
        assert exporter.take(random) == found
        assert exporter.take(random) is None


def test_nobody_waits_for_a_pipe_that_is_full(certificates: Certificates) -> None:
    exporter = certificates.default.exporter
    assert exporter is not None
    [end] = writing_ends(exporter)
    full = fcntl.fcntl(end, fcntl.F_GETPIPE_SZ)
    assert os.write(end, b"x" * full) == full
    with pytest.raises(BlockingIOError):
        os.write(end, b"x")
    assert exporter.take(bytes(32)) is None
    assert os.write(end, b"x" * 4096) == 4096


def test_no_name_and_no_end_of_it_is_left_to_others(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = certificates.default.exporter
    assert exporter is not None
    assert not any(os.get_inheritable(end) for end in [exporter._pipe, *writing_ends(exporter)])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Exporter([ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)]).close()
    assert list(tmp_path.iterdir()) == []


def test_without_a_place_for_a_pipe_that_is_said(
    tls_options: TlsOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    with pytest.raises(OSError, match="No such file"):
        Certificates(tls_options).log_keys()


def writing_ends(exporter: Exporter) -> list[int]:
    """Return the ends that contexts write to."""
    inode = os.fstat(exporter._pipe).st_ino
    ends = []
    for name in os.listdir("/proc/self/fd"):
        try:
            status = os.fstat(int(name))
        except OSError:
            continue
        if stat.S_ISFIFO(status.st_mode) and status.st_ino == inode:
            ends.append(int(name))
    assert all(fcntl.fcntl(end, fcntl.F_GETFL) & os.O_NONBLOCK for end in ends)
    return [end for end in ends if end != exporter._pipe]

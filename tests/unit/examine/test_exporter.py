"""Keying material of TLS 1.3: derived as another program derives it, and left nowhere."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
import trustme

from restante.examine.exporter import exported, logging_keys, secret_in
from restante.examine.layer import tls_context
from unit.examine.crooked_bindings import exporter

RANDOM = bytes(range(32))


@pytest.mark.parametrize("size", [32, 48], ids=["sha256", "sha384"])
def test_both_sides_derive_the_same(size: int) -> None:
    secret = bytes(range(size))
    words = ("CLIENT_TRAFFIC_SECRET_0", "00"), ("EXPORTER_SECRET", secret.hex())
    log = "".join(f"{name} {RANDOM.hex()} {value}\n" for name, value in words)
    assert secret_in(log) == secret
    assert exported(secret) == exporter(log, RANDOM)


def test_a_log_without_the_secret_has_none() -> None:
    assert secret_in(f"CLIENT_RANDOM {RANDOM.hex()} 00\n") is None


def test_the_log_has_no_name_that_a_crash_could_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    context = tls_context()
    with logging_keys(context) as secret_of:
        assert list(tmp_path.iterdir()) == []
        assert secret_of() is None
    assert context.keylog_filename is None


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl program")
@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"])
def test_it_is_what_openssl_derives(tmp_path: Path, suite: str) -> None:
    issued = trustme.CA().issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    server = subprocess.Popen(
        [
            *("openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_3"),
            *("-cert", str(tmp_path / "server.pem"), "-ciphersuites", suite),
            *("-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    port = next(found[1] for line in server.stdout if (found := re.match(r"ACCEPT .*:(\d+)", line)))
    context = tls_context()
    with (
        logging_keys(context) as secret_of,
        socket.create_connection(("127.0.0.1", int(port)), timeout=60) as connection,
        context.wrap_socket(connection),
    ):
        secret = secret_of()
    told, _ = server.communicate(timeout=60)
    material = re.search(r"Keying material: ([0-9A-F]+)", told)
    assert secret is not None
    assert material is not None
    assert exported(secret).hex().upper() == material[1]

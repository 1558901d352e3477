"""Dovecot as the server for our client's side of the mechanisms."""

import shutil
import socket
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from interop.conftest import needs_root
from interop.dovecot import NAME, PASSWORD, Dovecot
from interop.record import Peer
from interop.service import MAIL_USER, open_folder
from restante.sasl import (
    ClientExchange,
    ClientMechanism,
    CramMd5Client,
    LoginClient,
    PlainClient,
    ScramClient,
)
from restante.sasl.mechanism import Channel
from restante.secret import Secret

from conftest import require

PEER = Peer("Dovecot", "oracle", "dovecot-pop3d")

CHANNEL = Channel(hostname="localhost", random=b"eighteen octets at least")
Make = Callable[[str, Secret], ClientMechanism]
MECHANISMS: dict[str, Make] = {
    "PLAIN": PlainClient,
    "LOGIN": LoginClient,
    "CRAM-MD5": CramMd5Client,
    "SCRAM-SHA-1": lambda name, password: ScramClient("SCRAM-SHA-1", name, password, CHANNEL),
    "SCRAM-SHA-256": lambda name, password: ScramClient("SCRAM-SHA-256", name, password, CHANNEL),
}
OFFERED = """\
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
auth_failure_delay = 0
"""
UNPUNISHED = """
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""
EVERY_ONE = pytest.mark.parametrize("mechanism", MECHANISMS)


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """A Dovecot that offers all of them, and has the password in clear."""
    needs_root()
    require("dovecot")
    with open_folder("dovecot") as folder:
        server = Dovecot(folder)
        file = folder / "dovecot.conf"
        written = file.read_text().replace("auth_mechanisms = plain\n", OFFERED)
        file.write_text(written + UNPUNISHED)
        for part in ("new", "cur", "tmp"):
            (server.maildir / part).mkdir(parents=True)
        own(server.maildir.parent)
        with server:
            yield server


def own(folder: Path) -> None:
    """Give a folder to whom mail belongs."""
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, MAIL_USER)


def log_in(dovecot: Dovecot, exchange: ClientExchange) -> bytes:
    """Run an exchange over a connection, and return the reply that ends it."""
    with socket.create_connection(("127.0.0.1", dovecot.port), timeout=30) as connection:
        lines = connection.makefile("rb")
        assert lines.readline().startswith(b"+OK")
        command = f"AUTH {exchange.mechanism}".encode()
        if exchange.initial_response is not None:
            command += b" " + (encoded(exchange.initial_response) or b"=")
        connection.sendall(command + b"\r\n")
        return _converse(connection, lines, exchange)


def _converse(connection: socket.socket, lines: IO[bytes], exchange: ClientExchange) -> bytes:
    while (line := lines.readline()).startswith(b"+ "):
        response = exchange.respond(a2b_base64(line[2:]))
        connection.sendall(encoded(response) + b"\r\n")
    return line


def encoded(octets: bytes) -> bytes:
    return b2a_base64(octets, newline=False)


@EVERY_ONE
@pytest.mark.parametrize("at_once", [True, False], ids=["first response", "two steps"])
def test_our_client_logs_in(dovecot: Dovecot, mechanism: str, *, at_once: bool) -> None:
    """The right password, with and without an initial response; SCRAM checks the server's proof."""
    client = MECHANISMS[mechanism](NAME, Secret(PASSWORD.encode()))
    exchange = ClientExchange(client, initial_response=at_once)
    assert log_in(dovecot, exchange).startswith(b"+OK")
    exchange.succeeded()


@EVERY_ONE
def test_our_client_is_refused(dovecot: Dovecot, mechanism: str) -> None:
    """A wrong password."""
    exchange = ClientExchange(MECHANISMS[mechanism](NAME, Secret(b"wrong")))
    assert log_in(dovecot, exchange).startswith(b"-ERR")

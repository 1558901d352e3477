"""The stage of a dialogue with a real server, over a real socket, on real Maildirs."""

import itertools
import os
import socket
import ssl
import time
from pathlib import Path
from typing import Protocol

from transcripts.maildrops import letter

PATIENCE_SECONDS = 20.0
_serial = itertools.count(1)


class Served(Protocol):
    """What is needed of the fixture that runs the server."""

    host: str
    clear_port: int
    strict_port: int
    tls_port: int
    none_port: int
    certificate: Path

    def account(self, name: str, password: str) -> Path:
        """Add an account and return its Maildir."""
        ...


class SocketPeer:
    """A client over a socket."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, *, tls: bool) -> None:
        self._socket: socket.socket = socket.create_connection((host, port), PATIENCE_SECONDS)
        self._context = context
        self._received = b""
        if tls:
            self.start_tls()

    def send(self, octets: bytes) -> None:
        """Send octets in one go."""
        self._socket.sendall(octets)

    def line(self) -> bytes:
        """Return the next line, or what there is before the end."""
        while b"\n" not in self._received:
            data = self._socket.recv(65_536)
            if not data:
                break
            self._received += data
        end = self._received.find(b"\n") + 1 or len(self._received)
        line, self._received = self._received[:end], self._received[end:]
        return line

    def start_tls(self) -> None:
        """Make TLS, the server's certificate verified."""
        assert not self._received, f"{self._received!r} was said in clear"
        self._socket = self._context.wrap_socket(self._socket, server_hostname="localhost")

    def end(self) -> None:
        """Send no more; under TLS both sides say so."""
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket = self._socket.unwrap()
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()


class SocketStage:
    """A server that runs, with Maildirs of its own for every dialogue."""

    def __init__(self, server: Served, accounts: dict[tuple[str, str], Path]) -> None:
        self._server = server
        self._context = ssl.create_default_context(cafile=str(server.certificate))
        self._known = accounts
        self._passwords: dict[str, str] = {}
        self._names: dict[str, list[str]] = {}
        self._others: dict[str, SocketPeer] = {}

    def account(self, name: str, password: str, letters: tuple[bytes, ...]) -> None:
        """Give an account these letters and no others."""
        if (name, password) not in self._known:
            self._known[name, password] = self._server.account(name, password)
        self._passwords[name] = password
        self._names[name] = []
        for folder in ("tmp", "new", "cur"):
            path = self._maildir(name) / folder
            path.mkdir(parents=True, exist_ok=True)
            for file in path.iterdir():
                file.unlink()
        for octets in letters:
            self._file(name, octets)

    def connect(self, port: str) -> SocketPeer:
        """Connect to a listener."""
        number = getattr(self._server, f"{port}_port")
        return SocketPeer(self._server.host, number, self._context, tls=port == "tls")

    def unique_id(self, name: str, filed: int) -> bytes:
        """Return the unique-id of a message: its unique name in the Maildir."""
        return self._names[name][filed - 1].encode()

    def kept(self, name: str) -> list[int]:
        """Return the filing numbers of the messages that are still there."""
        there = {
            file.name.partition(":")[0]
            for folder in ("new", "cur")
            for file in (self._maildir(name) / folder).iterdir()
        }
        return [n for n, unique in enumerate(self._names[name], 1) if unique in there]

    def happen(self, what: str, arguments: list[str]) -> None:
        """Let something happen to the accounts."""
        name = arguments[0]
        if what == "hold":
            self._others[name] = self._log_in(name)
        elif what == "release":
            self._others.pop(name).close()
        elif what == "deliver":
            self._file(name, letter(100))
        elif what == "vanish":
            unique = self._names[name][int(arguments[1]) - 1]
            for folder in ("new", "cur"):
                for file in (self._maildir(name) / folder).glob(unique + "*"):
                    file.unlink()
        else:
            raise AssertionError(f"this stage knows no {what}")

    def clear(self) -> None:
        """Drop what is still connected."""
        for peer in self._others.values():
            peer.close()

    def _maildir(self, name: str) -> Path:
        return self._known[name, self._passwords[name]]

    def _file(self, name: str, octets: bytes) -> None:
        unique = f"{int(time.time())}.P{os.getpid()}Q{next(_serial):06}.example"
        self._names[name].append(unique)
        maildir = self._maildir(name)
        (maildir / "tmp" / unique).write_bytes(octets)
        (maildir / "tmp" / unique).rename(maildir / "new" / unique)

    def _log_in(self, name: str) -> SocketPeer:
        peer = self.connect("clear")
        peer.send(b"USER %b\r\nPASS %b\r\n" % (name.encode(), self._passwords[name].encode()))
        replies = [peer.line() for _ in range(3)]
        assert all(reply.startswith(b"+OK") for reply in replies), replies
        return peer

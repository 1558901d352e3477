"""Listening ports for tests, each connection served by a function in a thread."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Behaviour = Callable[[socket.socket], None]


@contextmanager
def listening(behave: Behaviour, family: int = socket.AF_INET) -> Iterator[int]:
    """Serve every connection like this, and yield the port."""
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    listener = socket.create_server((host, 0), family=family)

    def serve(connection: socket.socket) -> None:
        connection.settimeout(20)
        with connection, contextlib.suppress(OSError, ValueError):
            behave(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def until_gone(connection: socket.socket) -> None:
    """Read and say nothing."""
    while connection.recv(65536):
        pass


def saying(octets: bytes) -> Behaviour:
    """Say this and nothing more."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(octets)
        until_gone(connection)

    return behave


def answering(
    greeting: bytes,
    replies: dict[bytes, bytes],
    other: bytes = b"-ERR\r\n",
    heard: list[bytes] | None = None,
) -> Behaviour:
    """Greet, and answer each command by its first word."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(greeting)
        with connection.makefile("rb") as file:
            for line in file:
                if heard is not None:
                    heard.append(line)
                word = line.split()[0].upper() if line.split() else b""
                connection.sendall(replies.get(word, other))
                if word == b"QUIT":
                    return

    return behave


def under_tls(context: ssl.SSLContext, behave: Behaviour) -> Behaviour:
    """Do the handshake first."""

    def wrapped(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            behave(inside)

    return wrapped

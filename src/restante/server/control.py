"""The control socket: commands of the administrator, one JSON object a line each way.

Whoever may open it may command: it has mode 0600 in a directory of the supervisor's. Every command
gets one reply, `{"error": …}` where it was not carried out.
"""

import contextlib
import os
import selectors
import socket
from collections.abc import Callable
from pathlib import Path

from restante.errors import ConfigurationError
from restante.server.channel import Channel, Message
from restante.server.registry import socket_address

Answer = Callable[[Message], None]
"""What a command calls, once, with its reply."""

MAXIMUM_CLIENTS = 16


class ControlSocket:
    """The listening socket and those who command through it."""

    def __init__(
        self,
        path: Path,
        selector: selectors.BaseSelector,
        obey: Callable[[Message, Answer], None],
    ) -> None:
        """Begin to listen.

        Raises:
            ConfigurationError: another server listens there.
        """
        self._path = path
        self._selector = selector
        self._obey = obey
        self._clients: set[Channel] = set()
        _remove_what_is_left(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        mask = os.umask(0o177)
        try:
            with socket_address(path) as address:
                self._socket.bind(address)
        finally:
            os.umask(mask)
        self._socket.listen(MAXIMUM_CLIENTS)
        self._socket.setblocking(False)
        selector.register(self._socket, selectors.EVENT_READ, self._accept)

    def descriptors(self) -> list[int]:
        """Return what no child process should have."""
        return [self._socket.fileno(), *(client.socket.fileno() for client in self._clients)]

    def close(self) -> None:
        """Take no more commands."""
        for client in list(self._clients):
            self._drop(client)
        self._selector.unregister(self._socket)
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _accept(self) -> None:
        try:
            sock, _ = self._socket.accept()
        except OSError:
            return
        if len(self._clients) >= MAXIMUM_CLIENTS:
            sock.close()
            return
        client = Channel(sock)
        self._clients.add(client)
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._read(client))

    def _read(self, client: Channel) -> None:
        if client.closed:
            return
        if client.wants_to_write:
            client.write()
            self._watch(client)
            return
        messages = client.receive()
        if messages is None:
            self._drop(client)
            return
        for message in messages:
            self._obey(message, lambda reply: self._reply(client, reply))

    def _reply(self, client: Channel, reply: Message) -> None:
        if client in self._clients:
            client.send(reply)
            self._watch(client)

    def _watch(self, client: Channel) -> None:
        events = selectors.EVENT_READ
        if client.wants_to_write:
            events = selectors.EVENT_WRITE
        self._selector.modify(client.socket, events, lambda: self._read(client))

    def _drop(self, client: Channel) -> None:
        self._clients.discard(client)
        self._selector.unregister(client.socket)
        client.close()


def _remove_what_is_left(path: Path) -> None:
    """Remove the socket of a server that died; one that answers is somebody else's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            with socket_address(path) as address:
                probe.connect(address)
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise ConfigurationError("state_directory: another server is running with it")

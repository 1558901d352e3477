"""Listening sockets: from an address in the configuration to a socket that is bound.

Options that a connection needs are set on the listener and inherited, which costs a connection
nothing: TCP_NODELAY (four known servers lose 40 ms on every RETR without it), keepalive, and
TCP_USER_TIMEOUT, so that a client that vanished is noticed within minutes.
"""

import socket
from collections.abc import Mapping

from restante.errors import ConfigurationError
from restante.server.options import INHERITED, split_address

BACKLOG = 1_024
KEEPALIVE_IDLE_SECONDS = 120
KEEPALIVE_INTERVAL_SECONDS = 30
KEEPALIVE_PROBES = 4
USER_TIMEOUT_SECONDS = 240


def join_address(host: str, port: int) -> str:
    """Return the form that `split_address` takes."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def bound_address(sock: socket.socket) -> str:
    """Return where a socket listens."""
    name = sock.getsockname()
    return join_address(name[0], name[1])


def listen(
    address: str, inherited: Mapping[str, socket.socket], key: str = "listener.address"
) -> socket.socket:
    """Return a socket that listens there, or the inherited one of that name.

    `key` is what an error is about.

    Raises:
        ConfigurationError: it cannot be had.
    """
    if address.startswith(INHERITED):
        name = address.removeprefix(INHERITED)
        if name not in inherited:
            raise ConfigurationError(f"{key}: no socket named {name!r} was handed over")
        sock = inherited[name]
    else:
        sock = _bind(address, key)
    _prepare(sock)
    return sock


def _bind(address: str, key: str) -> socket.socket:
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Each family has a listener of its own, so that both can be named and counted.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise ConfigurationError(
            f"{key}: {address}: {error.strerror or 'cannot be bound'}"
        ) from error
    return sock


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    tcp = socket.IPPROTO_TCP
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(tcp, socket.TCP_NODELAY, 1)
    sock.setsockopt(tcp, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS)
    sock.setsockopt(tcp, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS)
    sock.setsockopt(tcp, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
    sock.setsockopt(tcp, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_SECONDS * 1000)

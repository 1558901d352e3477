"""What one version of the configuration amounts to, for the processes that live by it.

Made by the composition root; the server knows stores and sources by their contracts alone.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from restante.identity import Authenticator
from restante.maildrop import MailStore
from restante.server.certificates import Certificates
from restante.server.channel import Channel
from restante.server.mechanisms import TokenHints
from restante.server.options import ServerOptions
from restante.telemetry import LineLog


@dataclass(frozen=True, slots=True)
class Generation:
    """One version of everything a server is made of."""

    options: ServerOptions
    certificates: Certificates | None
    """Read before privileges are dropped: a private key may be root's alone."""
    run_auth: Callable[[socket.socket, Channel, LineLog], None]
    """The whole life of the auth process, on the socket it listens on and the line to us; ends at
    SIGTERM."""
    verifiable: frozenset[str]
    """Mechanisms that at least one source of accounts can judge."""
    build: Callable[[Path, LineLog], tuple[Authenticator, MailStore]]
    """Makes what a worker works with, in the worker, from the path of the auth socket."""
    token_hints: TokenHints | None = None

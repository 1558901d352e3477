"""What an idle, authenticated connection keeps in the server's memory.

Before and after stand two weighings of the whole process tree: everything a login leaves behind
is in the difference, the account's place in the password cache and an empty maildrop included.
Octets that the kernel holds for a socket are not: they are the same for every server.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.load.logins import Target, hold_all, staying_visit
from benchmarks.mail.maildir import create_maildir
from benchmarks.peers.peer import PASSWORD, Peer
from benchmarks.stage import Stage

_AT_ONCE = 16
_WARMING_USERS = 32
CLEAR_TARGET_OCTETS = 3 * 1024
TLS_TARGET_OCTETS = 30 * 1024


@dataclass(frozen=True, slots=True)
class Holding:
    """One weighing with connections held."""

    name: str
    over_tls: bool
    connections: int
    octets_each: float

    def target_octets(self) -> int:
        """Return what one connection of ours may take."""
        return TLS_TARGET_OCTETS if self.over_tls else CLEAR_TARGET_OCTETS


def furnish_idle(stage: Stage, peer: Peer) -> None:
    """Give every connection an account of its own, since a maildrop has one session."""
    users = _users(max(stage.scale.held_connections) + _WARMING_USERS)
    peer.add_accounts(users)
    pattern = stage.directory / "empty" / "Maildir"
    if not pattern.exists():
        create_maildir(pattern)
    for user in users:
        peer.place_maildir(user, pattern)


def weigh_held(stage: Stage, peer: Peer, tell: Callable[[str], None]) -> list[Holding]:
    """Hold each number of connections, in clear and under TLS, on a server just started."""
    holdings: list[Holding] = []
    for over_tls in (False, True):
        for connections in stage.scale.held_connections:
            peer.start()
            try:
                octets = _weigh(stage, peer, connections, over_tls)
            finally:
                peer.stop()
            holding = Holding(peer.name, over_tls, connections, octets / connections)
            tell(f"idle {holding}")
            holdings.append(holding)
    return holdings


def _weigh(stage: Stage, peer: Peer, connections: int, over_tls: bool) -> int:
    target = Target(peer.tls_port, stage.tls) if over_tls else Target(peer.port)
    users = _users(connections + _WARMING_USERS)
    _close(_hold(target, users[connections:]))
    peer.settle()
    before = peer.memory_octets()
    held = _hold(target, users[:connections])
    peer.settle()
    octets = peer.memory_octets() - before
    _close(held)
    return octets


def _hold(target: Target, users: list[str]) -> list[socket.socket]:
    return hold_all(target, (staying_visit(user, PASSWORD) for user in users), _AT_ONCE)


def _close(held: list[socket.socket]) -> None:
    for connection in held:
        connection.close()


def _users(count: int) -> list[str]:
    return [f"idle{index:05d}" for index in range(count)]

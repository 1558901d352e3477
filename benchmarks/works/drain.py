"""Collecting all of a newly delivered maildrop and deleting it: RETR and DELE of every message."""

from benchmarks.load.collecting import Door, drain
from benchmarks.peers.peer import Peer
from benchmarks.works.work import Work


class Drain(Work):
    """Maildrops of mixed messages, drained in clear one after another."""

    key = "drain"
    title = "drain {scale.mixed_messages} mixed messages, mean {scale.mixed_mean_octets:,} octets"
    unit = "MB"
    target = 0.5
    over_tls = False

    def accounts(self) -> list[str]:
        """Name an account for each drain of a run."""
        return [f"{self.key}{index}" for index in range(self.scale.drains)]

    def furnish(self, peer: Peer) -> None:
        """Leave it to each run, since a drain leaves nothing."""

    def before_run(self, peer: Peer, run: int) -> None:
        """Deliver all messages anew, to Maildirs the server has never seen."""
        for user in self.accounts():
            peer.place_maildir(user, self.stage.mixed_pattern)

    def warm(self, peer: Peer) -> None:
        """Drain once."""
        self.before_run(peer, -1)
        self._drain_all(peer)

    def run(self, peer: Peer, run: int) -> float:
        """Drain all accounts and return the megabytes that came."""
        return self._drain_all(peer) / 1e6

    def _drain_all(self, peer: Peer) -> int:
        port = peer.tls_port if self.over_tls else peer.port
        tls = self.stage.tls if self.over_tls else None
        doors = [Door(port, user, tls) for user in self.accounts()]
        return sum(drain(door, self.stage.mixed) for door in doors)


class TlsDrain(Drain):
    """The same through implicit TLS."""

    key = "drain-tls"
    title = "the same over TLS"
    target = 0.4
    over_tls = True

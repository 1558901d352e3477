"""A maildrop of very many messages in four states: STAT, LIST, UIDL, and TOP and RETR of one.

All four share one account and one Maildir per server, and are measured in the order in which they
stand here: the last drops what the server has stored.
"""

import time

from benchmarks.load.collecting import Door, look_into
from benchmarks.mail.maildir import deliver_sized
from benchmarks.peers.peer import Peer
from benchmarks.works.work import Work, visit_briefly

_USER = "huge"
_BRIEF_USERS = [f"brief{index}" for index in range(8)]
_WARMING_SESSIONS = 4


class HugeWarm(Work):
    """Session after session on a maildrop that does not change."""

    key = "huge-warm"
    title = "{scale.huge_messages:,} messages, warm: STAT, LIST, UIDL, TOP, RETR"
    unit = "session"
    target = 0.02

    def accounts(self) -> list[str]:
        """Name the account, and those that only wake the server's processes."""
        return [_USER, *_BRIEF_USERS]

    def furnish(self, peer: Peer) -> None:
        """Place the huge Maildir, unless another of these works has."""
        if peer.maildir(_USER).exists():
            return
        peer.place_maildir(_USER, self.stage.huge_pattern)
        for user in _BRIEF_USERS:
            peer.place_maildir(user, self.stage.few_pattern)

    def warm(self, peer: Peer) -> None:
        """Open it several times, until the changes of its first opening are old."""
        for _ in range(_WARMING_SESSIONS):
            self._look(peer, 0)
            time.sleep(self.scale.settling_seconds / _WARMING_SESSIONS)
        self._look(peer, 0)

    def before_run(self, peer: Peer, run: int) -> None:
        """Leave everything as it is."""

    def run(self, peer: Peer, run: int) -> float:
        """Open it several times."""
        for session in range(self.scale.huge_sessions):
            self._look(peer, run * self.scale.huge_sessions + session)
        return self.scale.huge_sessions

    def _look(self, peer: Peer, turn: int) -> None:
        """Open it once and fetch a message that no earlier turn has fetched."""
        expected = self.stage.growing
        look_into(Door(peer.port, _USER), expected, [expected.count() // 2 + turn])


class _HugeOnce(HugeWarm):
    """One session a run, after something was done to server or maildrop."""

    def warm(self, peer: Peer) -> None:
        """Open it once, so that there is something stored about it."""
        self._look(peer, 0)

    def run(self, peer: Peer, run: int) -> float:
        """Open it once."""
        self._look(peer, run)
        return 1


class HugeRestarted(_HugeOnce):
    """The first session after a restart, with what the server had stored still there."""

    key = "huge-restarted"
    title = "the same, server restarted, catalogue on disk"
    target = 0.05

    def before_run(self, peer: Peer, run: int) -> None:
        """Restart the server."""
        peer.stop()
        peer.start()
        visit_briefly(peer, _BRIEF_USERS)


class HugeDelivered(_HugeOnce):
    """A session after one message has come."""

    key = "huge-delivered"
    title = "the same after one delivery"
    target = 0.3

    def warm(self, peer: Peer) -> None:
        """Open it until all processes know it."""
        HugeWarm.warm(self, peer)

    def before_run(self, peer: Peer, run: int) -> None:
        """Deliver one message, the same to each server in the same run."""
        index = self.scale.huge_messages + run
        message = self.stage.huge_message(index)
        deliver_sized(peer.maildir(_USER), message)
        if self.stage.growing.count() == index:
            self.stage.growing.add(message)


class HugeUnknown(_HugeOnce):
    """The first session ever, with the sizes in the names."""

    key = "huge-unknown"
    title = "the same with no catalogue yet, sizes in names"
    target = 0.8

    def before_run(self, peer: Peer, run: int) -> None:
        """Restart the server and drop what it has stored about the maildrop."""
        peer.stop()
        peer.reset_indexes(_USER)
        peer.start()
        visit_briefly(peer, _BRIEF_USERS)

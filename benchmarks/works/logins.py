"""Short sessions under load: USER, PASS, STAT, QUIT; the password is in the server's cache."""

from itertools import cycle, islice

from benchmarks.load.logins import Target, Visit, brief_visit, visit_all
from benchmarks.peers.peer import PASSWORD, Peer
from benchmarks.stage import Stage
from benchmarks.works.work import Work


def brief_visits(stage: Stage, users: list[str]) -> list[Visit]:
    """Make one brief visit for each user, whose maildrops hold the few messages."""
    octets = sum(message.octets() for message in stage.few)
    return [brief_visit(user, PASSWORD, len(stage.few), octets) for user in users]


class Logins(Work):
    """Short sessions in clear, many at once, each with an account of its own."""

    key = "login"
    title = "short login session, password cache warm, under load"
    unit = "session"
    target = 0.25

    def accounts(self) -> list[str]:
        """Name one account for each place of the load, and some to spare."""
        return [f"login{index:04d}" for index in range(self.scale.login_accounts)]

    def furnish(self, peer: Peer) -> None:
        """Give each account a few messages, unless it has them from another of these works."""
        for user in self.accounts():
            if not peer.maildir(user).exists():
                peer.place_maildir(user, self.stage.few_pattern)

    def warm(self, peer: Peer) -> None:
        """Visit every account twice."""
        visits = self._visits()
        visit_all(Target(peer.port), iter(visits * 2), self.scale.logins_at_once)

    def before_run(self, peer: Peer, run: int) -> None:
        """Leave everything as it is."""

    def run(self, peer: Peer, run: int) -> float:
        """Make the visits."""
        visits = islice(cycle(self._visits()), self.scale.logins)
        return visit_all(Target(peer.port), visits, self.scale.logins_at_once)

    def _visits(self) -> list[Visit]:
        return brief_visits(self.stage, self.accounts())


class TlsLogins(Logins):
    """The same through implicit TLS, with a full handshake each time."""

    key = "login-tls"
    title = "the same over TLS, full handshake, ECDSA P-256"
    target = 0.5

    def run(self, peer: Peer, run: int) -> float:
        """Make the visits, each with its handshake."""
        visits = islice(cycle(self._visits()), self.scale.tls_logins)
        target = Target(peer.tls_port, self.stage.tls)
        return visit_all(target, visits, self.scale.logins_at_once)

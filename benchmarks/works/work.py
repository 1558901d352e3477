"""The form of a work whose CPU time is compared."""

from abc import ABC, abstractmethod

from benchmarks.load.collecting import Door
from benchmarks.peers.peer import Peer
from benchmarks.stage import Stage


class Work(ABC):
    """Something a server does, counted in units, with a target for the ratio of its CPU time."""

    key: str
    title: str
    unit: str
    target: float | None = None

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.scale = stage.scale
        self.title = self.title.format(scale=stage.scale)

    @abstractmethod
    def accounts(self) -> list[str]:
        """Name the accounts it needs."""

    def stored_password(self) -> str | None:
        """Return how the password of its accounts is kept; None: at next to no cost."""
        return None

    def bare(self) -> float | None:
        """Do the part of a unit that no server can spare, once, and return its CPU seconds.

        None: there is none that could be done by itself. Otherwise the target is for the ratio to
        this part, not to the other server.
        """
        return None

    @abstractmethod
    def furnish(self, peer: Peer) -> None:
        """Put mail into its accounts; the server is stopped."""

    @abstractmethod
    def warm(self, peer: Peer) -> None:
        """Bring the running server into the state in which it is measured; not measured itself."""

    @abstractmethod
    def before_run(self, peer: Peer, run: int) -> None:
        """Make ready for one run; not measured."""

    @abstractmethod
    def run(self, peer: Peer, run: int) -> float:
        """Do the work and return how many units were done."""


def visit_briefly(peer: Peer, users: list[str]) -> None:
    """Log in and out, so that every process of the server has served somebody."""
    for user in users:
        with Door(peer.port, user).open() as session:
            session.quit()

"""The servers that the suite is run against, in the order of the page."""

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from interop.peers.courier import Courier
from interop.peers.cyrus import Cyrus
from interop.peers.dovecot import Dovecot
from interop.peers.itself import Restante
from interop.peers.mailutils import Mailutils
from interop.peers.popa3d import Popa3d
from interop.peers.solid import SolidPop3d
from interop.peers.twisted import Twisted
from restante.examine.target import Target


class Peer(Protocol):
    """A server that can be started for a while, with everything it has below one folder."""

    name: str
    package: str
    serves: str
    """What stands beside its verdicts: store, accounts, settings that are not the default."""
    unsteady: tuple[str, ...]
    """Patterns of the cases that come out otherwise from run to run."""

    def __init__(self, directory: Path) -> None: ...

    @classmethod
    def version(cls) -> str:
        """Return its version."""

    @classmethod
    def is_there(cls) -> bool:
        """Say whether it can be started on this machine."""

    def target(self) -> Target:
        """Return it as the judge wants it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


PEERS: tuple[type[Peer], ...] = (
    Restante,
    Dovecot,
    Courier,
    Cyrus,
    Mailutils,
    Popa3d,
    SolidPop3d,
    Twisted,
)

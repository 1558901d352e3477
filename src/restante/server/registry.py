"""Live sessions of one worker, as `who` shows them and `kick` finds them, and the way to them."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

SessionDescription = dict[str, str | int | float | None]
"""What `who` tells of a session: plain values, fit for JSON."""


def control_socket(state_directory: Path) -> Path:
    """Return where the supervisor of a state directory listens for commands."""
    return state_directory / "run" / "control.sock"


ADDRESS_OCTETS = 107
"""unix(7): what fits into the address of a socket, without the NUL at its end."""


def through_descriptor(directory: int, path: Path) -> Path:
    """Return how a socket is named by a process that has its directory open, if the path is long.

    How deep a state directory lies is no business of ours; how long an address is, is the kernel's.
    """
    if len(os.fsencode(path)) <= ADDRESS_OCTETS:
        return path
    return Path(f"/proc/self/fd/{directory}/{path.name}")


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """Yield what to bind or to connect to, for a socket of any path.

    Raises:
        OSError: its directory is not there.
    """
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield str(through_descriptor(directory, path))
    finally:
        os.close(directory)


class Live(Protocol):
    """What the registry needs of a connection."""

    def describe(self) -> SessionDescription:
        """Return what `who` tells."""
        ...

    def drop(self, reason: str) -> None:
        """End the connection at once, without UPDATE."""
        ...

    def drain(self) -> None:
        """End the connection behind the reply it is at."""
        ...

    def tick(self, now: float) -> None:
        """Look at the deadlines."""
        ...


class Registry:
    """The connections of a worker by their numbers, and the names that sessions have of these."""

    def __init__(self) -> None:
        self._live: dict[int, Live] = {}
        # Names are unique over workers and restarts without a word between them.
        self._name = secrets.token_hex(4)
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Live]:
        # A copy: whoever walks over them may end them.
        return iter(list(self._live.values()))

    def next_number(self) -> int:
        """Return a number that no other connection of this worker has had."""
        return next(self._numbers)

    def name_of(self, number: int) -> str:
        """Return the name of a session, which no other has, here or in another worker."""
        return f"{self._name}-{number:x}"

    def add(self, number: int, connection: Live) -> None:
        """Take in a connection."""
        self._live[number] = connection

    def remove(self, number: int) -> None:
        """Let go of a connection."""
        self._live.pop(number, None)

    def who(self) -> list[SessionDescription]:
        """Describe every connection."""
        return [connection.describe() for connection in self]

    def kick(self, session: str) -> bool:
        """End one connection without UPDATE; False: there is none of that name."""
        for number, connection in self._live.items():
            if self.name_of(number) == session:
                connection.drop("kicked")
                return True
        return False

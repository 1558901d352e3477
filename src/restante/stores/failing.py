"""A store in front of another that fails on demand: for tests of what a server does then.

It fails before the other store is asked, except that a removal can be carried out in part first.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

from restante.errors import UpdateIncomplete
from restante.identity import Identity
from restante.maildrop import Deposits, DropListing, Maildrop, MailStore, MessageReader

Call = Literal["open", "open_message", "read", "remove", "deposit"]


class DepositingStore(MailStore, Deposits, Protocol):
    """A store that hands out mail and takes it in."""


@dataclass(slots=True)
class _Failure:
    error: Exception
    skip: int


class FailingStore:
    """A store that does what another does until told to fail."""

    def __init__(self, store: DepositingStore) -> None:
        self._store = store
        self._failures: dict[Call, deque[_Failure]] = {}
        self.waits_for_disk = False
        """Whether everything says that it would have to wait for a disk."""

    def fail(self, call: Call, error: Exception, *, skip: int = 0, times: int = 1) -> None:
        """Raise an error from the next calls of a kind, letting some through first."""
        failures = self._failures.setdefault(call, deque())
        failures.append(_Failure(error, skip))
        failures.extend(_Failure(error, 0) for _ in range(times - 1))

    def check(self, call: Call) -> None:
        """Raise what is planned for this call."""
        failures = self._failures.get(call)
        if not failures:
            return
        if failures[0].skip:
            failures[0].skip -= 1
            return
        raise failures.popleft().error

    def open_ready(self, identity: Identity) -> "FailingDrop | None":
        """Open a maildrop unless the disk is to be waited for; see the contract."""
        if self.waits_for_disk:
            return None
        self.check("open")
        maildrop = self._store.open_ready(identity)
        return None if maildrop is None else FailingDrop(self, maildrop)

    def open(self, identity: Identity) -> "FailingDrop":
        """Open a maildrop; see the contract."""
        self.check("open")
        return FailingDrop(self, self._store.open(identity))

    def deposit(self, identity: Identity, message: BinaryIO) -> bytes:
        """Store a message and return its unique-id; see the contract."""
        self.check("deposit")
        return self._store.deposit(identity, message)

    def close(self) -> None:
        """End what goes on behind it."""
        self._store.close()


class FailingDrop:
    """A maildrop of a store that fails on demand."""

    def __init__(self, store: FailingStore, maildrop: Maildrop) -> None:
        self._store = store
        self._maildrop = maildrop

    @property
    def listing(self) -> DropListing:
        """The listing as of the opening."""
        return self._maildrop.listing

    def open_message(self, number: int) -> "FailingReader":
        """Return a reader of a message; see the contract."""
        self._store.check("open_message")
        return FailingReader(self._store, self._maildrop.open_message(number))

    def remove(self, numbers: Collection[int]) -> None:
        """Remove messages; a planned UpdateIncomplete leaves behind as many as it says."""
        try:
            self._store.check("remove")
        except UpdateIncomplete as failure:
            ordered = sorted(numbers)
            self._maildrop.remove(ordered[: max(len(ordered) - failure.remaining, 0)])
            raise
        self._maildrop.remove(numbers)

    def close(self) -> None:
        """Give the lock back."""
        self._maildrop.close()


class FailingReader:
    """A reader of a store that fails on demand."""

    def __init__(self, store: FailingStore, reader: MessageReader) -> None:
        self._store = store
        self._reader = reader

    def read_ready(self, octets: int) -> bytes | None:
        """Return the next octets unless the disk is to be waited for."""
        if self._store.waits_for_disk:
            return None
        self._store.check("read")
        return self._reader.read_ready(octets)

    def read(self, octets: int) -> bytes:
        """Return the next octets."""
        self._store.check("read")
        return self._reader.read(octets)

    def close(self) -> None:
        """Let go of the message."""
        self._reader.close()

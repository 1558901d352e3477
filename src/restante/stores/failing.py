"""A store in front of another that fails on demand, to show what a server makes of it."""

from collections.abc import Collection
from enum import Enum

from restante.errors import Refusal, TemporaryFailure, UpdateIncomplete
from restante.identity import Identity
from restante.maildrop import DropListing, Maildrop, MailStore, MessageReader


class Operation(Enum):
    """What can fail."""

    OPEN = "open"
    READ = "read"
    REMOVE = "remove"


class FailingStore:
    """Another store, with failures planned ahead."""

    def __init__(self, store: MailStore) -> None:
        self._store = store
        self._planned: dict[Operation, Refusal] = {}
        self.read_after_octets = 0

    def fail(
        self, operation: Operation, refusal: Refusal | None = None, *, after_octets: int = 0
    ) -> None:
        """Plan a failure; reading fails behind the first `after_octets` of a message."""
        self._planned[operation] = refusal or TemporaryFailure()
        self.read_after_octets = after_octets

    def mend(self) -> None:
        """Let everything succeed again."""
        self._planned.clear()

    def planned(self, operation: Operation) -> Refusal | None:
        """Return the failure an operation meets."""
        return self._planned.get(operation)

    def open_ready(self, identity: Identity) -> Maildrop | None:
        """Open a maildrop, or fail; see the contract."""
        if Operation.OPEN in self._planned:
            return None
        maildrop = self._store.open_ready(identity)
        return None if maildrop is None else _FailingDrop(self, maildrop)

    def open(self, identity: Identity) -> Maildrop:
        """Open a maildrop, or fail; see the contract."""
        refusal = self.planned(Operation.OPEN)
        if refusal is not None:
            raise refusal
        return _FailingDrop(self, self._store.open(identity))


class _FailingDrop:
    """A maildrop of a failing store."""

    def __init__(self, store: FailingStore, maildrop: Maildrop) -> None:
        self._store = store
        self._maildrop = maildrop

    @property
    def listing(self) -> DropListing:
        return self._maildrop.listing

    def open_message(self, number: int) -> MessageReader:
        return _FailingReader(self._store, self._maildrop.open_message(number))

    def remove(self, numbers: Collection[int]) -> None:
        if self._store.planned(Operation.REMOVE) is not None:
            raise UpdateIncomplete(len(numbers))
        self._maildrop.remove(numbers)

    def close(self) -> None:
        self._maildrop.close()


class _FailingReader:
    """A message of a failing store being read."""

    def __init__(self, store: FailingStore, reader: MessageReader) -> None:
        self._store = store
        self._reader = reader
        self._octets = 0

    def read_ready(self, octets: int) -> bytes | None:
        # A disk that fails is waited for first.
        return None if self._store.planned(Operation.READ) else self._reader.read_ready(octets)

    def read(self, octets: int) -> bytes:
        refusal = self._store.planned(Operation.READ)
        if refusal is not None:
            octets = min(octets, self._store.read_after_octets - self._octets)
            if octets <= 0:
                raise refusal
        data = self._reader.read(octets)
        self._octets += len(data)
        return data

    def close(self) -> None:
        self._reader.close()

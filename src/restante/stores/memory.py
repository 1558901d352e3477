"""Maildrops in memory: for tests, for programs that embed a server, and as the plainest contract.

Messages are kept as they go over the wire, made so by the same code that reads files. Nothing
outlives the process.
"""

import threading
from array import array
from collections.abc import Collection, Mapping
from itertools import count
from typing import BinaryIO

from restante.errors import MaildropInUse, MessageVanished
from restante.identity import Identity
from restante.stores.image import ListingImage, Version, render
from restante.stores.wire import encode


class MemoryStore:
    """Mailboxes that last as long as the process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._mailboxes: dict[str, dict[bytes, bytes]] = {}
        """Octets on the wire by unique-id, in order of arrival."""
        self._held: set[str] = set()
        self._deposits = count(1)

    def open_ready(self, identity: Identity) -> "MemoryDrop":
        """Lock and open a maildrop; see the contract."""
        return self.open(identity)

    def open(self, identity: Identity) -> "MemoryDrop":
        """Lock and open a maildrop; see the contract."""
        with self._guard:
            if identity.name in self._held:
                raise MaildropInUse
            self._held.add(identity.name)
            mailbox = self._mailboxes.get(identity.name, {})
            return MemoryDrop(self, identity.name, _listing(mailbox))

    def listing(self, identity: Identity) -> ListingImage:
        """Return what the next session would see."""
        with self._guard:
            return _listing(self._mailboxes.get(identity.name, {}))

    def deposit(self, identity: Identity, message: BinaryIO) -> bytes:
        """Store a message and return its unique-id; see the contract."""
        data = encode(message.read())
        with self._guard:
            unique_id = b"%d" % next(self._deposits)
            self._mailboxes.setdefault(identity.name, {})[unique_id] = data
        return unique_id

    def close(self) -> None:
        """End nothing: nothing goes on in the background."""

    # ---- for a drop

    def message(self, name: str, unique_id: bytes) -> bytes | None:
        """Return the octets of a message; None: it is gone."""
        return self._mailboxes.get(name, {}).get(unique_id)

    def discard(self, name: str, unique_ids: Collection[bytes]) -> None:
        """Forget messages; those that are gone already are gone."""
        with self._guard:
            mailbox = self._mailboxes.get(name, {})
            for unique_id in unique_ids:
                mailbox.pop(unique_id, None)

    def unlock(self, name: str) -> None:
        """Let the next session in."""
        with self._guard:
            self._held.discard(name)


class MemoryDrop:
    """One mailbox in memory while a session has it."""

    def __init__(self, store: MemoryStore, name: str, listing: ListingImage) -> None:
        self._store = store
        self._name = name
        self._open = True
        self.listing = listing

    def open_message(self, number: int) -> "MemoryReader":
        """Return a reader of a message; see the contract."""
        return MemoryReader(self._store.message(self._name, self.listing.unique_id(number)))

    def remove(self, numbers: Collection[int]) -> None:
        """Remove messages; see the contract."""
        self._store.discard(self._name, [self.listing.unique_id(number) for number in numbers])

    def close(self) -> None:
        """Give the lock back."""
        if self._open:
            self._open = False
            self._store.unlock(self._name)


class MemoryReader:
    """One message in memory being read."""

    def __init__(self, data: bytes | None) -> None:
        self._data = data
        self._offset = 0

    def read_ready(self, octets: int) -> bytes:
        """Return the next octets; see the contract."""
        return self.read(octets)

    def read(self, octets: int) -> bytes:
        """Return the next octets; see the contract."""
        if self._data is None:
            raise MessageVanished
        data = self._data[self._offset : self._offset + octets]
        self._offset += len(data)
        return data

    def close(self) -> None:
        """Let go of the message."""


def _listing(mailbox: Mapping[bytes, bytes]) -> ListingImage:
    sizes = array("Q", map(len, mailbox.values()))
    unique_ids = list(mailbox)
    return render(Version(0, 0, 0), unique_ids, sizes, unique_ids)

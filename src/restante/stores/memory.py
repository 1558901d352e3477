"""Maildrops in memory: for tests, for trying things out, and as the plainest contract."""

from array import array
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import BinaryIO

from restante.errors import MaildropInUse, MessageVanished
from restante.identity import Identity
from restante.maildrop import DropListing
from restante.stores.image import ListingImage, Version, render


@dataclass
class _Mailbox:
    messages: dict[bytes, bytes] = field(default_factory=dict)
    """Octets on the wire by unique-id, in order."""
    deposited: int = 0
    held: bool = False


class MemoryStore:
    """Mailboxes that last as long as the process."""

    def __init__(self) -> None:
        self._mailboxes: dict[str, _Mailbox] = {}

    def open_ready(self, identity: Identity) -> "MemoryDrop":
        """Lock and open a maildrop; see the contract."""
        return self.open(identity)

    def open(self, identity: Identity) -> "MemoryDrop":
        """Lock and open a maildrop; see the contract."""
        mailbox = self._mailbox(identity)
        if mailbox.held:
            raise MaildropInUse
        mailbox.held = True
        return MemoryDrop(mailbox)

    def listing(self, identity: Identity) -> DropListing:
        """Return what the next session would see."""
        return _listing(self._mailbox(identity))

    def deposit(self, identity: Identity, message: BinaryIO) -> bytes:
        """Store a message and return its unique-id; see the contract."""
        mailbox = self._mailbox(identity)
        mailbox.deposited += 1
        unique_id = b"%d" % mailbox.deposited
        mailbox.messages[unique_id] = wire_form(message.read())
        return unique_id

    def _mailbox(self, identity: Identity) -> _Mailbox:
        return self._mailboxes.setdefault(identity.name, _Mailbox())


class MemoryDrop:
    """One mailbox in memory while a session has it."""

    def __init__(self, mailbox: _Mailbox) -> None:
        self._mailbox: _Mailbox | None = mailbox
        self.listing: DropListing = _listing(mailbox)

    def open_message(self, number: int) -> "MemoryReader":
        """Return a reader of a message; see the contract."""
        assert self._mailbox is not None
        return MemoryReader(self._mailbox.messages.get(self.listing.unique_id(number)))

    def remove(self, numbers: Collection[int]) -> None:
        """Remove messages; see the contract."""
        assert self._mailbox is not None
        for number in numbers:
            self._mailbox.messages.pop(self.listing.unique_id(number), None)

    def close(self) -> None:
        """Give the lock back."""
        if self._mailbox is not None:
            self._mailbox.held = False
            self._mailbox = None


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


def wire_form(message: bytes) -> bytes:
    """Return a message with every line ending in CRLF, the last one too."""
    data = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return data if not data or data.endswith(b"\n") else data + b"\r\n"


def _listing(mailbox: _Mailbox) -> ListingImage:
    sizes = array("Q", map(len, mailbox.messages.values()))
    ids = list(mailbox.messages)
    return render(Version(0, 0, 0), ids, sizes, ids)

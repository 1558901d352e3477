"""CONTRACT: stores that open maildrops, maildrops, their listings and messages.

Everything here is plain calls, no event loop: what may wait for a disk says so, and the server
decides where it waits. The pairs `open_ready`/`open` and `read_ready`/`read` exist because most
calls find everything in memory, and a thread costs ten times what such a call does.

Octets are counted and handed out as they go over the wire: lines end in CRLF, the last one too,
and nothing is dot-stuffed (RFC 1939 §11).
"""

from collections.abc import Collection, Hashable, Iterable
from typing import BinaryIO, Protocol, runtime_checkable

from restante.identity import Identity

Buffer = bytes | bytearray | memoryview


class DropListing(Protocol):
    """The immutable listing of one version of a maildrop; numbers run from 1 to `count`."""

    @property
    def count(self) -> int:
        """Messages in all."""
        ...

    @property
    def octets(self) -> int:
        """Sum of all sizes."""
        ...

    def size(self, number: int) -> int:
        """Return the octets of a message on the wire."""
        ...

    def unique_id(self, number: int) -> bytes:
        """Return the unique-id: 1 to 70 octets of 0x21 to 0x7E."""
        ...

    def scan_listing(self, marked: Collection[int]) -> Iterable[Buffer]:
        """Return `number size CRLF` for every message not marked, in order, in few pieces."""
        ...

    def unique_id_listing(self, marked: Collection[int]) -> Iterable[Buffer]:
        """Return `number unique-id CRLF` for every message not marked, in order."""
        ...


class MessageReader(Protocol):
    """One message being read, from its first octet to its last.

    Both ways of reading may raise:

    * MessageVanished: another program removed it.
    * TemporaryFailure: it cannot be read now.
    """

    def read_ready(self, octets: int) -> bytes | None:
        """Return the next octets (about as many as asked) if no disk must be waited for.

        None: it would wait, so call `read` where waiting is allowed. b"": the end.
        """
        ...

    def read(self, octets: int) -> bytes:
        """Return the next octets, waiting for the disk; b"" at the end."""
        ...

    def close(self) -> None:
        """Let go of the message; may be called twice."""
        ...


class Maildrop(Protocol):
    """The messages of one identity, locked for one session."""

    @property
    def listing(self) -> DropListing:
        """The listing as of the opening."""
        ...

    def open_message(self, number: int) -> MessageReader:
        """Return a reader of a message; no disk is touched before the first octet is asked for."""
        ...

    def remove(self, numbers: Collection[int]) -> None:
        """Remove these messages and nothing else; on return the removal survives a power cut.

        Waits for the disk. A message that is gone already counts as removed.

        Raises:
            UpdateIncomplete: some are still there; the others may be gone.
        """
        ...

    def close(self) -> None:
        """Give the lock back; may be called twice."""
        ...


class MailStore(Protocol):
    """What opens maildrops."""

    def open_ready(self, identity: Identity) -> Maildrop | None:
        """Lock and open a maildrop if that needs no scan and no waiting; None: call `open`.

        Raises:
            MaildropInUse: somebody holds it now; nothing was waited for.
        """
        ...

    def open(self, identity: Identity) -> Maildrop:
        """Lock and open a maildrop, waiting for the disk but never for the lock.

        Raises:
            MaildropInUse: somebody holds it now.
            TemporaryFailure: the disk or the lock fails in a way likely to pass.
            PermanentFailure: what stands there is not a maildrop.
        """
        ...

    def close(self) -> None:
        """End what goes on in the background, once no maildrop is open; may be called twice.

        Waits for the disk.
        """
        ...


@runtime_checkable
class Places(Protocol):
    """A store whose maildrops lie in several places, each of which may hang alone.

    A place is what maildrops have in common that would hang together; to tell it waits for nothing.
    """

    def place(self, identity: Identity) -> Hashable:
        """Return the place of a maildrop that is to be opened."""
        ...

    def place_of(self, maildrop: Maildrop) -> Hashable:
        """Return the place of a maildrop that this store has opened."""
        ...


class Deposits(Protocol):
    """A store that can take messages in as well."""

    def deposit(self, identity: Identity, message: BinaryIO) -> bytes:
        """Store a message durably and return its unique-id.

        Raises:
            TemporaryFailure: it was not stored, trying again later may help.
        """
        ...

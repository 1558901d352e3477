"""Maildrops as a client is shown them that knows ASCII alone: surrogates in place of messages.

Sizes are those of what is sent, in LIST and STAT as in RETR, so the headers of a maildrop have to
be read before its listing can be told; what they came to is kept for the next login. Unique-ids are
the messages' own (RFC 6856 §2.1), and what is removed is the message.
"""

import threading
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import NamedTuple

from restante.errors import PermanentFailure, Refusal
from restante.identity import Identity
from restante.maildrop import Buffer, DropListing, Maildrop, MailStore, MessageReader, Places
from restante.protocol.screening import HEADER_TOO_LONG, HELD_OCTETS, header_end
from restante.server.surrogate_header import surrogate

HEADER_OCTETS = 16_384
"""What is read at once to find the end of a header."""
KNOWN_MESSAGES = 200_000
"""Of so many messages of all maildrops it is kept how many octets their surrogates have more."""


class Known(NamedTuple):
    """What is known of the surrogates in one listing."""

    listing: DropListing
    differences: Mapping[bytes, int]
    """Octets that a surrogate has more than its message, by unique-id."""


class SurrogateStore:
    """A store that shows surrogates of what is in another."""

    def __init__(self, store: MailStore, known_messages: int = KNOWN_MESSAGES) -> None:
        self._store = store
        self._bound = known_messages
        self._guard = threading.Lock()
        self._known: dict[str, Known] = {}
        """By account, the latest last."""

    def open_ready(self, identity: Identity) -> "SurrogateDrop | None":
        """Lock and open a maildrop whose headers were read already; see the contract."""
        with self._guard:
            known = self._known.get(identity.name)
        if known is None:
            return None
        drop = self._store.open_ready(identity)
        if drop is None or drop.listing is known.listing:
            return None if drop is None else SurrogateDrop(drop, known.differences)
        drop.close()
        return None

    def open(self, identity: Identity) -> "SurrogateDrop":
        """Lock and open a maildrop, reading what headers were not read yet; see the contract."""
        drop = self._store.open(identity)
        try:
            with self._guard:
                known = self._known.get(identity.name)
            differences = _differences(drop, {} if known is None else known.differences)
        except BaseException:
            drop.close()
            raise
        # What could not be read now is looked at again by the next login.
        if len(differences) == drop.listing.count:
            self._keep(identity.name, Known(drop.listing, differences))
        return SurrogateDrop(drop, differences)

    def close(self) -> None:
        """End what goes on in the background of the other store."""
        self._store.close()

    def place(self, identity: Identity) -> Hashable:
        """Return the place of a maildrop in the other store, if that has several."""
        return self._store.place(identity) if isinstance(self._store, Places) else None

    def _keep(self, name: str, known: Known) -> None:
        with self._guard:
            self._known.pop(name, None)
            self._known[name] = known
            kept = sum(len(each.differences) for each in self._known.values())
            while kept > self._bound and len(self._known) > 1:
                kept -= len(self._known.pop(next(iter(self._known))).differences)


class SurrogateDrop:
    """One maildrop with surrogates in it."""

    def __init__(self, inner: Maildrop, differences: Mapping[bytes, int]) -> None:
        self.inner = inner
        """The maildrop itself."""
        self.listing = SurrogateListing(inner.listing, differences)

    def open_message(self, number: int) -> "SurrogateReader":
        """Return a reader of a message's surrogate; see the contract."""
        return SurrogateReader(self.inner.open_message(number))

    def remove(self, numbers: Collection[int]) -> None:
        """Remove messages; see the contract."""
        self.inner.remove(numbers)

    def close(self) -> None:
        """Give the lock back."""
        self.inner.close()


class SurrogateListing:
    """A listing with the sizes of surrogates."""

    def __init__(self, inner: DropListing, differences: Mapping[bytes, int]) -> None:
        self._inner = inner
        self._differences = differences
        self.count = inner.count
        self.octets = inner.octets + sum(differences.values())

    def size(self, number: int) -> int:
        """Return the octets of a surrogate, or of a message that needs none."""
        unique_id = self._inner.unique_id(number)
        return self._inner.size(number) + self._differences.get(unique_id, 0)

    def unique_id(self, number: int) -> bytes:
        """Return the unique-id of a message."""
        return self._inner.unique_id(number)

    def scan_listing(self, marked: Collection[int]) -> Iterable[Buffer]:
        """Return the lines of LIST."""
        if not any(self._differences.values()):
            return self._inner.scan_listing(marked)
        numbers = (number for number in range(1, self.count + 1) if number not in marked)
        return [b"".join(b"%d %d\r\n" % (number, self.size(number)) for number in numbers)]

    def unique_id_listing(self, marked: Collection[int]) -> Iterable[Buffer]:
        """Return the lines of UIDL."""
        return self._inner.unique_id_listing(marked)


class SurrogateReader:
    """One message being read, its header replaced where that has to be."""

    def __init__(self, inner: MessageReader) -> None:
        self._inner = inner
        self._held = b""
        self._passed = False
        self.difference = 0
        """Octets that there are more than in the message, once something was read."""

    def read_ready(self, octets: int) -> bytes | None:
        """Return the next octets if no disk must be waited for; see the contract."""
        while (data := self._inner.read_ready(octets)) is not None:
            shown = self._take(data)
            if shown is not None:
                return shown
        return None

    def read(self, octets: int) -> bytes:
        """Return the next octets, waiting for the disk; see the contract."""
        while True:
            shown = self._take(self._inner.read(octets))
            if shown is not None:
                return shown

    def close(self) -> None:
        """Let go of the message."""
        self._inner.close()

    def _take(self, data: bytes) -> bytes | None:
        """Return what a piece becomes; None: more is needed to know."""
        if self._passed:
            return data
        seen = len(self._held)
        held = self._held = self._held + data
        end = header_end(held, seen) if data else len(held)
        if end < 0:
            if len(held) > HELD_OCTETS:
                raise PermanentFailure(HEADER_TOO_LONG)
            return None
        self._passed, self._held = True, b""
        header = surrogate(held[:end])
        self.difference = len(header) - end
        return header + held[end:]


def _differences(drop: Maildrop, known: Mapping[bytes, int]) -> dict[bytes, int]:
    listing = drop.listing
    differences: dict[bytes, int] = {}
    for number in range(1, listing.count + 1):
        unique_id = listing.unique_id(number)
        difference = known.get(unique_id)
        if difference is None:
            difference = _difference(drop, number)
        if difference is not None:
            differences[unique_id] = difference
    return differences


def _difference(drop: Maildrop, number: int) -> int | None:
    """Return how many octets a surrogate has more; None: RETR would be refused now."""
    reader = SurrogateReader(drop.open_message(number))
    try:
        reader.read(HEADER_OCTETS)
    except Refusal:
        return None
    finally:
        reader.close()
    return reader.difference

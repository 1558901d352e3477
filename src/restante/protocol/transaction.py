"""TRANSACTION: the commands on an open maildrop (RFC 1939 §5 and §7).

The listing is the maildrop's and never changes; the marks are the session's.
"""

from collections.abc import Collection, Iterable
from typing import Protocol

from restante.protocol.commands import Command
from restante.protocol.events import MessageRequested
from restante.protocol.legality import Phase
from restante.protocol.offers import Offer
from restante.protocol.replies import Buffer, Output, status_line

MARKED = status_line(True, "marked")
NONE_MARKED = status_line(True, "no message is marked")
READ_ONLY = status_line(False, "this login may collect mail, not remove it")
NO_SUCH_MESSAGE = status_line(False, "no such message")


class Listing(Protocol):
    """What a session needs of a drop listing."""

    @property
    def count(self) -> int:
        """Messages in all."""
        ...

    @property
    def octets(self) -> int:
        """Sum of all sizes."""
        ...

    def size(self, number: int) -> int:
        """Return the octets of a message."""
        ...

    def unique_id(self, number: int) -> bytes:
        """Return the unique-id of a message."""
        ...

    def scan_listing(self, marked: Collection[int]) -> Iterable[Buffer]:
        """Return the lines of LIST."""
        ...

    def unique_id_listing(self, marked: Collection[int]) -> Iterable[Buffer]:
        """Return the lines of UIDL."""
        ...


class Transaction:
    """The state of an open maildrop, with its marks."""

    __slots__ = ("_marked", "_marked_octets", "_read_only", "ascii_headers", "listing", "offer")

    phase = Phase.TRANSACTION

    def __init__(
        self,
        listing: Listing,
        offer: Offer,
        *,
        read_only: bool = False,
        ascii_headers: bool = False,
    ) -> None:
        self.listing = listing
        self._read_only = read_only
        self.ascii_headers = ascii_headers
        """A message whose header is not in ASCII is refused."""
        self.offer = offer
        self._marked: set[int] | None = None
        self._marked_octets = 0

    @property
    def marked(self) -> tuple[int, ...]:
        """The numbers marked, in order."""
        return tuple(sorted(self._marked or ()))

    def stat(self, output: Output) -> None:
        """Answer with the drop listing: nothing may follow the octets (RFC 1939 §5)."""
        marked = len(self._marked or ())
        octets = self.listing.octets - self._marked_octets
        output.write(b"+OK %d %d\r\n" % (self.listing.count - marked, octets))

    def list(self, command: Command, output: Output) -> None:
        """Answer with the scan listing of one message or of all."""
        number = command.number
        if number is None:
            lines = self.listing.scan_listing(self._marked or ())
            output.listing("scan listing follows", lines)
        elif self._is_there(number, output):
            output.write(b"+OK %d %d\r\n" % (number, self.listing.size(number)))

    def uidl(self, command: Command, output: Output) -> None:
        """Answer with the unique-id listing of one message or of all."""
        number = command.number
        if number is None:
            lines = self.listing.unique_id_listing(self._marked or ())
            output.listing("unique-id listing follows", lines)
        elif self._is_there(number, output):
            # A unique-id may hold a bracket, which a text of ours may not.
            output.write(b"+OK %d %b\r\n" % (number, self.listing.unique_id(number)))

    def message(self, command: Command, output: Output) -> MessageRequested | None:
        """Ask for the message that RETR or TOP names."""
        assert command.number is not None
        if not self._is_there(command.number, output):
            return None
        return MessageRequested(command.number, command.lines)

    def dele(self, command: Command, output: Output) -> None:
        """Mark a message, if this login has the right to."""
        assert command.number is not None
        if not self._is_there(command.number, output):
            return
        if self._read_only:
            output.reply(READ_ONLY)
            return
        if self._marked is None:
            self._marked = set()
        self._marked.add(command.number)
        self._marked_octets += self.listing.size(command.number)
        output.reply(MARKED)

    def rset(self, output: Output) -> None:
        """Take all marks away."""
        self._marked = None
        self._marked_octets = 0
        output.reply(NONE_MARKED)

    def _is_there(self, number: int, output: Output) -> bool:
        if 1 <= number <= self.listing.count and number not in (self._marked or ()):
            return True
        output.reply(NO_SUCH_MESSAGE)
        return False

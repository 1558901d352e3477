"""What clients have sent before their login and nobody has looked at yet, bounded over all of them.

A line with a bearer token has 88 KiB, and a login that is judged may have as much behind it. Of one
client that is nothing; ten thousand strangers would fill the memory. So only some may have much
there at once: the one that has had it longest goes for the next. An honest client's line is whole
a moment after it has begun.
"""

from collections import OrderedDict
from typing import Protocol

LONG_OCTETS = 16_384
"""More than a line of any mechanism but those of tokens; so much everybody may have there."""
LONG_AT_ONCE = 256
"""With what stands around them they take some 45 MiB in a worker."""


class Sender(Protocol):
    """A connection before its login."""

    @property
    def octets_waiting(self) -> int:
        """Octets that nobody has looked at yet."""
        ...

    def drop(self, reason: str) -> None:
        """End at once."""
        ...


class Backlog:
    """Who has much there, the longest in front."""

    def __init__(self) -> None:
        self._senders: OrderedDict[Sender, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._senders)

    def look(self, sender: Sender) -> None:
        """See what a connection has there now, and end another one if that is too much of all."""
        if sender.octets_waiting <= LONG_OCTETS:
            self.leave(sender)
        elif sender not in self._senders:
            self._senders[sender] = None
            while len(self._senders) > LONG_AT_ONCE:
                oldest, _ = self._senders.popitem(last=False)
                # Looked at again: what a verdict was waited for may have been read meanwhile.
                if oldest.octets_waiting > LONG_OCTETS:
                    oldest.drop("too much input before login")

    def leave(self, sender: Sender) -> None:
        """Count a connection no longer: it has logged in, or is gone."""
        self._senders.pop(sender, None)

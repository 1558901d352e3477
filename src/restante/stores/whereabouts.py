"""Where the messages of a listing are now, once other programs have renamed some.

A file is known again by its unique part. What the listing names is never taken for another of its
messages; where two of them share a unique part, a third file of that name could be either, and is
taken for neither.
"""

import os
import time
from collections import Counter

from restante.errors import MessageVanished, TemporaryFailure
from restante.stores import names
from restante.stores.image import ListingImage
from restante.stores.scan import FOLDERS, Changed, changed, clock_ns, messages, proven

_LOOKS = 2
"""A file may be moved from one folder to the other while both are looked at."""
PATIENCE = 20
"""Looks of one session beyond that: a file that is renamed again and again can be passed over each
time, and what is said to be gone is neither sent nor removed."""
PAUSE_SECONDS = 0.01
"""Before each of them; a few, and folders that rest have proved what is in them."""


class Whereabouts:
    """The present names of the messages of one listing; for one thread at a time."""

    def __init__(self, mailbox: bytes, image: ListingImage) -> None:
        self._mailbox = mailbox
        self._image = image
        self._listed: set[bytes] = set()
        self._shared: set[bytes] = set()
        """Unique parts of more than one listed message."""
        self._strangers: dict[bytes, bytes] = {}
        """What is there and not listed, by unique part."""
        self._seen: Changed | None = None
        self._patience = PATIENCE

    def find(self, number: int) -> bytes:
        """Return the name, with its folder, of a message that is not where it was.

        Raises:
            MessageVanished: it is gone.
            TemporaryFailure: that cannot be told now.
        """
        unique = names.parse(self._image.name(number)[4:]).unique
        try:
            found = self._find(unique)
        except OSError as error:
            raise TemporaryFailure from error
        if found is None:
            raise MessageVanished
        return self._unless_shared(unique, found)

    def _find(self, unique: bytes) -> bytes | None:
        looks = 0
        while True:
            found = self._strangers.get(unique)
            if found is not None and os.path.lexists(self._mailbox + b"/" + found):
                return found
            if looks >= _LOOKS and not self._wait():
                return found
            if not self._look():
                return found
            looks += 1

    def _wait(self) -> bool:
        """Wait for the folders to rest; False: that took too long already."""
        if not self._patience:
            return False
        self._patience -= 1
        time.sleep(PAUSE_SECONDS)
        return True

    def _unless_shared(self, unique: bytes, found: bytes) -> bytes:
        if unique in self._shared:
            raise TemporaryFailure(reason="two messages have one name")
        return found

    def _look(self) -> bool:
        """Look at the folders again; False: nothing has changed since the last time."""
        scanned_at = clock_ns()
        seen = changed(self._mailbox)
        if seen == self._seen:
            return False
        if not self._listed:
            listed = self._image.names()
            counts = Counter(names.parse(name[4:]).unique for name in listed)
            self._shared = {unique for unique, count in counts.items() if count > 1}
            self._listed = set(listed)
        self._strangers = {
            names.parse(name[4:]).unique: name
            for folder in FOLDERS
            for name in messages(self._mailbox, folder)
            if name not in self._listed
        }
        sure = proven(seen, scanned_at) == seen
        self._seen = seen if sure and changed(self._mailbox) == seen else None
        return True

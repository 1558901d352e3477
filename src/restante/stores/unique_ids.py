"""The giving of unique-ids: each once, and never one that another message had.

The first choice is the unique part of the file's name, so that it comes out the same where nothing
can be stored; where that is illegal (RFC 1939 §7, UIDL) or taken, a digest of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from restante.stores.names import are_legal_unique_ids, is_legal_unique_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from restante.stores.catalogue import Catalogue
    from restante.stores.changes import Gone
    from restante.stores.image import ListingImage
    from restante.stores.names import Names

_SEARCHES = 8
"""Questions before a set is made of the unique-ids that are known."""


class UniqueIds:
    """The unique-ids of one maildrop while messages are added to it."""

    def __init__(
        self,
        known: ListingImage | None,
        catalogue: Catalogue | None,
        going: Iterable[bytes] = (),
    ) -> None:
        """Begin; `going` are those of messages that are gone but not yet in the catalogue."""
        self._catalogue = catalogue
        self._has_gone = catalogue is not None and catalogue.has_gone()
        self._known = known
        self._taken: set[bytes] | None = None
        self._searches = 0
        self._given = set(going)

    def returned(self, unique: bytes) -> Gone | None:
        """Return what is known of a file that vanished by other hands and is there again.

        Where it could be either of two, it is neither: a new message is fetched once too often,
        one that is taken for another never.
        """
        if not self._has_gone:
            return None
        assert self._catalogue is not None
        vanished = self._catalogue.vanished(unique)
        missing = [gone for gone in vanished if not self._is_held(gone.unique_id)]
        if len(missing) != 1:
            return None
        self._given.add(missing[0].unique_id)
        return missing[0]

    def give(self, unique: bytes, name: bytes) -> bytes:
        """Return a unique-id for a message that never had one."""
        if is_legal_unique_id(unique) and self._is_free(unique):
            self._given.add(unique)
            return unique
        attempt = 0
        while True:
            unique_id = _digest(b"%d\0%b" % (attempt, name[4:].partition(b":")[0]))
            if self._is_free(unique_id):
                self._given.add(unique_id)
                return unique_id
            attempt += 1

    def may_give_all(self, parsed: Names) -> bool:
        """Say whether the unique parts of names, no two the same, can all be unique-ids."""
        if self._has_gone or self._known is not None:
            return False
        return parsed.plain or are_legal_unique_ids(parsed.uniques)

    def _is_held(self, unique_id: bytes) -> bool:
        """Say whether a message that is there has it."""
        if unique_id in self._given:
            return True
        if self._known is None:
            return False
        if self._taken is None:
            self._searches += 1
            if self._searches <= _SEARCHES:
                return self._known.has_unique_id(unique_id)
            self._taken = set(self._known.unique_ids())
        return unique_id in self._taken

    def _is_free(self, unique_id: bytes) -> bool:
        if self._is_held(unique_id):
            return False
        if not self._has_gone:
            return True
        assert self._catalogue is not None
        return not self._catalogue.was_given(unique_id)


def _digest(octets: bytes) -> bytes:
    # Hardly ever needed, and slow to load.
    from base64 import b32encode
    from hashlib import sha256

    return b32encode(sha256(octets).digest()[:20])

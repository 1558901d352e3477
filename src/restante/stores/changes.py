"""Changes to what is recorded of a maildrop: its messages as they are to be, who went and came.

Apart from the catalogue that stores them, because whoever only finds out what changed needs no
database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from restante.maildrop import Buffer
    from restante.stores.image import ListingImage

CATALOGUE_NAME = "restante.catalogue"
"""The file, beside the mail, that all this is recorded in."""
PACKED = 4_096
"""Regular messages that the catalogue stores in one row: a row for each takes far longer."""


class Gone(NamedTuple):
    """A message that is no longer there."""

    unique_name: bytes
    unique_id: bytes
    size: int
    removed: bool
    """By us; otherwise it vanished by other hands, and may come back."""


class Changes(NamedTuple):
    """A change to a catalogue."""

    base: int
    """The generation it is a change to; 0: nothing of it is stored yet."""
    first: int
    """Index of the first message that is not as it was then."""
    image: ListingImage
    """All messages as they are to be."""
    gone: Sequence[Gone] = ()
    back: Sequence[Gone] = ()
    """Those that were gone and are there again."""
    packed_unique_ids: Sequence[Buffer] = ()
    """All unique-ids, a pack for each row, if they were at hand; (): the image has to be asked."""


def pack_unique_ids(unique_ids: Sequence[bytes]) -> list[bytes]:
    """Return unique-ids in packs."""
    starts = range(0, len(unique_ids), PACKED)
    return [b"\0".join(unique_ids[start : start + PACKED]) for start in starts]

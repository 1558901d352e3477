"""Images in memory, for the next login: bounded in octets, the longest unused go first."""

from collections import OrderedDict
from dataclasses import dataclass

from restante.stores.image import ListingImage
from restante.stores.locks import Key
from restante.stores.records import Stamp


@dataclass(frozen=True, slots=True)
class Cached:
    """An image, and what it was derived from."""

    key: Key
    image: ListingImage
    stamp: Stamp | None
    """Of the catalogue, when the image was derived from it."""


class ImageCache:
    """The images of one process."""

    def __init__(self, bound_octets: int) -> None:
        self._bound_octets = bound_octets
        self._cached: OrderedDict[bytes, Cached] = OrderedDict()
        self._octets = 0

    def get(self, mailbox: bytes) -> Cached | None:
        """Return what is kept of a mailbox."""
        return self._cached.get(mailbox)

    def keep(self, mailbox: bytes, cached: Cached) -> None:
        """Keep an image; whoever calls this in several threads excludes them."""
        old = self._cached.pop(mailbox, None)
        if old is not None:
            self._octets -= old.image.weight_octets
        self._cached[mailbox] = cached
        self._octets += cached.image.weight_octets
        while self._octets > self._bound_octets and len(self._cached) > 1:
            _, oldest = self._cached.popitem(last=False)
            self._octets -= oldest.image.weight_octets

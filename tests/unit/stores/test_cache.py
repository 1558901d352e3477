"""Images are kept within a bound, the longest unused go first."""

from array import array

from restante.stores.cache import Cached, ImageCache
from restante.stores.image import Version, render

IMAGE = render(Version(1, 1, 1), [b"cur/a"] * 10, array("Q", [1] * 10), [b"a"] * 10)
CACHED = Cached(1, IMAGE, None)


def test_what_does_not_fit_goes() -> None:
    cache = ImageCache(IMAGE.weight_octets * 2)
    for mailbox in (b"a", b"b", b"a", b"c"):
        cache.keep(mailbox, CACHED)
    assert cache.get(b"b") is None
    assert cache.get(b"a") is CACHED
    assert cache.get(b"c") is CACHED


def test_the_last_one_stays_however_big_it_is() -> None:
    cache = ImageCache(0)
    cache.keep(b"a", CACHED)
    cache.keep(b"b", CACHED)
    assert cache.get(b"a") is None
    assert cache.get(b"b") is CACHED

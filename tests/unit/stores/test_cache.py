"""Images are kept within a bound, the longest kept go first, and of an empty one little is."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.stores.cache import Cached, ImageCache
from restante.stores.image import Version, empty, render
from restante.stores.locks import lock_key
from restante.stores.records import Stamp

IMAGE = render(Version(1, 1, 1), [b"cur/a"] * 10, array("Q", [1] * 10), [b"a"] * 10)
CACHED = Cached(1, IMAGE, None)
NOTHING = Cached(1, empty(Version(1, 1, 1)), None)


def test_what_does_not_fit_goes() -> None:
    cache = ImageCache(IMAGE.weight_octets * 2)
    for mailbox in (b"a", b"b", b"a", b"c"):
        cache.keep(mailbox, CACHED)
    assert cache.get(b"b") is None
    assert cache.get(b"a") is CACHED
    assert cache.get(b"c") is CACHED


@pytest.mark.parametrize("cached", [CACHED, NOTHING])
def test_the_last_one_stays_however_big_it_is(cached: Cached) -> None:
    cache = ImageCache(0)
    cache.keep(b"a", cached)
    cache.keep(b"b", cached)
    assert cache.get(b"a") is None
    assert cache.get(b"b") is not None


def test_more_go_at_once_where_there_are_very_many() -> None:
    bound = 6_400
    cache = ImageCache(bound * IMAGE.weight_octets)
    mailboxes = [b"%d" % number for number in range(bound + 1)]
    for mailbox in mailboxes:
        cache.keep(mailbox, CACHED)
    gone = [mailbox for mailbox in mailboxes if cache.get(mailbox) is None]
    assert gone == mailboxes[:100]


@pytest.mark.parametrize("stamp", [None, (1_700_000_000_000_000_000, 4096, 2**63)])
def test_an_empty_maildrop_is_told_as_it_was(stamp: Stamp | None) -> None:
    version = Version(7, 1_700_000_000_000_000_001, 1_700_000_000_000_000_002)
    cache = ImageCache(1_000)
    key = lock_key(2_049, 2**64 - 1)
    cache.keep(b"a", Cached(key, empty(version), stamp))
    cached = cache.get(b"a")
    assert cached is not None
    assert (cached.key, cached.stamp) == (key, stamp)
    assert cached.image.version == version
    assert cached.image.count == cached.image.octets == 0
    assert list(cached.image.scan_listing(())) == []


@pytest.mark.parametrize(
    "cached",
    [
        Cached(1, empty(Version(1, -5_500_000_000, 1)), None),
        Cached(1, empty(Version(1, 1, 1)), (2**64, 1, 1)),
        Cached(1, empty(Version(1, 1, 1)), (-(2**64), 1, 1)),
    ],
)
def test_times_from_centuries_away_are_kept_as_well(cached: Cached) -> None:
    cache = ImageCache(1_000)
    cache.keep(b"a", cached)
    assert cache.get(b"a") == cached


KEPT = st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from([CACHED, NOTHING]))


@given(st.lists(KEPT), st.integers(0, 3_000))
def test_what_is_counted_is_what_is_kept(kept: list[tuple[bytes, Cached]], bound: int) -> None:
    """A maildrop that fills and empties again leaves no weight behind."""
    cache = ImageCache(bound)
    for mailbox, cached in kept:
        cache.keep(mailbox, cached)
    for mailbox in (b"a", b"b", b"c"):
        if cache.get(mailbox) is not None:
            cache.keep(mailbox, NOTHING)
    last = [mailbox for mailbox in (b"a", b"b", b"c") if cache.get(mailbox) is not None]
    assert len(last) == cache.octets // 256
    assert cache.octets == 256 * len(last)

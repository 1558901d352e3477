"""Limits: what is counted, over all workers, and given back."""

import pytest

from restante.server.limits import Limits, SharedCounts, networks
from restante.server.options import LimitOptions


def limits(shared: SharedCounts, **options: int) -> Limits:
    slot = shared.take()
    assert slot is not None
    return Limits(LimitOptions(**options), shared, slot)


@pytest.fixture
def shared() -> SharedCounts:
    return SharedCounts(slots=3)


@pytest.mark.parametrize(
    ("options", "one", "other", "reason"),
    [
        ({"connections": 2}, "192.0.2.1", "198.51.100.1", "connections"),
        ({"connections_per_address": 2}, "192.0.2.1", "192.0.2.1", "connections per address"),
        ({"connections_per_network": 2}, "192.0.2.1", "192.0.2.2", "connections per network"),
        (
            {"connections_per_network": 2},
            "2001:db8:1:1::1",
            "2001:db8:1:2::1",
            "connections per network",
        ),
        (
            {"connections_per_address": 2},
            "2001:db8::1",
            "2001:db8::ffff",
            "connections per address",
        ),
        (
            {"before_login_per_address": 2},
            "192.0.2.1",
            "192.0.2.1",
            "connections before login per address",
        ),
    ],
)
def test_each_limit_is_counted_over_workers(
    shared: SharedCounts, options: dict[str, int], one: str, other: str, reason: str
) -> None:
    workers = [limits(shared, **options), limits(shared, **options)]
    for worker in workers:
        worker.refresh()
    first, second = workers[0].admit(one), workers[1].admit(other)
    assert not isinstance(first, str)
    assert not isinstance(second, str)
    for worker in workers:
        assert worker.admit(one) == reason
        assert worker.admit(other) == reason
    if reason != "connections":
        assert not isinstance(workers[0].admit("203.0.113.1"), str)
    workers[0].leave(first, logged_in=False)
    assert not isinstance(workers[1].admit(other), str)


def test_a_login_counts_no_longer_as_a_stranger(shared: SharedCounts) -> None:
    worker = limits(shared, before_login_per_address=1)
    stranger = worker.admit("192.0.2.1")
    assert not isinstance(stranger, str)
    assert isinstance(worker.admit("192.0.2.1"), str)
    worker.logged_in(stranger)
    second = worker.admit("192.0.2.1")
    assert not isinstance(second, str)
    assert isinstance(worker.admit("192.0.2.1"), str)
    assert worker.total() == 2


def test_nothing_stays_counted_of_who_left(shared: SharedCounts) -> None:
    worker = limits(shared)
    in_use = [place for place, count in enumerate(shared.counters) if count]
    stranger, known = worker.admit("192.0.2.1"), worker.admit("192.0.2.1")
    assert not isinstance(stranger, str)
    assert not isinstance(known, str)
    worker.logged_in(known)
    worker.leave(known, logged_in=True)
    assert worker.total() == 1
    worker.leave(stranger, logged_in=False)
    assert [place for place, count in enumerate(shared.counters) if count] == in_use


def test_who_comes_from_one_address_shares_where_it_is_counted(shared: SharedCounts) -> None:
    worker = limits(shared)
    assert worker.admit("192.0.2.1") is worker.admit("192.0.2.1")


def test_a_worker_that_died_takes_its_counts_with_it(shared: SharedCounts) -> None:
    dead, other = limits(shared, connections=5), limits(shared, connections=5)
    other.refresh()
    for _ in range(5):
        dead.admit("192.0.2.1")
    assert other.admit("192.0.2.2") == "connections"
    shared.give_back(0)
    assert not isinstance(other.admit("192.0.2.2"), str)
    assert shared.take() == 0
    other.refresh()
    assert other.total() == 1


def test_regions_are_handed_out_while_there_are_any(shared: SharedCounts) -> None:
    assert [shared.take() for _ in range(4)] == [0, 1, 2, None]
    assert shared.free() == 0
    shared.give_back(1)
    assert shared.free() == 1
    assert shared.take() == 1


def test_a_new_worker_is_seen_at_the_next_look(shared: SharedCounts) -> None:
    old = limits(shared, connections=1)
    new = limits(shared, connections=1)
    assert new.admit("192.0.2.1")
    old.refresh()
    assert old.admit("192.0.2.2") == "connections"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", ("192.0.2.7", "192.0.2")),
        ("::ffff:192.0.2.7", ("192.0.2.7", "192.0.2")),
        ("2001:db8:1:2:3::4", ("20010db800010002", "20010db80001")),
        ("fe80::1%eth0", ("fe80000000000000", "fe8000000000")),
        ("", ("", "")),
    ],
)
def test_what_an_address_counts_as(address: str, expected: tuple[str, str]) -> None:
    assert networks(address) == expected


def test_where_an_address_is_counted_nobody_outside_can_tell() -> None:
    """Two servers count one address in different places, or the key is none."""

    def place(shared: SharedCounts) -> list[int]:
        limits(shared).admit("192.0.2.1")
        return [place for place, count in enumerate(shared.counters) if count]

    assert place(SharedCounts(slots=1)) != place(SharedCounts(slots=1))


def test_who_is_unnamed_counts_among_all_and_nowhere_else(shared: SharedCounts) -> None:
    one, other = (
        limits(shared, connections=2, connections_per_address=1, before_login_per_address=1)
        for _ in range(2)
    )
    one.refresh()
    assert one.admit_unnamed()
    assert other.admit_unnamed()
    assert one.total() == 2
    assert not one.admit_unnamed()
    assert other.admit("192.0.2.1") == "connections"
    one.leave_unnamed()
    assert not isinstance(other.admit("192.0.2.1"), str)
    assert not one.admit_unnamed()
    other.leave_unnamed()
    assert one.total() == 1

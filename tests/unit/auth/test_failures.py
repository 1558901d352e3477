"""How often something failed, and at which passwords: what counts, what repeats, what runs off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.failures import DIGEST_OCTETS, PASSWORDS_KEPT, Failures, Flood


def digest(number: int) -> bytes:
    return number.to_bytes(DIGEST_OCTETS, "big")


def test_what_failed_before_repeats() -> None:
    failures = Failures()
    assert [failures.repeats(digest(each), 1.0) for each in (1, 1, 2, 1, 2, 3)] == [
        False,
        True,
        False,
        True,
        True,
        False,
    ]


@given(st.lists(st.integers(0, 2 * PASSWORDS_KEPT)))
def test_the_latest_few_are_kept(numbers: list[int]) -> None:
    failures, model = Failures(), list[int]()
    for number in numbers:
        assert failures.repeats(digest(number), 1.0) is (number in model)
        model = [number, *(each for each in model if each != number)][:PASSWORDS_KEPT]
        assert failures.wrong == b"".join(map(digest, model))


def test_digests_are_compared_whole() -> None:
    """Not where the end of one and the beginning of the next look like a third."""
    failures = Failures()
    failures.repeats(b"ABCDEFGH", 1.0)
    failures.repeats(b"12345678", 1.0)
    assert not failures.repeats(b"5678ABCD", 1.0)


def test_a_count_is_forgotten_before_what_is_still_repeated() -> None:
    failures = Failures(count=3, last=10.0)
    failures.repeats(digest(1), 10.0)
    assert failures.settle(10.0)
    assert failures.count == 3
    failures.repeats(digest(1), 50.0)
    assert failures.settle(50.0)
    assert failures.count == 0
    assert not failures.settle(50.1)


@pytest.mark.parametrize("per_minute", [1, 60, 600])
def test_a_level_runs_off_by_so_many_a_minute(per_minute: int) -> None:
    flood = Flood(per_minute)
    for _ in range(per_minute + 1):
        flood.add(100.0)
    assert flood.doublings(100.0) >= 0
    assert flood.doublings(161.0) < 0
    assert flood.look(100.0 + 200.0) == 0.0


def test_a_clock_that_goes_back_lets_nothing_run_off() -> None:
    flood = Flood(60)
    flood.add(100.0)
    assert flood.look(50.0) == 1.0


def test_a_level_has_a_bound() -> None:
    flood = Flood(60)
    for _ in range(1_000):
        flood.add(100.0)
    assert flood.level == 120.0
    flood.restore(1e9, 100.0)
    assert flood.look(100.0) == 120.0
    flood.restore(-5.0, 100.0)
    assert flood.look(100.0) == 0.0

"""What was used lately is kept within a bound, and the longest unused go first."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from restante.auth.recent import Recent, SharedClock
from unit.auth.scene import Clock


def test_what_is_used_again_is_the_last_to_go() -> None:
    recent: Recent[str, int] = Recent(3)
    for key in "abcad":
        recent.use(key, 1)
    assert list(recent) == ["c", "a", "d"]


def test_a_value_is_the_last_one_set() -> None:
    recent: Recent[str, int] = Recent(3)
    recent.use("a", 1)
    recent.use("a", 2)
    assert recent == {"a": 2}


def test_a_sixteenth_goes_at_once() -> None:
    recent: Recent[int, None] = Recent(1_600)
    for key in range(1_601):
        recent.use(key, None)
    assert list(recent) == list(range(100, 1_601))


@given(st.integers(1, 15), st.lists(st.integers(0, 20)))
def test_few_go_one_by_one(bound: int, keys: list[int]) -> None:
    recent: Recent[int, int] = Recent(bound)
    model: OrderedDict[int, int] = OrderedDict()
    for value, key in enumerate(keys):
        recent.use(key, value)
        model[key] = value
        model.move_to_end(key)
        if len(model) > bound:
            model.popitem(last=False)
        assert list(recent.items()) == list(model.items())


def test_who_asks_within_a_second_is_told_one_time() -> None:
    clock = Clock()
    shared = SharedClock(clock)
    first = shared()
    clock.now += 0.9
    assert shared() is first
    clock.now += 0.1
    assert shared() == clock.now


def test_it_is_never_fast_and_less_than_a_second_slow() -> None:
    clock = Clock()
    shared = SharedClock(clock)
    for step in (0.0, 0.3, 0.69, 0.5, 100.0, 0.999, 0.999):
        clock.now += step
        assert clock.now - 1.0 < shared() <= clock.now

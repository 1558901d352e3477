"""The pace of a run: no sleep outlasts it, logins keep apart, guesses wait."""

from __future__ import annotations

import pytest

from restante.examine.outcome import NotTried, Postponed
from restante.examine.pace import LONGEST_DELAY_SECONDS, Pace


class Clock:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def paced(clock: Clock, seconds: float = 1000.0) -> Pace:
    return Pace(seconds, clock=clock.now, sleep=clock.sleep)


def test_the_run_is_over_at_its_deadline(clock: Clock) -> None:
    pace = paced(clock)
    pace.check()
    clock.time += 1000
    with pytest.raises(NotTried, match="time for the whole run"):
        pace.check()


def test_a_pause_ends_with_the_run(clock: Clock) -> None:
    with pytest.raises(NotTried):
        paced(clock, 5).pause(60)
    assert clock.slept == [5]


def test_logins_keep_the_distance_the_server_asks_for(clock: Clock) -> None:
    pace = paced(clock)
    pace.keep_apart(30)
    pace.before_login()
    clock.time += 10
    pace.before_login()
    assert clock.slept == [20]


def test_a_server_that_asks_for_years_is_not_believed(clock: Clock) -> None:
    pace = paced(clock, 10_000)
    pace.keep_apart(1e9)
    pace.before_login()
    pace.before_login()
    assert clock.slept == [LONGEST_DELAY_SECONDS]


def test_the_distance_grows_where_it_was_too_small(clock: Clock) -> None:
    pace = paced(clock)
    for _ in range(3):
        pace.be_slower()
    pace.before_login()
    pace.before_login()
    assert clock.slept == [4]


def test_pauses_grow_and_end(clock: Clock) -> None:
    pauses = paced(clock).pauses(10)
    while pauses.take():
        pass
    assert clock.slept == sorted(clock.slept)
    assert max(clock.slept) <= 2
    assert 10 <= sum(clock.slept) <= 12


def test_a_guess_waits_for_its_part_of_the_run(clock: Clock) -> None:
    pace = paced(clock)
    pace.guesses_wait = True
    with pytest.raises(Postponed):
        pace.guess()
    assert not pace.guessed
    pace.guesses_wait = False
    pace.guess()
    assert pace.guessed


def test_there_is_time_to_clear_up_when_the_run_is_over(clock: Clock) -> None:
    pace = paced(clock, 1)
    clock.time += 5
    pace.extend(10)
    pace.check()

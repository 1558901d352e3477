"""Whether two refusals can be told apart by the time they take.

The two kinds are tried in pairs, in random order within each pair, so that what makes a server
slower or faster in the course of time meets both alike. The differences of the pairs are put to
Wilcoxon's signed-rank test, which neither outliers nor the shape of the noise can mislead; where
the times come from one distribution, one examination in ten thousand still finds a difference.
A server that slows down after failures is left alone.
"""

from __future__ import annotations

import math
import secrets
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from restante.examine.outcome import NotTried, Unmet
from restante.examine.stage import Stage

PAIRS = 60
FEWEST_PAIRS = 40
ERROR_PROBABILITY = 1e-4
SMALLEST_SECONDS = 100e-6
"""A median difference below this is told, and not held against a server: it is of the size of what
caches and the length of a name do, and drowns in any network."""

SLOW_SECONDS = 0.5
"""A refusal that takes longer is delayed on purpose, and a difference drowns in the delay."""
BUDGET_SECONDS = 60.0

Sample = Callable[[Stage, bool], float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the test says: the probability of such differences by chance, and their size."""

    pairs: int
    probability: float
    median_seconds: float
    effect: float

    @property
    def is_a_difference(self) -> bool:
        """Tell whether it is neither by chance nor too small to be used."""
        by_chance = self.probability >= ERROR_PROBABILITY
        return not by_chance and abs(self.median_seconds) >= SMALLEST_SECONDS

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"{self.pairs} pairs: the median difference is {self.median_seconds * 1e6:+.0f} µs "
            f"(rank-biserial correlation {self.effect:+.2f}), "
            f"by chance with a probability of {self.probability:.2g}"
        )


def compare(differences: Sequence[float]) -> Comparison:
    """Put the differences of pairs to the signed-rank test (two-sided, ties corrected)."""
    ranked = _ranks([d for d in differences if d])
    count = len(ranked)
    total = count * (count + 1) / 2
    positive = sum(rank for difference, rank in ranked if difference > 0)
    variance = sum(rank * rank for _, rank in ranked) / 4
    distance = abs(positive - total / 2)
    probability = 1.0
    if variance:
        probability = math.erfc(max(0.0, distance - 0.5) / math.sqrt(variance) / math.sqrt(2))
    effect = (2 * positive - total) / total if total else 0.0
    return Comparison(len(differences), probability, statistics.median(differences), effect)


def _ranks(differences: Sequence[float]) -> list[tuple[float, float]]:
    """Return each difference with the rank of its size, equal ones with the mean of theirs."""
    ordered = sorted(differences, key=abs)
    ranked: list[tuple[float, float]] = []
    while len(ranked) < len(ordered):
        first = len(ranked)
        size = abs(ordered[first])
        last = first
        while last < len(ordered) and abs(ordered[last]) == size:
            last += 1
        ranked += [(ordered[n], (first + 1 + last) / 2) for n in range(first, last)]
    return ranked


def times_alike(sample: Sample) -> Callable[[Stage], None]:
    """Return a judgement that compares the times of two kinds of refusal."""

    def judge(stage: Stage) -> None:
        if not stage.target.timing:
            raise NotTried("times are compared where that is asked for, with --timing")
        result = compare(_differences(stage, sample))
        stage.record.note(0, "*", str(result).encode())
        if result.is_a_difference:
            raise Unmet(f"time tells the two apart; in {result}")

    return judge


def _differences(stage: Stage, sample: Sample) -> list[float]:
    """Return how much longer a known name takes, pair by pair, stopping for a throttle."""
    deadline = time.monotonic() + BUDGET_SECONDS
    differences: list[float] = []
    slowest: list[float] = []
    chance = secrets.SystemRandom()
    while len(differences) < PAIRS and time.monotonic() < deadline:
        taken = {known: sample(stage, known) for known in chance.sample((True, False), 2)}
        differences.append(taken[True] - taken[False])
        slowest.append(max(taken.values()))
        if min(slowest[-3:]) > SLOW_SECONDS:
            raise NotTried(f"the server delays refusals, by {slowest[-1]:.1f} s and perhaps more")
    if len(differences) < FEWEST_PAIRS:
        raise NotTried(f"{len(differences)} pairs took all the time there is, too few to judge by")
    return differences

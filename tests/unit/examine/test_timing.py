"""The comparison of times: what it calls a difference, and how often it is wrong."""

from __future__ import annotations

import random

import pytest

from restante.examine.case import Case, Level, Start, Verdict
from restante.examine.dialogue import Logic
from restante.examine.judge import Judge
from restante.examine.stage import Stage
from restante.examine.target import Target
from restante.examine.timing import ERROR_PROBABILITY, PAIRS, compare, times_alike
from unit.examine.crooked import CrookedServer


def noise(chance: random.Random) -> float:
    """Return a time as networks have them: skewed, with an outlier now and then."""
    return chance.lognormvariate(-7, 0.5) + (0.05 if chance.random() < 0.05 else 0)


def differences(chance: random.Random, more: float) -> list[float]:
    return [noise(chance) + more - noise(chance) for _ in range(PAIRS)]


def test_times_of_one_distribution_are_hardly_ever_told_apart() -> None:
    chance = random.Random(1939)
    found = [compare(differences(chance, 0)).probability for _ in range(4000)]
    assert sum(p < ERROR_PROBABILITY for p in found) <= 3
    assert 0.03 < sum(p < 0.05 for p in found) / len(found) < 0.07


@pytest.mark.parametrize("more", [0.001, -0.001])
def test_a_millisecond_is_found_among_outliers(more: float) -> None:
    chance = random.Random(1939)
    results = [compare(differences(chance, more)) for _ in range(50)]
    assert sum(r.probability < ERROR_PROBABILITY for r in results) >= 45
    assert all(r.effect * more > 0 for r in results)
    assert abs(sum(r.median_seconds for r in results) / 50 - more) < 0.0003


def test_equal_times_are_no_difference() -> None:
    assert compare([0.0] * PAIRS).probability == 1.0
    assert compare([0.5, -0.5] * 20).probability == 1.0


def test_what_drowns_in_a_network_is_not_held_against_a_server() -> None:
    sure = compare([20e-6 + n * 1e-9 for n in range(PAIRS)])
    assert sure.probability < ERROR_PROBABILITY
    assert not sure.is_a_difference
    assert compare([200e-6 + n * 1e-9 for n in range(PAIRS)]).is_a_difference


def test_the_size_is_shown() -> None:
    assert str(compare([0.001] * PAIRS)).startswith(
        "60 pairs: the median difference is +1000 µs (rank-biserial correlation +1.00)"
    )


def played(seconds: float, *, timing: bool = True) -> tuple[Verdict, str, int]:
    """Judge a refusal that takes this long, and count how often it was asked for."""
    asked = []

    def sample(stage: Stage, known: bool) -> float:
        asked.append(known)
        return seconds

    case = Case(
        id="1939-S-00",
        title="Made up",
        source="here",
        level=Level.INFERRED,
        start=Start.NOWHERE,
        steps=(Logic(times_alike(sample)),),
    )
    server = CrookedServer()
    try:
        finding = Judge(Target(server.endpoints, server, timing=timing)).try_case(case)
    finally:
        server.stop()
    return finding.verdict, finding.why, len(asked)


def test_a_server_that_delays_is_left_alone() -> None:
    verdict, why, asked = played(2.0)
    assert (verdict, asked) == (Verdict.NOT_TRIED, 2)
    assert "2.0 s" in why


def test_times_are_not_compared_unasked() -> None:
    verdict, why, asked = played(0.001, timing=False)
    assert (verdict, asked) == (Verdict.NOT_TRIED, 0)
    assert "--timing" in why


def test_every_pair_has_both() -> None:
    verdict, _, asked = played(0.001)
    assert (verdict, asked) == (Verdict.PASSES, 2 * PAIRS)

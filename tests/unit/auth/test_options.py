"""Settings that cannot stand are refused with a sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from restante.auth.options import (
    AskingOptions,
    CacheOptions,
    HashOptions,
    SourceOptions,
    ThrottleOptions,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SourceOptions(type="passwd-file"), "path: a passwd-file source needs one"),
        (lambda: SourceOptions(path=Path("x")), "path: the accounts source takes none"),
        (
            lambda: SourceOptions(verifies=("CRAM-MD5",)),
            "verifies: only a passwd-file source takes it",
        ),
        (
            lambda: SourceOptions(certificate_name="common-name"),
            "certificate_name: only a certificate source takes it",
        ),
        (
            lambda: SourceOptions(type="certificate", certificate_name="none"),
            'certificate_name: "none" takes a file of fingerprints',
        ),
        (lambda: HashOptions(scram_iterations=4_095), "scram_iterations is 4096 at least"),
        (lambda: HashOptions(scram_iterations=10_000_001), "10000000 at most"),
        (lambda: HashOptions(memory_kib=7), "memory_kib is 8 for each lane at least"),
        (lambda: HashOptions(memory_kib=15, lanes=2), "memory_kib is 8 for each lane at least"),
        (lambda: HashOptions(memory_kib=2**23), "4194304 at most"),
        (lambda: HashOptions(passes=0), "passes is at least 1"),
        (lambda: HashOptions(passes=1_001), "passes is 1000 at most"),
        (lambda: HashOptions(lanes=0), "lanes is at least 1"),
        (lambda: HashOptions(threads=0), "threads is at least 1"),
        (lambda: HashOptions(queue=0), "queue is at least 1"),
        (lambda: ThrottleOptions(free_failures=-1), "free_failures is not negative"),
        (lambda: ThrottleOptions(first_delay_seconds=-1), "first_delay_seconds is not negative"),
        (lambda: ThrottleOptions(first_delay_seconds=NAN), "first_delay_seconds is not negative"),
        (lambda: ThrottleOptions(longest_delay_seconds=1), "longest_delay_seconds is not below"),
        (lambda: ThrottleOptions(longest_delay_seconds=NAN), "longest_delay_seconds is not below"),
        (lambda: ThrottleOptions(forget_after_seconds=-1), "forget_after_seconds is not negative"),
        (lambda: ThrottleOptions(remember_success_seconds=NAN), "remember_success_seconds is not"),
        (lambda: ThrottleOptions(failures_per_minute=0), "failures_per_minute is at least 1"),
        (lambda: ThrottleOptions(entries=0), "entries is at least 1"),
        (lambda: ThrottleOptions(gateways=("10.0.0.0/8", "x")), "gateways: 'x' is no network"),
        (lambda: ThrottleOptions(gateways=("10.0.0.1/8",)), "gateways: '10.0.0.1/8' is no network"),
        (lambda: CacheOptions(entries=0), "entries is at least 1"),
        (lambda: CacheOptions(seconds=-1), "seconds is not negative"),
        (lambda: CacheOptions(seconds=NAN), "seconds is not negative"),
    ],
)
def test_what_cannot_stand(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_the_defaults_stand() -> None:
    """DESIGN §3: 19 MiB, two passes, one lane."""
    hashing = HashOptions()
    assert (hashing.memory_kib, hashing.passes, hashing.lanes) == (19_456, 2, 1)
    assert SourceOptions() == SourceOptions(type="accounts")
    assert ThrottleOptions().longest_delay_seconds >= ThrottleOptions().first_delay_seconds
    assert CacheOptions().seconds > 0


@pytest.mark.parametrize(
    "settings",
    [
        {"deadline_seconds": 0.0},
        {"deadline_seconds": float("nan")},
        {"at_once": 0},
        {"queue": 0},
        {"remember_seconds": -1.0},
        {"floor_seconds": float("nan")},
    ],
)
def test_bounds_of_a_question_that_cannot_stand(settings: dict[str, float]) -> None:
    (key,) = settings
    with pytest.raises(ValueError, match=f"^{key} is "):
        AskingOptions(**settings)  # type: ignore[arg-type]

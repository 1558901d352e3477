"""Unknown, known and disabled users in time: nothing to tell them apart by (threats A2).

What CI holds is the work, which is exact: how many hashes, of what cost, how many statements of
SQL. The clock is asked in the long run, for Welch's t of interleaved samples:

    python -m pytest -m long tests/unit/auth/test_timing.py
"""

import asyncio
import random
import statistics
import time
from itertools import combinations
from pathlib import Path

import pytest

from restante.auth import hashes
from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.hashes import hash_password
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.options import HashOptions
from restante.errors import AuthenticationFailed
from restante.identity import PasswordCredentials
from restante.telemetry import RecordingLog
from unit.auth.scene import CHEAP, PEER, credentials, options, run

SAMPLES = 100_000
BOUND = 4.5
"""Of |t|, as dudect has it."""
CROWD = 50
CLASSES = {"unknown": "zed{}", "wrong": "bob{}", "disabled": "gone{}"}


def make(directory: Path, hashing: HashOptions) -> InProcessAuthenticator:
    """Return an authenticator that knows many of each kind."""
    (directory / "auth").mkdir()
    database = AccountsDatabase(directory / FILE_NAME)
    for number in range(CROWD):
        stored = hash_password(b"secret", hashing)
        database.add(f"bob{number}", stored)
        database.add(f"gone{number}", stored)
        database.disable(f"gone{number}")
    database.close()
    return InProcessAuthenticator(options(directory, hashing=hashing), RecordingLog())


async def fail(authenticator: InProcessAuthenticator, asked: PasswordCredentials) -> None:
    with pytest.raises(AuthenticationFailed):
        await authenticator.authenticate(asked, PEER)


def test_the_work_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """conformance: 1939-S-66"""
    work: list[str] = []
    verify = hashes.verify

    def counted(stored: str, password: bytes) -> bool:
        work.append("$".join(hashes.split(stored)[2].split("$")[:4]))
        return verify(stored, password)

    monkeypatch.setattr(hashes, "verify", counted)
    row = AccountsDatabase._row

    def looked(database: AccountsDatabase, statement: str, name: str) -> object:
        work.append(statement)
        return row(database, statement, name)

    monkeypatch.setattr(AccountsDatabase, "_row", looked)

    async def story() -> None:
        authenticator = make(tmp_path, CHEAP)
        await fail(authenticator, credentials("first", "wrong"))  # from now on it is suspected
        seen = {}
        for kind, name in CLASSES.items():
            for number in range(CROWD):
                work.clear()
                password = "secret" if kind == "disabled" else "wrong"
                await fail(authenticator, credentials(name.format(number), password))
                # What a name is compared with is looked for behind it, else from the beginning.
                behind = [each for each in work if "name < ?" not in each]
                seen[kind, number] = tuple(behind)
        assert len(set(seen.values())) == 1
        assert sum(each.startswith("$argon2id") for each in seen["wrong", 0]) == 1
        await authenticator.close()

    run(story())


@pytest.mark.long
def test_the_time_is_the_same(tmp_path: Path) -> None:
    """conformance: 1939-S-66"""
    times: dict[str, list[float]] = {kind: [] for kind in CLASSES}

    async def story() -> None:
        authenticator = make(tmp_path, HashOptions(memory_kib=1_024, passes=2))
        dice = random.Random(1)
        kinds = list(CLASSES)
        for number in range(SAMPLES):
            kind = dice.choice(kinds)
            asked = credentials(CLASSES[kind].format(dice.randrange(CROWD)), f"wrong {number}")
            started = time.perf_counter()
            await fail(authenticator, asked)
            times[kind].append(time.perf_counter() - started)
        await authenticator.close()

    asyncio.run(asyncio.wait_for(story(), 3_600))
    scores = {
        (one, other): welch(times[one], times[other]) for one, other in combinations(CLASSES, 2)
    }
    print({kind: statistics.fmean(samples) for kind, samples in times.items()}, scores)
    assert max(map(abs, scores.values())) < BOUND


def welch(one: list[float], other: list[float]) -> float:
    """Return Welch's t of two samples."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    difference: float = (statistics.fmean(one) - statistics.fmean(other)) / spread**0.5
    return difference


def test_welchs_t() -> None:
    """By hand: means 2 and 5, variances 1 and 1, three of each."""
    assert welch([1, 2, 3], [4, 5, 6]) == pytest.approx(-3 / (2 / 3) ** 0.5)

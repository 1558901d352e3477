"""Unknown, known and disabled users in time: nothing to tell them apart by (threats A2).

What CI holds is the work, which is exact: how many hashes, of what cost, how many statements of
SQL. The clock is asked in the long run, of interleaved samples:

    python -m pytest -m long tests/unit/auth/test_timing.py

Two bounds hold there for each pair of classes. Welch's t of all samples stays below 4.5, as dudect
has it. And so does that of the faster four fifths, which no pause of the machine is among, unless
their means differ by less than 3 microseconds: that finds what the slow fifth would hide, and lets
pass what only shows because nothing else takes any time.
"""

import asyncio
import random
import statistics
import string
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from restante.auth import hashes, scram_verifiers
from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.hashes import hash_password
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.options import AuthOptions, HashOptions, SourceOptions
from restante.errors import AuthenticationFailed
from restante.identity import Credentials, DigestCredentials, SaltRequest, ScramCredentials
from restante.secret import Secret
from restante.telemetry import Event
from unit.auth.scene import CHEAP, NO_THROTTLE, PEER, credentials, options, run

SAMPLES = 100_000
BOUND = 4.5
"""Of |t|, as dudect has it."""
DIFFERENCE_SECONDS = 3e-6
"""Of the means of the faster four fifths: less is no difference."""
CROWD = 1_000
"""Of each class, with names that say nothing of it: where a name lies takes its time as well."""
KINDS = ("unknown", "wrong", "disabled")
FAMILY = "SCRAM-SHA-256"
LONG_HASHING = HashOptions(memory_kib=1_024, passes=2)

Names = dict[str, list[str]]


def names(crowd: int) -> Names:
    dice = random.Random(2)
    return {
        kind: ["".join(dice.choices(string.ascii_lowercase, k=10)) for _ in range(crowd)]
        for kind in KINDS
    }


def fill(directory: Path, hashing: HashOptions, known: Names) -> None:
    """Make the accounts of a database."""
    (directory / "auth").mkdir()
    database = AccountsDatabase(directory / FILE_NAME)
    stored = hash_password(b"secret", hashing)
    database.add("first", stored)
    verifier = scram_verifiers.make(FAMILY, b"secret", 4_096)
    rows = [
        (each, stored, kind == "disabled", verifier) for kind in KINDS[1:] for each in known[kind]
    ]
    with database.changing() as connection:
        connection.executemany(
            "INSERT INTO account (name, stored_password, disabled, scram, created_at)"
            " VALUES (?, ?, ?, ?, 0)",
            rows,
        )
    database.close()


def write(path: Path, known: Names) -> None:
    """Make the entries of a passwd-file."""
    lines = [f"{each}:{{PLAIN}}secret\n" for each in known["wrong"]]
    lines += [f"{each}:{{PLAIN}}secret::::::nologin\n" for each in known["disabled"]]
    path.write_text("".join(lines))


def quiet(event: Event, /, **fields: object) -> None:
    """Log nothing: a list of a hundred thousand events takes more time the longer it is."""


async def fail(authenticator: InProcessAuthenticator, asked: Credentials) -> None:
    try:
        await authenticator.authenticate(asked, PEER)
    except AuthenticationFailed:
        return
    raise AssertionError("somebody got in")


# ---- the work


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
    known = names(50)

    async def story() -> None:
        fill(tmp_path, CHEAP, known)
        authenticator = InProcessAuthenticator(options(tmp_path, hashing=CHEAP), quiet)
        await fail(authenticator, credentials("first", "wrong"))  # from now on it is suspected
        seen = {}
        for kind in KINDS:
            for number, name in enumerate(known[kind]):
                work.clear()
                password = "secret" if kind == "disabled" else "wrong"
                await fail(authenticator, credentials(name, password))
                # What a name is compared with is looked for behind it, else from the beginning.
                behind = [each for each in work if "name < ?" not in each]
                seen[kind, number] = tuple(behind)
        assert len(set(seen.values())) == 1
        assert sum(each.startswith("$argon2id") for each in seen["wrong", 0]) == 1
        await authenticator.close()

    run(story())


# ---- the time


def by_password(name: str, number: int) -> Credentials:
    return credentials(name, f"wrong {number}")


def by_scram(name: str, number: int) -> Credentials:
    message, proof = f"n={name},{number}".encode(), Secret(number.to_bytes(32, "big"))
    return ScramCredentials(name, message, proof, FAMILY)


def by_digest(name: str, number: int) -> Credentials:
    challenge, digest = f"<{number}@example.org>".encode(), Secret(number.to_bytes(16, "big"))
    return DigestCredentials(name, challenge, digest, "CRAM-MD5")


def settings(directory: Path, source: SourceOptions) -> AuthOptions:
    return AuthOptions(
        state_directory=directory, sources=(source,), hashing=LONG_HASHING, throttle=NO_THROTTLE
    )


@pytest.mark.long
@pytest.mark.parametrize("ask", [by_password, by_scram, by_digest])
def test_the_time_is_the_same(tmp_path: Path, ask: Callable[[str, int], Credentials]) -> None:
    """conformance: 1939-S-66"""
    known = names(CROWD)
    fill(tmp_path, LONG_HASHING, known)
    authenticator = InProcessAuthenticator(settings(tmp_path, SourceOptions()), quiet)
    hold_to_the_bounds(authenticator, known, ask)


@pytest.mark.long
@pytest.mark.parametrize("ask", [by_password, by_digest])
def test_the_time_is_the_same_with_a_passwd_file(
    tmp_path: Path, ask: Callable[[str, int], Credentials]
) -> None:
    """conformance: 1939-S-66"""
    known = names(CROWD)
    write(tmp_path / "passwd", known)
    source = SourceOptions(type="passwd-file", path=tmp_path / "passwd", verifies=("CRAM-MD5",))
    authenticator = InProcessAuthenticator(settings(tmp_path, source), quiet)
    hold_to_the_bounds(authenticator, known, ask)


@pytest.mark.long
def test_the_time_of_a_salt_is_the_same(tmp_path: Path) -> None:
    """conformance: 5802-S-14"""
    known = names(CROWD)
    fill(tmp_path, LONG_HASHING, known)
    authenticator = InProcessAuthenticator(settings(tmp_path, SourceOptions()), quiet)
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for kind, name in chosen(known):
        authenticator._unproved._counts.clear()
        started = time.perf_counter()
        authenticator.salt_at_once(SaltRequest(name, FAMILY), PEER)
        times[kind].append(time.perf_counter() - started)
    asyncio.run(authenticator.close())
    check(times)


def chosen(known: Names) -> list[tuple[str, str]]:
    """Return whom each sample is of."""
    dice = random.Random(1)
    kinds = dice.choices(KINDS, k=SAMPLES)
    return [(kind, dice.choice(known[kind])) for kind in kinds]


def hold_to_the_bounds(
    authenticator: InProcessAuthenticator, known: Names, ask: Callable[[str, int], Credentials]
) -> None:
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}

    async def story() -> None:
        for number, (kind, name) in enumerate(chosen(known)):
            asked = ask(name, number)
            started = time.perf_counter()
            await fail(authenticator, asked)
            times[kind].append(time.perf_counter() - started)
        await authenticator.close()

    asyncio.run(asyncio.wait_for(story(), 3_600))
    check(times)


def check(times: dict[str, list[float]]) -> None:
    """Hold the samples to both bounds."""
    limit = statistics.quantiles([each for kind in KINDS for each in times[kind]], n=5)[3]
    faster = {kind: [each for each in times[kind] if each <= limit] for kind in KINDS}
    means = {kind: statistics.fmean(faster[kind]) for kind in KINDS}
    print({kind: f"{1e6 * mean:.2f} µs" for kind, mean in means.items()})
    for one, other in combinations(KINDS, 2):
        scores = welch(times[one], times[other]), welch(faster[one], faster[other])
        print(one, other, scores)
        assert abs(scores[0]) < BOUND
        assert abs(scores[1]) < BOUND or abs(means[one] - means[other]) < DIFFERENCE_SECONDS


def welch(one: list[float], other: list[float]) -> float:
    """Return Welch's t of two samples."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    difference: float = (statistics.fmean(one) - statistics.fmean(other)) / spread**0.5
    return difference


def test_welchs_t() -> None:
    """By hand: means 2 and 5, variances 1 and 1, three of each."""
    assert welch([1, 2, 3], [4, 5, 6]) == pytest.approx(-3 / (2 / 3) ** 0.5)


def test_a_difference_is_found() -> None:
    """Each bound by itself: one class is slower, or one has a longer tail."""
    dice = random.Random(3)
    same = {kind: [100e-6 + dice.gauss(0, 5e-6) for _ in range(2_000)] for kind in KINDS}
    check(same)
    with pytest.raises(AssertionError):
        check(same | {"wrong": [each + 4e-6 for each in same["wrong"]]})
    tail = [each + (dice.random() < 0.05) * 400e-6 for each in same["wrong"]]
    with pytest.raises(AssertionError):
        check(same | {"wrong": tail})

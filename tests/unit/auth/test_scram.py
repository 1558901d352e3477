"""SCRAM, judged: right proofs of either kind of entry, and one answer to everything else."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restante.auth import scram, scram_verifiers
from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.devices.proofs import ROUNDS
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.options import AuthOptions, CacheOptions, HashOptions, ThrottleOptions
from restante.auth.salts import UNPROVED_AT_ONCE
from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.identity import Identity, MutualIdentity, SaltRequest
from restante.sasl.scram import derive, server_signature
from restante.telemetry import RecordingLog
from unit.auth.scene import (
    CHEAP,
    PATIENCE_SECONDS,
    PEER,
    Clock,
    options,
    peer,
    proof_of,
    run,
    turns,
)

FAST = replace(CHEAP, scram=("SCRAM-SHA-256", "SCRAM-SHA-1"), scram_iterations=4_096)
HASH = "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS")


def verifiers(password: bytes, iterations: int = 4_096) -> str:
    return " ".join(scram_verifiers.make(each, password, iterations) for each in FAST.scram)


class Scene:
    """An authenticator with accounts of every kind there is."""

    def __init__(self, settings: AuthOptions, monkeypatch: pytest.MonkeyPatch) -> None:
        (settings.state_directory / "auth").mkdir(parents=True)
        self.database = AccountsDatabase(settings.state_directory / FILE_NAME)
        for name in ("bob", "gone", "alice"):
            self.database.add(name, HASH, scram=verifiers(b"secret"))
        self.database.disable("gone")
        self.database.add("old", HASH)
        self.database.add("broken", HASH, scram="{SCRAM-SHA-256}4096,kanarienvogel")
        self.log, self.clock = RecordingLog(), Clock()
        self.slept: list[float] = []
        self.work: list[str] = []
        for module, name in (
            *((scram, "derive"), (scram_verifiers, "check_proof"), (scram_verifiers, "sign")),
        ):
            monkeypatch.setattr(module, name, self._counted(name, getattr(module, name)))
        self.authenticator = InProcessAuthenticator(
            settings, self.log, clock=self.clock, sleep=self._sleep
        )

    def _counted(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.work.append(name)
            return work(*arguments)

        return counted

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def took(self) -> tuple[str, ...]:
        work, self.work[:] = tuple(self.work), []
        return work

    async def log_in(
        self,
        name: str,
        password: bytes = b"secret",
        mechanism: str = "SCRAM-SHA-256",
        *,
        who: str = "",
        address: str = PEER.address,
    ) -> Identity | str:
        """Return the identity, or why there is none."""
        parameters = await self.authenticator.salt(SaltRequest(name, mechanism), peer(address))
        asked = proof_of(name, password, parameters, mechanism, authorization_name=who)
        try:
            return await self.authenticator.authenticate(asked, peer(address))
        except AuthenticationFailed as error:
            refusal = error
        assert (refusal.text, refusal.code) == ("authentication failed", "AUTH")
        assert refusal.__cause__ is None
        return str(refusal.reason)


Tell = Callable[[Callable[[Scene], Awaitable[None]]], None]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Tell]:
    def with_options(**settings: Any) -> Tell:
        def tell(story: Callable[[Scene], Awaitable[None]]) -> None:
            async def told() -> None:
                chosen = options(tmp_path / "state", **({"hashing": FAST} | settings))
                scene = Scene(chosen, monkeypatch)
                await story(scene)
                await scene.authenticator.close()
                scene.database.close()

            run(told())

        return tell

    return with_options


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A passwd-file with an entry of every kind."""
    path = tmp_path / "passwd"
    lines = {
        "plain": "{PLAIN}secret",
        "clear": "{CLEARTEXT}secret",
        "encoded": "{PLAIN.HEX}736563726574",
        "kept": scram_verifiers.make("SCRAM-SHA-256", b"secret", 5_000),
        "sha1": scram_verifiers.make("SCRAM-SHA-1", b"secret", 4_096),
        "hashed": HASH,
    }
    path.write_text("".join(f"{name}:{stored}\n" for name, stored in lines.items()))
    return path


# ---- who gets in


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_right_proof(make: Callable[..., Tell], mechanism: str) -> None:
    """conformance: 5802-S-01, 5802-S-16"""

    async def story(scene: Scene) -> None:
        for name in ("bob", "BOB"):
            parameters = await scene.authenticator.salt(SaltRequest(name, mechanism), PEER)
            asked = proof_of(name, b"secret", parameters, mechanism)
            identity = await scene.authenticator.authenticate(asked, PEER)
            assert isinstance(identity, MutualIdentity)
            assert (identity.name, identity.source) == ("bob", "accounts")
            keys = derive(mechanism, b"secret", *parameters)
            assert identity.server_signature == server_signature(
                mechanism, keys.server_key, asked.auth_message
            )

    make()(story)


def test_a_login_needs_no_hash_and_no_wait(make: Callable[..., Tell]) -> None:
    async def story(scene: Scene) -> None:
        parameters = scene.authenticator.salt_at_once(SaltRequest("bob", "SCRAM-SHA-256"), PEER)
        asked = proof_of("bob", b"secret", parameters)
        assert scene.authenticator.authenticate_at_once(asked, PEER) is not None
        assert scene.took() == ("sign", "check_proof")

    make()(story)


def test_entries_of_a_passwd_file(make: Callable[..., Tell], file: Path) -> None:
    async def story(scene: Scene) -> None:
        for name in ("plain", "clear", "encoded", "kept"):
            identity = await scene.log_in(name)
            assert isinstance(identity, MutualIdentity), name
            assert identity.source == "passwd-file"
            assert await scene.log_in(name, b"wrong") == "password"
        for name in ("plain", "sha1"):
            assert isinstance(await scene.log_in(name, b"secret", "SCRAM-SHA-1"), MutualIdentity)
        for name, mechanism in (("sha1", "SCRAM-SHA-256"), ("kept", "SCRAM-SHA-1")):
            assert await scene.log_in(name, b"secret", mechanism) == "no verifier"
        assert await scene.log_in("hashed") == "no verifier"

    make(passwd_file=file, verifies=("SCRAM-SHA-256", "SCRAM-SHA-1"))(story)


def test_a_file_serves_what_its_source_says(make: Callable[..., Tell], file: Path) -> None:
    async def story(scene: Scene) -> None:
        assert isinstance(await scene.log_in("plain", b"secret", "SCRAM-SHA-1"), MutualIdentity)
        assert await scene.log_in("plain") == "no verifier"

    make(passwd_file=file, verifies=("SCRAM-SHA-1",))(story)


def test_accounts_serve_what_new_passwords_are_kept_for(make: Callable[..., Tell]) -> None:
    """Taking a mechanism out of the setting ends it at once, for old passwords as well."""

    async def story(scene: Scene) -> None:
        assert isinstance(await scene.log_in("bob"), MutualIdentity)
        assert await scene.log_in("bob", b"secret", "SCRAM-SHA-1") == "no verifier"

    make(hashing=replace(FAST, scram=("SCRAM-SHA-256",)))(story)


def test_keys_are_derived_once_for_who_gets_in(make: Callable[..., Tell], file: Path) -> None:
    async def story(scene: Scene) -> None:
        assert await scene.log_in("plain", b"wrong") == "password"
        assert scene.took().count("derive") == 1
        await scene.log_in("plain")
        assert scene.took().count("derive") == 1
        assert isinstance(await scene.log_in("plain"), MutualIdentity)
        assert scene.took() == ("sign", "check_proof")
        # A refusal never saves it.
        assert await scene.log_in("plain", b"wrong") == "password"
        assert scene.took().count("derive") == 1
        file.write_text("plain:{PLAIN}other\n")
        assert await scene.log_in("plain") == "password"
        assert isinstance(await scene.log_in("plain", b"other"), MutualIdentity)

    make(passwd_file=file, verifies=("SCRAM-SHA-256",))(story)


def test_without_a_cache_they_are_derived_each_time(make: Callable[..., Tell], file: Path) -> None:
    async def story(scene: Scene) -> None:
        for _ in range(2):
            assert isinstance(await scene.log_in("plain"), MutualIdentity)
            assert scene.took().count("derive") == 1

    make(passwd_file=file, verifies=("SCRAM-SHA-256",), cache=CacheOptions(seconds=0))(story)


def test_a_client_that_goes_away_takes_its_derivation_along(
    make: Callable[..., Tell], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    begun: list[int] = []

    def slow(*arguments: Any) -> Any:
        begun.append(1)
        assert gate.wait(PATIENCE_SECONDS)
        return derive(*arguments)

    async def story(scene: Scene) -> None:
        monkeypatch.setattr(scram, "derive", slow)
        tasks = [
            asyncio.create_task(scene.log_in("plain", address=f"198.51.{number}.1"))
            for number in range(30)
        ]
        await turns(20)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
        gate.set()
        assert isinstance(await scene.log_in("plain"), MutualIdentity)
        assert len(begun) <= FAST.threads + 1

    make(passwd_file=file, verifies=("SCRAM-SHA-256",))(story)


# ---- who does not


def test_every_other_proof(make: Callable[..., Tell]) -> None:
    """conformance: 5802-S-12, 4422-S-03"""

    async def story(scene: Scene) -> None:
        assert await scene.log_in("bob", b"wrong") == "password"
        assert await scene.log_in("nobody") == "unknown"
        assert await scene.log_in("gone") == "disabled"
        assert await scene.log_in("gone", b"wrong") == "password"
        assert await scene.log_in("old") == "no verifier"
        assert await scene.log_in("broken") == "no verifier"
        assert await scene.log_in("../bob") == "unknown"
        assert await scene.log_in("") == "unknown"
        assert await scene.log_in("x" * 9_000) == "unknown"
        assert await scene.log_in("bob", who="alice") == "authorization"
        assert isinstance(await scene.log_in("bob", who="bob"), MutualIdentity)

    make()(story)


def test_a_proof_is_for_one_exchange_and_one_mechanism(make: Callable[..., Tell]) -> None:
    """conformance: 5802-S-06"""

    async def story(scene: Scene) -> None:
        request = SaltRequest("bob", "SCRAM-SHA-256")
        asked = proof_of("bob", b"secret", await scene.authenticator.salt(request, PEER))
        for other in (
            asked._replace(auth_message=asked.auth_message + b"x"),
            asked._replace(mechanism="SCRAM-SHA-1"),
            asked._replace(name="alice"),
            asked._replace(proof=type(asked.proof)(asked.proof.reveal()[:-1])),
            asked._replace(proof=type(asked.proof)(b"")),
        ):
            with pytest.raises(AuthenticationFailed):
                await scene.authenticator.authenticate(other, PEER)

    make()(story)


def test_the_work_is_the_same(make: Callable[..., Tell]) -> None:
    """conformance: 1939-S-66"""

    async def story(scene: Scene) -> None:
        await scene.log_in("first")
        seen = {}
        for name in ("bob", "gone", "nobody", "old", "broken"):
            scene.took()
            await scene.log_in(name, b"wrong")
            seen[name] = scene.took()
        # Two for the account, and two spellings of the password of every stand-in for a device.
        assert set(seen.values()) == {("sign", "check_proof") * (2 + 2 * ROUNDS)}

    make()(story)


def test_the_work_is_the_same_where_it_is_derived(make: Callable[..., Tell], file: Path) -> None:
    """conformance: 1939-S-66"""
    file.write_text("plain:{PLAIN}secret\n")

    async def story(scene: Scene) -> None:
        await scene.log_in("plain")
        for name in ("plain", "nobody"):
            scene.took()
            await scene.log_in(name, b"wrong")
            assert scene.took().count("derive") == 1, name

    make(passwd_file=file, accounts=False, verifies=("SCRAM-SHA-256",))(story)


def test_every_wrong_proof_counts(make: Callable[..., Tell]) -> None:
    """Which password it was made with cannot be told, so none repeats another."""

    async def story(scene: Scene) -> None:
        for _ in range(4):
            await scene.log_in("bob", b"wrong")
        assert scene.slept == []
        for _ in range(2):
            await scene.log_in("bob", b"wrong")
        assert len(scene.slept) == 2
        assert isinstance(await scene.log_in("bob", address="198.51.100.1"), MutualIdentity)
        assert len(scene.slept) == 2

    make(throttle=ThrottleOptions(free_failures=3))(story)


# ---- salts


def test_a_name_has_the_same_salt_each_time(make: Callable[..., Tell], tmp_path: Path) -> None:
    """conformance: 5802-S-14"""

    async def story(scene: Scene) -> None:
        other = InProcessAuthenticator(options(tmp_path / "state", hashing=FAST), scene.log)
        salts = {}
        for name in ("bob", "gone", "old", "broken", "nobody", "another", "../bob", "\ud800"):
            for mechanism in MECHANISMS:
                request = SaltRequest(name, mechanism)
                found = {await each.salt(request, PEER) for each in (scene.authenticator, other)}
                assert len(found) == 1
                (salts[name, mechanism],) = found
        for name in ("bob", "nobody"):
            assert salts[name, "SCRAM-SHA-256"] == salts[name, "SCRAM-SHA-256-PLUS"]
            assert salts[name, "SCRAM-SHA-256"] != salts[name, "SCRAM-SHA-1"]
        assert len({each.salt for each in salts.values()}) == len(salts) / 2
        assert {(len(each.salt), each.iterations) for each in salts.values()} == {(16, 4_096)}
        nobody = await scene.authenticator.salt(SaltRequest("NOBODY", "SCRAM-SHA-1"), PEER)
        assert nobody == salts["nobody", "SCRAM-SHA-1"]
        await other.close()
        assert scene.log.events == []

    make()(story)


def test_unknown_names_look_like_those_there_are(make: Callable[..., Tell]) -> None:
    """Accounts of before the setting was changed have other iterations."""

    async def story(scene: Scene) -> None:
        for name in ("old", "broken"):
            scene.database.remove(name)
        for name in "cfhjlmpstwz":
            scene.database.add(name, HASH, scram=verifiers(b"secret", 5_000))
        seen = [
            (await scene.authenticator.salt(SaltRequest(f"nobody{n}", MECHANISMS[0]), PEER))[1]
            for n in range(100)
        ]
        assert set(seen) == {4_096, 5_000}

    make(hashing=replace(FAST, scram_iterations=6_000))(story)


def test_salts_for_nothing_are_bounded(make: Callable[..., Tell]) -> None:
    async def story(scene: Scene) -> None:
        request = SaltRequest("nobody", "SCRAM-SHA-256")
        for _ in range(UNPROVED_AT_ONCE):
            await scene.authenticator.salt(request, PEER)
        for name in ("nobody", "bob"):
            with pytest.raises(TemporaryFailure, match="too many logins at once"):
                await scene.authenticator.salt(SaltRequest(name, "SCRAM-SHA-256"), PEER)
        assert isinstance(await scene.log_in("bob", address="192.0.2.2"), MutualIdentity)
        scene.clock.now += 1
        for _ in range(200):
            assert isinstance(await scene.log_in("bob"), MutualIdentity)

    make()(story)


def test_no_secret_shows(make: Callable[..., Tell], file: Path) -> None:
    async def story(scene: Scene) -> None:
        claimed = scene.database.look_up("broken")
        judge = scene.authenticator._judges._scram
        shown = f"{claimed!r} {vars(scene.authenticator)!r} {vars(judge)!r}"
        assert "kanarienvogel" not in shown
        await scene.log_in("broken")
        assert "kanarienvogel" not in repr(scene.log.events)

    make(passwd_file=file, verifies=("SCRAM-SHA-256",))(story)


def test_the_defaults() -> None:
    """conformance: 5802-S-07"""
    assert HashOptions().scram == ("SCRAM-SHA-256",)
    assert HashOptions().scram_iterations == 32_768

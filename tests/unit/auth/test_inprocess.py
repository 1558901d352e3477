"""The authenticator itself: the same refusal and the same work whoever is asked for."""

import asyncio
import os
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from restante.auth import hashes
from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.hashes import hash_password
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.messages import Login, login_frame, read_login
from restante.auth.options import AuthOptions, CacheOptions, HashOptions, ThrottleOptions
from restante.auth.passwd_file import PasswdFile
from restante.auth.throttle import RUSH
from restante.errors import AuthenticationFailed, Refusal, TemporaryFailure
from restante.identity import Identity, PasswordCredentials
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import (
    CHEAP,
    PATIENCE_SECONDS,
    PEER,
    Clock,
    credentials,
    options,
    peer,
    run,
    turns,
)
from unit.auth.test_names import HOSTILE

from conftest import require

Work = tuple[str, ...]


class Scene:
    """An authenticator whose hashes are counted and whose time is the test's."""

    def __init__(self, settings: AuthOptions, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.state_directory.joinpath("auth").mkdir(parents=True, exist_ok=True)
        self.database = AccountsDatabase(settings.state_directory / FILE_NAME)
        self.log = RecordingLog()
        self.clock = Clock()
        self.slept: list[float] = []
        self.work: list[str] = []
        """What was hashed, without its salt and digest."""
        self.gate = threading.Event()
        self.gate.set()
        verify = hashes.verify

        def counted(stored: str, password: bytes) -> bool:
            self.work.append(cost(stored))
            assert self.gate.wait(PATIENCE_SECONDS)
            return verify(stored, password)

        monkeypatch.setattr(hashes, "verify", counted)
        self.authenticator = InProcessAuthenticator(
            settings, self.log, clock=self.clock, sleep=self._sleep
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def add(self, name: str, password: str = "secret", *, hashing: HashOptions = CHEAP) -> None:
        self.database.add(name, hash_password(password.encode(), hashing), f"/mail/{name}")

    async def log_in(
        self,
        name: str,
        password: str | bytes = "secret",
        *,
        address: str = PEER.address,
        who: str = "",
    ) -> Identity | str:
        """Return the identity, or why there is none."""
        asked = credentials(name, password, authorization_name=who)
        try:
            return await self.authenticator.authenticate(asked, peer(address))
        except AuthenticationFailed as error:
            refusal = error
        assert (refusal.text, refusal.code) == ("authentication failed", "AUTH")
        assert refusal.__cause__ is None
        return str(refusal.reason)

    def took(self) -> Work:
        """Return the work done since this was asked last."""
        work, self.work[:] = tuple(self.work), []
        return work


def cost(stored: str) -> str:
    scheme, _, text = hashes.split(stored)
    parts = text.split("$")
    if scheme.startswith("ARGON2"):
        return f"{scheme} {parts[3]}"
    return f"{scheme} {'$'.join(parts[1:3]) if 'rounds' in text else ''}".strip()


@pytest.fixture
def make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Callable[[Callable[[Scene], Coroutine[Any, Any, None]]], None]]:
    """Return what tells a story with an authenticator of the given options."""

    def with_options(
        **settings: Any,
    ) -> Callable[[Callable[[Scene], Coroutine[Any, Any, None]]], None]:
        @asynccontextmanager
        async def there() -> Any:
            scene = Scene(options(tmp_path / "state", **settings), monkeypatch)
            yield scene
            await scene.authenticator.close()
            scene.database.close()

        def tell(story: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
            async def told() -> None:
                async with there() as scene:
                    await story(scene)

            run(told())

        return tell

    return with_options


Make = Callable[..., Callable[[Callable[[Scene], Coroutine[Any, Any, None]]], None]]


# ---- who gets in


def test_a_right_password(make: Make) -> None:
    """conformance: 4616-S-04"""

    async def story(scene: Scene) -> None:
        scene.add("bob@example.org")
        for name in ("bob", "BOB", "bob@example.org", "\uff22ob"):
            assert await scene.log_in(name) == Identity(
                "bob@example.org", "accounts", "/mail/bob@example.org"
            )

    make(default_domain="example.org")(story)


def test_acting_for_others_is_granted_to_nobody(make: Make) -> None:
    """conformance: 4422-S-03"""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        scene.add("alice")
        for who in ("bob", "BOB", ""):
            assert isinstance(await scene.log_in("bob", who=who), Identity)
        for _ in range(2):  # the second time the password is in the cache
            for who in ("alice", "nobody", "..", "root\0"):
                assert await scene.log_in("bob", who=who) == "authorization"

    make()(story)


# ---- the same refusal, the same work


def test_every_refusal_costs_one_hash_of_the_same_kind(make: Make) -> None:
    """conformance: 1939-S-40, 1939-S-66"""

    async def story(scene: Scene) -> None:
        for name in ("bob", "gone", "locked"):
            scene.add(name)
        scene.database.disable("gone")
        scene.database.set_password("locked", "!")
        await scene.log_in("bob")
        scene.took()
        seen = {}
        for name, password in [
            ("bob", "wrong"),
            ("bob", ""),
            ("nobody", "secret"),
            ("nobody", ""),
            ("gone", "wrong"),
            ("gone", "secret"),
            ("locked", "secret"),
            *((name, "secret") for name in HOSTILE),
        ]:
            assert isinstance(await scene.log_in(name, password), str), (name, password)
            work = [kind for kind in scene.took() if kind.startswith("ARGON2ID")]
            seen[name, password] = work
        assert set(map(tuple, seen.values())) == {("ARGON2ID m=8,t=1,p=1",)}

    make()(story)


def test_the_reasons_are_for_the_log_alone(make: Make) -> None:
    """conformance: 3206-S-03"""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        scene.add("gone")
        scene.database.disable("gone")
        assert await scene.log_in("nobody") == "unknown"
        assert await scene.log_in("..") == "unknown"
        assert await scene.log_in("bob", "wrong") == "password"
        assert await scene.log_in("gone") == "disabled"
        assert await scene.log_in("gone", "wrong") == "password"

    make()(story)


def test_a_disabled_account_whose_password_is_cached_costs_as_much(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        await scene.log_in("bob")
        scene.database.disable("bob")
        scene.took()
        assert await scene.log_in("bob") == "disabled"
        assert scene.took() == ("ARGON2ID m=8,t=1,p=1",)

    make()(story)


def test_a_right_password_for_another_identity_costs_as_much(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        await scene.log_in("bob")
        scene.took()
        assert await scene.log_in("bob", who="alice") == "authorization"
        assert scene.took() == ("ARGON2ID m=8,t=1,p=1",)

    make()(story)


def test_unknown_users_cost_what_those_of_a_file_do(make: Make, tmp_path: Path) -> None:
    """With no account of our own kind, the usual hash would tell an unknown name."""
    stored = subprocess.run(
        [require("openssl"), "passwd", "-6", "-salt", "rounds=1000$seasalt", "secret"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.strip()
    file = tmp_path / "passwd"
    file.write_text("".join(f"user{n}:{{SHA512-CRYPT}}{stored}\n" for n in range(5)))

    async def story(scene: Scene) -> None:
        assert isinstance(await scene.log_in("user3"), Identity)
        scene.took()
        for name, password in [("user1", "wrong"), ("nobody", "secret"), ("..", "x"), ("bob", "x")]:
            assert isinstance(await scene.log_in(name, password), str)
            assert scene.took() == ("SHA512-CRYPT 6$rounds=1000",)

    make(passwd_file=file)(story)


def test_unknown_users_of_a_mixed_file_cost_what_one_of_it_does(make: Make, tmp_path: Path) -> None:
    """Each always the same, and all kinds: neither repeating nor comparing tells them apart."""
    file = tmp_path / "passwd"
    dear = hash_password(b"secret", HashOptions(memory_kib=16, passes=1))
    file.write_text(f"alice:{{PLAIN}}secret\nbob:{dear}\n")

    async def story(scene: Scene) -> None:
        scene.add("carol", hashing=HashOptions(memory_kib=32, passes=1))
        seen = set()
        for number in range(40):
            await scene.log_in(f"nobody{number}")
            work = scene.took()
            await scene.log_in(f"nobody{number}", "another")
            assert scene.took() == work
            seen.add(work)
        assert seen == {
            ("PLAIN",),
            ("ARGON2ID m=16,t=1,p=1",),
            ("ARGON2ID m=32,t=1,p=1",),
        }

    make(passwd_file=file)(story)


def test_a_stored_password_that_cannot_be_read_is_told_to_the_log(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        scene.database.set_password("bob", "{DIGEST-MD5}4096abc")
        assert await scene.log_in("bob") == "password"
        assert scene.log.named(Event.WARNING) == [
            {
                "reason": "a password of scheme DIGEST-MD5 cannot be compared with",
                "user": "bob",
            }
        ]

    make()(story)


# ---- the cache


def test_a_warm_login_costs_no_hash(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        await scene.log_in("bob")
        scene.took()
        assert isinstance(await scene.log_in("bob"), Identity)
        assert scene.took() == ()
        assert await scene.log_in("bob", "wrong") == "password"
        assert len(scene.took()) == 1

    make()(story)


def test_changes_count_at_once_for_a_warm_login(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob", "old")
        await scene.log_in("bob", "old")
        scene.database.set_password("bob", hash_password(b"new", CHEAP))
        assert await scene.log_in("bob", "old") == "password"
        assert isinstance(await scene.log_in("bob", "new"), Identity)
        scene.database.disable("bob")
        assert await scene.log_in("bob", "new") == "disabled"
        scene.database.enable("bob")
        assert isinstance(await scene.log_in("bob", "new"), Identity)
        scene.database.remove("bob")
        assert await scene.log_in("bob", "new") == "unknown"
        scene.add("bob", "other")
        assert await scene.log_in("bob", "new") == "password"

    make()(story)


def test_a_warm_login_of_a_suspected_network_costs_no_hash_either(make: Make) -> None:
    """One who mistypes must not make everybody near pay for it."""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        await scene.log_in("bob")
        await scene.log_in("alice", "wrong")
        scene.took()
        assert isinstance(await scene.log_in("bob"), Identity)
        assert scene.took() == ()

    make(throttle=ThrottleOptions())(story)


def test_a_warm_login_does_not_prolong_itself(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        await scene.log_in("bob")
        await scene.log_in("alice", "wrong")
        for _ in range(2):
            scene.clock.now += 25
            await scene.log_in("bob")
        scene.clock.now += 11
        scene.took()
        assert isinstance(await scene.log_in("bob"), Identity)
        assert len(scene.took()) == 1

    make(throttle=ThrottleOptions(), cache=CacheOptions(seconds=60))(story)


def test_at_once_is_only_what_is_warm(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        right, wrong = credentials("bob", "secret"), credentials("bob", "wrong")
        at_once = scene.authenticator.authenticate_at_once
        assert at_once(right, PEER) is None
        await scene.log_in("bob")
        assert at_once(right, PEER) == Identity("bob", "accounts", "/mail/bob")
        assert at_once(wrong, PEER) is None
        assert at_once(credentials("bob", "secret", authorization_name="eve"), PEER) is None
        await scene.log_in("eve", "wrong")
        assert at_once(right, PEER) is None, "a suspected network has to wait for its turn"
        assert at_once(right, peer("198.51.100.1")) is not None

    make(throttle=ThrottleOptions())(story)


# ---- regulars


def recognised(scene: Scene, asked: PasswordCredentials, address: str = PEER.address) -> bool:
    """Say whether a login that comes alone is met as a regular's."""
    scene.authenticator.refresh()
    login = sent(asked, address)
    regular = scene.authenticator.recognise(login)
    if regular is None:
        return False
    assert regular.identity == scene.authenticator.authenticate_at_once(asked, peer(address))
    return True


def sent(asked: PasswordCredentials, address: str = PEER.address) -> Login:
    head, *fields = login_frame(1, asked, peer(address))
    return read_login(head[9:] + b"".join(fields))


def test_a_regular_is_who_was_admitted_at_once(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        right, wrong = credentials("bob", "secret"), credentials("bob", "wrong")
        await scene.log_in("bob")
        assert not recognised(scene, right), "the first may be older than the last look"
        assert isinstance(await scene.log_in("bob"), Identity)
        assert recognised(scene, right)
        assert not recognised(scene, wrong)
        assert not recognised(scene, credentials("bob", ""))
        assert not recognised(scene, credentials("alice", "secret"))
        for who in ("bob", "eve"):
            assert not recognised(scene, credentials("bob", "secret", authorization_name=who))
        name, authorization_name, _, mechanism, session, password = sent(right)
        garbled = (name, authorization_name, b"\xff", mechanism, session, password)
        assert scene.authenticator.recognise(garbled) is None

    make()(story)


def test_a_regular_is_known_by_the_name_that_is_sent(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob@example.org")
        await scene.log_in("bob")
        scene.authenticator.refresh()
        for name in ("bob", "Bob", "bob@example.org"):
            await scene.log_in(name)
            assert recognised(scene, credentials(name, "secret"))
        assert not recognised(scene, credentials("BOB", "secret"))

    make(default_domain="example.org")(story)


async def met(scene: Scene, password: str = "secret") -> None:
    """Make a regular of bob."""
    await scene.log_in("bob", password)
    scene.authenticator.refresh()
    await scene.log_in("bob", password)
    assert recognised(scene, credentials("bob", password))


def test_changes_count_at_once_for_a_regular(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob", "old")
        scene.add("alice")
        await met(scene, "old")
        scene.database.set_password("bob", hash_password(b"new", CHEAP))
        assert not recognised(scene, credentials("bob", "old"))
        await met(scene, "new")
        scene.database.disable("bob")
        assert not recognised(scene, credentials("bob", "new"))
        scene.database.enable("bob")
        await met(scene, "new")
        scene.database.remove("bob")
        assert not recognised(scene, credentials("bob", "new"))

    make()(story)


def test_a_changed_file_counts_at_once_for_a_regular(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "passwd"

    def write(text: str, age: int) -> None:
        file.write_text(text)
        os.utime(file, (age, age))

    async def story(scene: Scene) -> None:
        source = scene.authenticator._sources._sources[1]
        assert isinstance(source, PasswdFile)
        # Nobody is a regular by a file that was changed in this very moment.
        source._clock = lambda: time.time() + 3_600
        write("bob:{PLAIN}old\n", 1)
        await met(scene, "old")
        write("bob:{PLAIN}new\n", 1)
        assert not recognised(scene, credentials("bob", "old")), "not by its time alone"
        await met(scene, "new")
        write("bob:{PLAIN}new::::::nologin\n", 2)
        assert not recognised(scene, credentials("bob", "new"))
        write("bob:{PLAIN}new\n", 3)
        await met(scene, "new")
        scene.add("bob", "first")
        assert not recognised(scene, credentials("bob", "new")), "the first source decides"

    make(passwd_file=file)(story)


def test_what_was_looked_up_before_a_change_makes_no_regular(make: Make) -> None:
    """A hash takes its time: the account may have been disabled meanwhile."""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        scene.gate.clear()
        login = asyncio.create_task(scene.log_in("bob"))
        await turns()
        scene.database.disable("bob")
        scene.authenticator.refresh()
        scene.gate.set()
        await login
        assert not recognised(scene, credentials("bob", "secret"))

    make()(story)


def test_a_regular_waits_where_others_wait(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        await met(scene)
        right = credentials("bob", "secret")
        await scene.log_in("eve", "wrong")
        assert not recognised(scene, right), "a suspected network has to wait for its turn"
        assert recognised(scene, right, "198.51.100.1")
        for number in range(20):
            await scene.log_in("bob", f"wrong{number}", address=f"203.0.{number}.1")
        assert recognised(scene, right, "198.51.100.2"), "its network was let in lately"
        assert not recognised(scene, right, "198.51.101.1"), "the account's own delay"
        scene.clock.now += 100_000
        assert not recognised(scene, right), "the cache has forgotten"

    make(throttle=ThrottleOptions())(story)


def test_a_regulars_login_is_a_success_for_the_throttle(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        await met(scene)
        scene.clock.now += ThrottleOptions().forget_after_seconds
        assert recognised(scene, credentials("bob", "secret"))
        scene.clock.now += 1
        for number in range(20):
            await scene.log_in("bob", f"wrong{number}", address=f"203.0.{number}.1")
        assert recognised(scene, credentials("bob", "secret"))

    make(throttle=ThrottleOptions(), cache=CacheOptions(seconds=1_000_000))(story)


# ---- the throttle


def test_failures_are_delayed_before_they_are_looked_at(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        for number in range(7):
            await scene.log_in("bob", f"wrong{number}")
        assert scene.slept == [2.0, 4.0, 8.0]
        assert [fields["seconds"] for fields in scene.log.named(Event.AUTH_DELAYED)] == scene.slept
        assert isinstance(await scene.log_in("bob"), Identity)
        assert scene.slept[3:] == [15.0]
        assert isinstance(await scene.log_in("bob", address="198.51.100.1"), Identity)
        assert scene.slept[4:] == [2.0], "elsewhere it is the account's own delay alone"

    make(throttle=ThrottleOptions())(story)


def test_a_delayed_login_holds_no_thread(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        scene.add("alice")
        for number in range(5):
            await scene.log_in("bob", f"wrong{number}")
        forever = asyncio.Event()

        async def never(seconds: float) -> None:
            await forever.wait()

        scene.authenticator._gate._sleep = never
        scene.took()
        held = [asyncio.create_task(scene.log_in("bob", str(n))) for n in range(10)]
        await turns()
        assert isinstance(await scene.log_in("alice", address="198.51.100.1"), Identity)
        assert len(scene.took()) == 1
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)

    make(throttle=ThrottleOptions())(story)


def test_hostile_names_are_counted_apart_and_short(make: Make) -> None:
    """What is remembered of a failure must not grow with what a client sends."""

    async def story(scene: Scene) -> None:
        for number in range(20):
            await scene.log_in(f"{number}/" + "x" * 9_000, "Summer2026")
        throttle = scene.authenticator._throttle
        assert max(map(len, throttle._failures)) < 100
        assert len(throttle._failures) == 22
        assert scene.slept[-1] == 15.0

    make(throttle=ThrottleOptions())(story)


def test_parallel_guesses_of_one_network_take_turns(make: Make) -> None:
    """And an honest login from elsewhere does not wait for them."""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        await scene.log_in("bob", "wrong", address="192.0.2.1")
        scene.gate.clear()
        scene.took()
        order: list[str] = []

        async def ask(name: str, address: str, password: str) -> None:
            await scene.log_in("bob", password, address=address)
            order.append(name)

        guesses = [
            asyncio.create_task(ask(f"guess {n}", f"192.0.2.{n}", f"wrong {n}")) for n in range(20)
        ]
        await turns(10)
        while not scene.work:
            await asyncio.sleep(0)
        assert len(scene.work) == 1
        honest = asyncio.create_task(ask("honest", "198.51.100.1", "secret"))
        # It is worked on beside the first guess, while all others wait.
        async with asyncio.timeout(30):
            while len(scene.work) < 2:
                await asyncio.sleep(0)
        scene.gate.set()
        await asyncio.gather(honest, *guesses)
        # The one that has failed before comes last.
        expected = [f"guess {n}" for n in (0, *range(2, 20), 1)]
        assert [name for name in order if name != "honest"] == expected

    make(throttle=ThrottleOptions())(story)


# ---- what is given up, and what cannot be said


def test_a_login_given_up_in_the_queue_is_never_hashed(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")
        scene.gate.clear()
        asked = [
            asyncio.create_task(scene.log_in("bob", f"wrong {n}", address=f"203.0.{n}.1"))
            for n in range(10)
        ]
        while len(scene.work) < 2:
            await asyncio.sleep(0)
        for task in asked[2:]:
            task.cancel()
        await turns()
        scene.gate.set()
        await asyncio.gather(*asked, return_exceptions=True)
        assert len(scene.work) == 2
        assert isinstance(await scene.log_in("bob"), Identity)

    make()(story)


def test_guesses_given_up_count(make: Make) -> None:
    """Whoever is remembered is let in at once: a client that hears nothing knows enough to go."""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        assert isinstance(await scene.log_in("bob"), Identity)
        scene.gate.clear()
        guesser = "203.0.113.1"
        for number in range(ThrottleOptions().free_failures + 1):
            guess = asyncio.create_task(scene.log_in("bob", f"wrong {number}", address=guesser))
            await turns()
            guess.cancel()
            await asyncio.gather(guess, return_exceptions=True)
        scene.gate.set()
        assert scene.authenticator.throttle.delay(guesser, "bob") == 2.0
        assert scene.authenticator.throttle.flood_level() == 0.0
        assert isinstance(await scene.log_in("bob", address=guesser), Identity)
        assert scene.slept == [2.0]

    make(throttle=ThrottleOptions())(story)


def test_of_guesses_in_the_same_moment_few_are_told_at_once(make: Make) -> None:
    """None of them has failed yet, and whoever is right among many would be let in meanwhile."""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        assert isinstance(await scene.log_in("bob"), Identity)
        authenticator, guesser = scene.authenticator, peer("203.0.113.1")
        for number in range(RUSH):
            guess = credentials("bob", f"wrong {number}")
            assert authenticator.authenticate_at_once(guess, guesser) is None
        right = credentials("bob", "secret")
        assert authenticator.authenticate_at_once(right, guesser) is None
        # From where bob is known he is let in all the same, and so is everybody from elsewhere.
        for address in (PEER.address, "198.51.100.1"):
            assert authenticator.authenticate_at_once(right, peer(address)) is not None
        # Who waits for a turn gets in as well.
        assert (await authenticator.look_into(right, guesser)).name == "bob"

    make(throttle=ThrottleOptions())(story)


def test_a_delayed_login_given_up_counts_nothing(make: Make) -> None:
    """It was told nothing, and a client that goes and comes again is not to be held up longer."""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        for number in range(ThrottleOptions().free_failures + 1):
            await scene.log_in("bob", f"wrong {number}")
        forever = asyncio.Event()

        async def never(seconds: float) -> None:
            await forever.wait()

        scene.authenticator._gate._sleep = never
        for number in range(10):
            waiting = asyncio.create_task(scene.log_in("bob", f"other {number}"))
            await turns()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        assert scene.authenticator.throttle.delay(PEER.address, "bob") == 2.0

    make(throttle=ThrottleOptions())(story)


def test_too_many_at_once_is_temporary(make: Make) -> None:
    """conformance: 3206-S-01, 3206-S-04"""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        scene.gate.clear()
        asked = [
            asyncio.create_task(
                scene.authenticator.authenticate(
                    credentials("bob", "secret"), peer(f"203.{n >> 8}.{n & 255}.1")
                )
            )
            for n in range(100)
        ]
        await turns(10)
        scene.gate.set()
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
        assert {type(outcome) for outcome in refused} == {TemporaryFailure}
        assert len(refused) == 100 - CHEAP.threads - CHEAP.queue
        assert scene.authenticator._throttle.delay("203.0.0.1", "bob") == 0.0

    make()(story)


def test_a_crowd_from_everywhere_does_not_keep_regulars_out(make: Make) -> None:
    """threats: A3, A4"""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        await scene.log_in("bob", address="198.51.100.1")
        scene.clock.now += 4_000  # the cache has forgotten
        scene.gate.clear()
        crowd = [
            asyncio.create_task(scene.log_in("bob", "wrong", address=f"203.{n >> 8}.{n & 255}.1"))
            for n in range(100)
        ]
        await turns(10)
        regular = asyncio.create_task(scene.log_in("bob", address="198.51.100.7"))
        await turns(10)
        scene.gate.set()
        assert isinstance(await regular, Identity)
        outcomes = await asyncio.gather(*crowd, return_exceptions=True)
        assert sum(isinstance(each, TemporaryFailure) for each in outcomes) >= 30

    make()(story)


def test_a_source_that_cannot_say_is_temporary(make: Make) -> None:
    """conformance: 3206-S-01"""

    async def story(scene: Scene) -> None:
        scene.add("bob")
        scene.database.close()
        (scene.database._path).write_bytes(b"no database" * 100)
        for name in ("bob", "nobody"):
            for _ in range(2):
                with pytest.raises(TemporaryFailure):
                    await scene.log_in(name)
        assert scene.work == []

    make()(story)


def test_too_little_memory_is_temporary(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob")

        def fail(stored: str, password: bytes) -> bool:
            raise MemoryError

        monkeypatch.setattr(hashes, "verify", fail)
        for name in ("bob", "nobody"):
            with pytest.raises(TemporaryFailure) as caught:
                await scene.log_in(name)
            assert caught.value.reason == "not enough memory for a hash"
        assert len(scene.authenticator._throttle) == 0

    make()(story)


def test_a_password_is_in_no_event(make: Make) -> None:
    async def story(scene: Scene) -> None:
        scene.add("bob", "kanarienvogel")
        for name, password in [("bob", "kanarienvogel"), ("eve", "kanarienvogel"), ("bob", "x")]:
            await scene.log_in(name, password)
        scene.database.set_password("bob", "{SHA}kanarienvogel")
        for number in range(5):
            await scene.log_in("bob", f"kanarienvogel{number}")
        assert scene.log.events
        assert "kanarienvogel" not in repr(scene.log.events)
        asked = credentials("bob", "kanarienvogel")
        assert isinstance(asked, PasswordCredentials)
        assert "kanarienvogel" not in repr(asked)

    make(throttle=ThrottleOptions())(story)

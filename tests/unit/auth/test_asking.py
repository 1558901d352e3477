"""Logins by sources that are asked: in their order, and nobody else notices when they fail."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.asked import AskedFinder, AskedVerifier
from restante.auth.asking import Answer
from restante.auth.hashes import hash_password
from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.messages import Login, login_frame, read_login
from restante.auth.options import AskingOptions, ThrottleOptions
from restante.auth.scram_verifiers import make as make_verifier
from restante.auth.sources import Source
from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.identity import CertificateCredentials, Identity, SaltRequest
from restante.telemetry import RecordingLog
from unit.auth.asking_scene import FakeFinder, FakeVerifier
from unit.auth.scene import (
    CHEAP,
    NO_THROTTLE,
    PEER,
    Clock,
    credentials,
    options,
    peer,
    proof_of,
    run,
    turns,
)

BOUNDS = AskingOptions(deadline_seconds=60.0, at_once=4, remember_seconds=10.0, floor_seconds=0.5)
PASSWORD = hash_password(b"secret", CHEAP)
OTHER = hash_password(b"other", CHEAP)
SCRAM = "SCRAM-SHA-256"


class Scene:
    """Our own database with bob, and sources that are asked, in some order."""

    def __init__(self, directory: Path, order: str, throttle: ThrottleOptions) -> None:
        (directory / "auth").mkdir()
        database = self.database = AccountsDatabase(
            directory / FILE_NAME, frozenset({"PLAIN", SCRAM})
        )
        database.add("bob", PASSWORD, None, make_verifier(SCRAM, b"secret", 4_096))
        self.finder = FakeFinder({"carol": PASSWORD, "bob": OTHER})
        self.verifier = FakeVerifier({"dave": "secret", "bob": "third"})
        self.willing = FakeVerifier({"dave": "secret"}, otherwise=Answer.NOT_MINE)
        self.clock, self.slept, log = Clock(), list[float](), RecordingLog()
        made: dict[str, Source] = {
            "a": database,
            "f": AskedFinder(self.finder, BOUNDS, log, self.clock),
            "v": AskedVerifier(self.verifier, BOUNDS, log, self.clock),
            "w": AskedVerifier(self.willing, BOUNDS, log, self.clock),
        }
        self.authenticator = InProcessAuthenticator(
            options(directory, throttle=throttle),
            log,
            clock=self.clock,
            sleep=self._sleep,
            sources=[made[each] for each in order],
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def log_in(self, name: str, password: str, address: str = PEER.address) -> str:
        """Return which source let somebody in, or what kept them out."""
        try:
            identity = await self.authenticator.authenticate(
                credentials(name, password), peer(address)
            )
        except AuthenticationFailed as error:
            return f"-{error.reason}"
        except TemporaryFailure as error:
            return f"?{error.text}"
        return identity.source

    def at_once(self, name: str, password: str = "secret") -> Identity | None:
        return self.authenticator.authenticate_at_once(credentials(name, password), PEER)


def sent(name: str) -> Login:
    head, *fields = login_frame(1, credentials(name, "secret"), PEER)
    return read_login(head[9:] + b"".join(fields))


Story = Callable[[Scene], Coroutine[Any, Any, None]]
Tell = Callable[..., None]


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    def told(order: str, story: Story, throttle: ThrottleOptions = NO_THROTTLE) -> None:
        async def there() -> None:
            scene = Scene(tmp_path, order, throttle)
            try:
                await story(scene)
            finally:
                await scene.authenticator.close()

        run(there())

    return told


def test_a_stored_password_is_compared_here(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        assert await scene.log_in("carol", "secret") == "finder"
        assert await scene.log_in("carol", "wrong") == "-password"
        assert await scene.log_in("nobody", "secret") == "-unknown"
        assert scene.finder.asked == ["carol", "nobody"]

    tell("af", story)


def test_a_verifier_says_yes_or_no(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        assert await scene.log_in("dave", "secret") == "verifier"
        assert await scene.log_in("dave", "wrong") == "-password"
        assert await scene.log_in("nobody", "secret") == "-password"

    tell("av", story)


def test_the_first_that_knows_a_name_decides(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        assert await scene.log_in("bob", "secret") == "accounts"
        assert await scene.log_in("bob", "other") == "-password"
        assert scene.finder.asked == scene.verifier.asked == []

    tell("afv", story)


def test_a_finder_in_front_decides(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        assert await scene.log_in("bob", "other") == "finder"
        assert await scene.log_in("bob", "secret") == "-password"
        scene.finder.accounts.clear()
        scene.clock.now += 11
        assert await scene.log_in("bob", "secret") == "accounts"

    tell("fa", story)


def test_the_no_of_a_verifier_ends_the_search(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        assert await scene.log_in("bob", "secret") == "-password"
        assert await scene.log_in("bob", "third") == "verifier"
        assert await scene.log_in("carol", "secret") == "-password"
        assert scene.finder.asked == []

    tell("vaf", story)


def test_a_verifier_that_disowns_a_name_lets_the_next_decide(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        assert await scene.log_in("bob", "secret") == "accounts"
        assert await scene.log_in("carol", "secret") == "finder"
        assert await scene.log_in("dave", "secret") == "verifier"
        assert await scene.log_in("dave", "wrong") == "-password"

    tell("waf", story)


def test_a_source_that_cannot_say_ends_the_search(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        scene.finder.fails = OSError()
        for name in ("bob", "carol", "nobody"):
            assert await scene.log_in(name, "secret") == f"?{TemporaryFailure.default_text}"

    tell("fa", story)


@pytest.mark.parametrize("order", ["af", "av"])
def test_accounts_in_front_notice_nothing_of_one_that_hangs(tell: Tell, order: str) -> None:
    async def story(scene: Scene) -> None:
        scene.finder.answers.clear()
        scene.verifier.answers.clear()
        hanging = [
            asyncio.create_task(scene.log_in(f"user{number}", "secret", f"192.0.2.{number}"))
            for number in range(30)
        ]
        await turns(20)
        assert await scene.log_in("bob", "secret", "192.0.2.200") == "accounts"
        assert await scene.log_in("bob", "wrong", "192.0.2.201") == "-password"
        assert await scene.log_in("bob", "secret", "192.0.2.201") == "accounts"
        assert not any(task.done() for task in hanging)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)

    tell(order, story)


def test_who_is_delayed_holds_up_nobody_in_front_either(tell: Tell) -> None:
    """A verifier is asked behind the delay, since each question is a guess."""

    async def story(scene: Scene) -> None:
        for _ in range(3):
            assert await scene.log_in("dave", f"wrong{_}") == "-password"
        scene.verifier.answers.clear()
        hanging = asyncio.create_task(scene.log_in("dave", "secret"))
        await turns(20)
        assert scene.slept[-1] >= 2
        assert await scene.log_in("bob", "secret") == "accounts"
        assert not hanging.done()
        scene.verifier.answers.set()
        assert await hanging == "verifier"

    tell("av", story, ThrottleOptions(free_failures=2))


def test_failures_of_a_source_count_against_nobody(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        for source in (scene.finder, scene.verifier):
            source.fails = OSError()
        for number in range(20):
            assert (
                await scene.log_in("carol", f"secret{number}")
                == f"?{TemporaryFailure.default_text}"
            )
        assert scene.slept == []
        assert not scene.authenticator.throttle.delay(PEER.address, "carol")

    tell("av", story, ThrottleOptions(free_failures=1))


@pytest.mark.parametrize(("order", "name"), [("af", "carol"), ("aw", "dave")])
def test_what_was_right_is_right_at_once_for_a_while(tell: Tell, order: str, name: str) -> None:
    async def story(scene: Scene) -> None:
        assert scene.at_once(name) is None
        await scene.log_in(name, "secret")
        assert scene.at_once(name) is not None
        assert scene.at_once(name, "wrong") is None
        assert scene.finder.asked + scene.willing.asked == [name]
        scene.clock.now += 11
        assert scene.at_once(name) is None

    tell(order, story)


def test_who_is_behind_a_verifier_is_never_let_in_without_asking_it(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        for count in (1, 2):
            assert await scene.log_in("bob", "secret") == "accounts"
            assert scene.willing.asked == ["bob"] * count
            assert scene.at_once("bob") is None

    tell("wa", story)


def test_a_password_that_was_changed_is_worth_nothing_after_that_while(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        assert await scene.log_in("dave", "secret") == "verifier"
        assert await scene.log_in("carol", "secret") == "finder"
        scene.verifier.passwords["dave"] = "new"
        scene.finder.accounts["carol"] = OTHER
        scene.clock.now += 11
        assert await scene.log_in("dave", "new") == "verifier"
        assert await scene.log_in("carol", "other") == "finder"
        for name in ("dave", "carol"):
            assert scene.at_once(name) is None
            assert await scene.log_in(name, "secret") == "-password"

    tell("fv", story)


def test_who_is_kept_is_still_asked_about_another_password(tell: Tell) -> None:
    """Nobody gets in by an account that was proved with another password."""

    async def story(scene: Scene) -> None:
        assert await scene.log_in("dave", "secret") == "verifier"
        assert await scene.log_in("dave", "") == "-password"
        assert await scene.log_in("dave", "other") == "-password"
        assert scene.verifier.asked == ["dave"] * 3

    tell("v", story)


def test_regulars_are_those_of_sources_in_front(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        authenticator = scene.authenticator
        authenticator.refresh()
        for name in ("bob", "carol"):
            await scene.log_in(name, "secret")
            await scene.log_in(name, "secret")
        authenticator.refresh()
        logins = {name: sent(name) for name in ("bob", "carol")}
        assert authenticator.recognise(logins["bob"]) is not None
        assert authenticator.recognise(logins["carol"]) is None

    tell("af", story)


def test_a_refusal_takes_as_long_as_the_floor(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        for name in ("bob", "carol", "dave", "nobody", "../nobody"):
            scene.slept.clear()
            assert (await scene.log_in(name, "wrong")).startswith("-")
            assert scene.slept == [0.5]
        scene.slept.clear()
        await scene.log_in("bob", "secret")
        assert scene.slept == []

    tell("afv", story)


def test_there_is_no_floor_where_nobody_is_asked(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        await scene.log_in("bob", "wrong")
        assert scene.slept == []

    tell("a", story)


def test_a_name_that_only_a_verifier_refused_may_be_a_password(tell: Tell) -> None:
    """The throttle writes down names of accounts alone."""

    async def story(scene: Scene) -> None:
        await scene.log_in("hunter2", "wrong")
        lasting = [
            failures.lasting
            for key, failures in scene.authenticator.throttle.newest_failures(10)
            if "hunter2" in key
        ]
        assert not any(lasting)

    tell("v", story)


def test_scram_goes_by_sources_in_front_and_asks_nobody(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        for name in ("bob", "carol", "nobody"):
            parameters = await scene.authenticator.salt(SaltRequest(name, SCRAM), PEER)
            proof = proof_of(name, b"secret", parameters)
            try:
                outcome = (await scene.authenticator.authenticate(proof, PEER)).source
            except AuthenticationFailed:
                outcome = "refused"
            assert outcome == ("accounts" if name == "bob" else "refused")
        assert scene.finder.asked == []

    tell("af", story)


def test_a_disabled_account_is_disabled(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        scene.finder._disabled = True
        assert await scene.log_in("carol", "secret") == "-disabled"
        assert scene.at_once("carol") is None

    tell("af", story)


def test_a_verifier_lets_nobody_act_for_others(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        asked = credentials("dave", "secret", authorization_name="bob")
        with pytest.raises(AuthenticationFailed):
            await scene.authenticator.authenticate(asked, PEER)
        assert scene.at_once("dave") is None

    tell("v", story)


def test_the_account_of_a_certificate_is_asked_for(tmp_path: Path) -> None:
    """One that only a password could prove is not there for anything else."""

    class Judged:
        name = "certificate"

        def __init__(self, holder: str) -> None:
            self._holder = holder

        def holder(self, certificate: bytes) -> str | None:
            return self._holder

    async def story() -> None:
        scene = Scene(tmp_path, "fv", NO_THROTTLE)
        judge = scene.authenticator._judges._by_kind[CertificateCredentials]
        for name, expected in (("carol", "finder"), ("dave", "refused")):
            judge._sources = [Judged(name)]  # type: ignore[attr-defined]
            try:
                shown = CertificateCredentials("", b"x")
                outcome = (await scene.authenticator.authenticate(shown, PEER)).source
            except AuthenticationFailed:
                outcome = "refused"
            assert outcome == expected
        assert scene.verifier.asked == []
        await scene.authenticator.close()

    run(story())

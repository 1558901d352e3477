"""Sources that are asked: bounded, kept for a while, and never a refusal when they fail."""

import asyncio

import pytest

from restante.auth.asked import AskedFinder, AskedVerifier
from restante.auth.asking import Answer, Asker
from restante.auth.options import AskingOptions
from restante.auth.sources import Account, Unasked
from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.secret import Secret
from restante.telemetry import Event, RecordingLog
from unit.auth.asking_scene import FakeFinder, FakeVerifier
from unit.auth.scene import Clock, run, turns

ASKER = Asker("192.0.2.0/24", 0)
OPTIONS = AskingOptions(remember_seconds=10.0)
PASSWORD = Secret(b"secret")


def finder(
    source: FakeFinder, options: AskingOptions = OPTIONS, *, log: RecordingLog | None = None
) -> tuple[AskedFinder, Clock]:
    clock = Clock()
    return AskedFinder(source, options, log or RecordingLog(), clock), clock


def verifier(source: FakeVerifier, options: AskingOptions = OPTIONS) -> tuple[AskedVerifier, Clock]:
    clock = Clock()
    return AskedVerifier(source, options, RecordingLog(), clock), clock


async def found(asked: AskedFinder, name: str = "bob") -> Account | None:
    return await asked.ask(name, None, ASKER)


def test_what_was_found_is_kept_for_a_while() -> None:
    async def story() -> None:
        source = FakeFinder({"bob": "1"})
        asked, clock = finder(source)
        with pytest.raises(Unasked):
            asked.look_up("bob")
        account = await found(asked)
        assert account is not None
        clock.now += 9.9
        assert asked.look_up("bob") is account
        assert await found(asked) is account
        assert source.asked == ["bob"]
        clock.now += 0.2
        with pytest.raises(Unasked):
            asked.look_up("bob")
        source.accounts["bob"] = "2"
        changed = await found(asked)
        assert changed is not None
        assert (changed.stored_password, source.asked) == ("2", ["bob", "bob"])

    run(story())


def test_nothing_is_kept_where_nothing_may_be() -> None:
    async def story() -> None:
        source = FakeFinder({"bob": "1"})
        asked, _ = finder(source, AskingOptions(remember_seconds=0))
        assert await found(asked) is not None
        with pytest.raises(Unasked):
            asked.look_up("bob")

    run(story())


def test_names_that_nobody_has_are_asked_for_each_time() -> None:
    async def story() -> None:
        source = FakeFinder()
        asked, _ = finder(source)
        assert [await found(asked), await found(asked)] == [None, None]
        assert source.asked == ["bob", "bob"]

    run(story())


def test_an_unknown_name_is_taken_for_the_first_account_there_was() -> None:
    async def story() -> None:
        asked, _ = finder(FakeFinder({"bob": "1", "alice": "2"}))
        assert asked.decoy(3) is None
        for name in ("bob", "alice"):
            await found(asked, name)
        decoy = asked.decoy(3)
        assert decoy is not None
        assert decoy.stored_password == "1"

    run(story())


def test_a_question_ends_at_its_deadline_in_the_queue_as_well() -> None:
    async def story() -> None:
        source, log = FakeFinder({"bob": "1"}), RecordingLog()
        source.answers.clear()
        options = AskingOptions(deadline_seconds=0.01, at_once=1)
        asked, _ = finder(source, options, log=log)
        outcomes = await asyncio.gather(
            *(found(asked, name) for name in ("bob", "alice")), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [TemporaryFailure] * 2
        await turns()
        assert source.open == 0
        assert [fields["reason"] for fields in log.named(Event.AUTH_UNAVAILABLE)] == [
            "finder: no answer in time"
        ]
        source.answers.set()
        assert await found(asked) is not None

    run(story())


def test_few_questions_are_open_at_once_and_few_wait() -> None:
    async def story() -> None:
        source = FakeFinder({f"user{number}": "1" for number in range(9)})
        source.answers.clear()
        asked, _ = finder(source, AskingOptions(at_once=2, queue=3))
        tasks = [asyncio.create_task(found(asked, f"user{number}")) for number in range(9)]
        await turns()
        assert source.open == 2
        source.answers.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        kinds = [type(outcome) for outcome in outcomes]
        assert (kinds.count(Account), kinds.count(TemporaryFailure)) == (5, 4)
        assert source.most_open == 2

    run(story())


def test_the_known_come_first_and_the_networks_take_turns() -> None:
    async def story() -> None:
        source = FakeFinder()
        source.answers.clear()
        asked, _ = finder(source, AskingOptions(at_once=1))
        askers = {
            "first": Asker("a", 2),
            "a1": Asker("a", 2),
            "a2": Asker("a", 2),
            "b": Asker("b", 2),
            "known": Asker("a", 0),
        }
        tasks = []
        for name, asker in askers.items():
            tasks.append(asyncio.create_task(asked.ask(name, None, asker)))
            await turns(1)
        source.answers.set()
        await asyncio.gather(*tasks)
        assert source.asked == ["first", "known", "a1", "b", "a2"]

    run(story())


def test_a_question_that_is_withdrawn_makes_room() -> None:
    async def story() -> None:
        source = FakeFinder({"bob": "1"})
        source.answers.clear()
        asked, _ = finder(source, AskingOptions(at_once=1))
        task = asyncio.create_task(found(asked, "alice"))
        await turns()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        source.answers.set()
        assert await found(asked) is not None

    run(story())


@pytest.mark.parametrize(
    "error",
    [ValueError("kanarienvogel"), OSError(5, "x"), AuthenticationFailed(), TemporaryFailure()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_fails_is_a_temporary_failure_and_logged_once(error: Exception) -> None:
    async def story() -> None:
        source, log = FakeFinder({"bob": "1"}), RecordingLog()
        asked, _ = finder(source, log=log)
        source.fails = error
        for _ in range(3):
            with pytest.raises(TemporaryFailure) as caught:
                await found(asked)
            assert "kanarienvogel" not in f"{caught.value.text} {caught.value.reason}"
        assert len(log.named(Event.AUTH_UNAVAILABLE)) == 1
        source.fails = None
        assert await found(asked) is not None
        source.fails = error
        with pytest.raises(TemporaryFailure):
            await found(asked, "alice")
        assert len(log.named(Event.AUTH_UNAVAILABLE)) == 2

    run(story())


def test_a_verifier_is_asked_each_time_and_what_it_let_in_is_kept() -> None:
    async def story() -> None:
        source = FakeVerifier({"bob": "secret"})
        asked, clock = verifier(source)
        first = await asked.ask("bob", PASSWORD, ASKER)
        again = await asked.ask("bob", PASSWORD, ASKER)
        kept = asked.look_up("bob")
        assert first is not None
        assert first == again
        assert (first.proved, first.version, kept and kept.proved) == (True, kept.version, None)  # type: ignore[union-attr]
        assert source.asked == ["bob", "bob"]
        clock.now += 11
        with pytest.raises(Unasked):
            asked.look_up("bob")
        later = await asked.ask("bob", PASSWORD, ASKER)
        assert later is not None
        assert later.version != first.version

    run(story())


def test_a_verifier_says_no_or_not_mine() -> None:
    async def story() -> None:
        asked, _ = verifier(FakeVerifier({"bob": "secret"}, otherwise=Answer.NOT_MINE))
        refused = await asked.ask("bob", Secret(b"wrong"), ASKER)
        assert refused is not None
        assert refused.proved is False
        assert await asked.ask("alice", PASSWORD, ASKER) is None
        for name in ("bob", "alice"):
            with pytest.raises(Unasked):
                asked.look_up(name)

    run(story())


def test_without_a_password_a_verifier_is_not_asked_and_refuses() -> None:
    async def story() -> None:
        source = FakeVerifier({"bob": "secret"})
        asked, _ = verifier(source)
        account = await asked.ask("bob", None, ASKER)
        assert account is not None
        assert (account.proved, source.asked) == (False, [])

    run(story())


def test_it_is_closed_with_its_source() -> None:
    async def story() -> None:
        source = FakeFinder()
        asked, _ = finder(source)
        await asked.close()
        assert source.closed
        assert asked.state() is None

    run(story())


def test_a_source_that_does_not_let_go_keeps_its_room_and_nobody_waiting() -> None:
    class Stubborn(FakeFinder):
        async def find(self, name: str) -> Account | None:
            try:
                await self._answer(name)
            except asyncio.CancelledError:
                await let_go.wait()
                raise
            return None

    let_go = asyncio.Event()

    async def story() -> None:
        source = Stubborn()
        source.answers.clear()
        asked, _ = finder(source, AskingOptions(deadline_seconds=0.01, at_once=1))
        for name in ("bob", "alice"):
            with pytest.raises(TemporaryFailure):
                await found(asked, name)
        assert source.asked == ["bob"]
        source.answers.set()
        let_go.set()
        await turns()
        assert await found(asked, "alice") is None
        assert source.asked == ["bob", "alice"]

    run(story())


def test_a_source_that_cancels_itself_is_a_failure() -> None:
    async def story() -> None:
        source = FakeFinder()
        asked, _ = finder(source)
        source.fails = asyncio.CancelledError()
        with pytest.raises(TemporaryFailure):
            await found(asked)

    run(story())

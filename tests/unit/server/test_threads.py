"""Threads for disks: a disk that hangs takes its share, and nobody else waits for it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial

import pytest

from restante.errors import TemporaryFailure
from restante.server import threads as module
from restante.server.threads import LIVELY, MOMENT_SECONDS, Threads

BOUND_SECONDS = 20.0


class Disks:
    """Threads with a clock and a timer of the test's, and work that hangs until it is let go."""

    def __init__(self, threads: int) -> None:
        self.now = 100.0
        self.timers: list[Callable[[], None]] = []
        self.threads = Threads(self._call_later, threads=threads, clock=lambda: self.now)
        self.let_go = threading.Event()
        self._running = 0
        self._changed = threading.Condition()

    def _call_later(self, seconds: float, call: Callable[[], None]) -> None:
        assert seconds == MOMENT_SECONDS
        self.timers.append(call)

    def hang(self, account: str, place: str = "slow", *, lasting: bool = False) -> "Future[str]":
        """Ask for something that ends when all is let go."""

        def wait() -> str:
            with self._changed:
                self._running += 1
                self._changed.notify_all()
            assert self.let_go.wait(BOUND_SECONDS)
            return account

        return self.threads.submit(account, place, wait, lasting=lasting)

    def running(self, count: int) -> bool:
        """Wait until so many of them run, and say whether it is no more."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._running >= count, BOUND_SECONDS)
            return self._running == count

    def quick(self, account: str = "quick", place: str = "quick") -> "Future[str]":
        return self.threads.submit(account, place, lambda: account)

    def pass_by(self, seconds: float = MOMENT_SECONDS * 1.01) -> None:
        """Let time pass, and whatever was to be done then be done."""
        self.now += seconds
        timers, self.timers = self.timers, []
        for call in timers:
            call()


@pytest.fixture
def disks() -> Iterator[Disks]:
    made = Disks(threads=64)
    yield made
    made.let_go.set()
    made.threads.shutdown(BOUND_SECONDS)


def result(future: "Future[str]") -> str:
    return future.result(BOUND_SECONDS)


def refused(future: "Future[str]") -> bool:
    return isinstance(future.exception(BOUND_SECONDS), TemporaryFailure)


def test_work_is_done_in_a_thread_and_few_do(disks: Disks) -> None:
    before = set(threading.enumerate())
    seen = [
        disks.threads.submit("alice", None, threading.current_thread).result(BOUND_SECONDS)
        for _ in range(100)
    ]
    assert threading.current_thread() not in seen
    assert len(set(threading.enumerate()) - before) <= 2
    assert not disks.timers, "nobody stands in line"


def test_what_fails_says_so(disks: Disks) -> None:
    def fail() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        disks.threads.submit("alice", None, fail).result(BOUND_SECONDS)
    assert result(disks.quick()) == "quick"


def test_a_disk_that_hangs_leaves_threads_for_the_others(disks: Disks) -> None:
    hung = [disks.hang(f"user{number}") for number in range(200)]
    assert disks.running(LIVELY), "no more than that at once"
    waiting = disks.quick()
    assert not waiting.done()
    disks.pass_by()
    assert result(waiting) == "quick"
    for _ in range(10):
        disks.pass_by()
    assert disks.running(32), "half of the threads"
    for number in range(100):
        assert result(disks.quick(f"other{number}")) == f"other{number}"
    more = [disks.hang(f"user{number}", "slow too") for number in range(200)]
    for _ in range(10):
        disks.pass_by()
        assert result(disks.quick()) == "quick"
    assert disks.running(48), "half of the rest"
    disks.let_go.set()
    assert [result(future) for future in hung + more] == [f"user{n % 200}" for n in range(400)]


def test_the_places_and_accounts_in_line_take_turns(disks: Disks) -> None:
    hung = [disks.hang(f"user{number}", "a") for number in range(LIVELY)]
    order: list[str] = []
    asked = [
        disks.threads.submit(account, place, partial(order.append, place + account))
        for place, account in ("a1", "a1", "a2", "b1", "b1", "c1")
    ]
    disks.let_go.set()
    for future in hung:
        result(future)
    for done in asked:
        done.result(BOUND_SECONDS)
    assert sorted(order[:3]) == ["a1", "b1", "c1"]
    assert sorted(order) == sorted(["a1", "a1", "a2", "b1", "b1", "c1"])


def test_an_account_holds_few_threads_however_often_it_comes(disks: Disks) -> None:
    mine = [disks.hang("mallory") for _ in range(30)]
    for _ in range(5):
        disks.pass_by()
    assert disks.running(module.PER_ACCOUNT)
    assert result(disks.quick("alice", "slow")) == "alice", "not even of the same disk"
    beyond = module.PER_ACCOUNT + module.ACCOUNT_LINE
    assert [future.done() for future in mine] == [n >= beyond for n in range(30)]
    assert all(refused(future) for future in mine[beyond:])


def test_what_stands_in_line_is_refused_in_time(disks: Disks) -> None:
    mine = [disks.hang("mallory") for _ in range(5)]
    disks.pass_by(module.LINE_SECONDS / 2)
    late = disks.hang("mallory")
    disks.pass_by(module.LINE_SECONDS / 2)
    assert [future.done() for future in mine] == [False, False, True, True, True]
    assert all(refused(future) for future in mine[2:])
    assert not late.done()
    assert disks.timers, "it is looked at again"
    disks.let_go.set()
    assert result(late) == "mallory"
    disks.pass_by()
    assert not disks.timers, "nobody stands in line"


def test_a_place_has_a_line_of_bounded_length(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINE", 10)
    hung = [disks.hang(f"user{number}") for number in range(LIVELY + 11)]
    assert refused(hung[-1])
    assert not any(future.done() for future in hung[:-1])
    other = disks.quick()
    assert not other.done(), "it stands in another line"
    disks.pass_by()
    assert result(other) == "quick"


def test_what_nobody_wants_any_more_is_not_begun(disks: Disks) -> None:
    hung = [disks.hang("mallory") for _ in range(10)]
    assert disks.running(module.PER_ACCOUNT)
    assert [future.cancel() for future in hung] == [False] * 2 + [True] * 8
    disks.pass_by()
    assert not disks.timers, "it has left the line"
    again = [disks.hang("mallory") for _ in range(3)]
    again[0].cancel()
    disks.let_go.set()
    assert [result(future) for future in again[1:]] == ["mallory"] * 2
    assert again[0].cancelled()
    assert disks.running(module.PER_ACCOUNT + 2)


def test_a_system_without_room_for_threads_refuses(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fail)
        assert refused(disks.quick())
    assert result(disks.quick()) == "quick"


def test_the_end_waits_for_what_is_lasting_alone(disks: Disks) -> None:
    disks.hang("alice")
    update = threading.Event()
    lasting = disks.threads.submit("bob", "slow", update.wait, lasting=True)
    ending = threading.Thread(target=disks.threads.shutdown)
    ending.start()
    ending.join(0.05)
    assert ending.is_alive()
    assert refused(disks.quick()), "nothing is begun any more"
    update.set()
    ending.join(BOUND_SECONDS)
    assert not ending.is_alive()
    assert lasting.done()


def test_the_end_has_patience_with_what_goes_on(disks: Disks) -> None:
    hung = disks.hang("alice")
    assert disks.running(1)
    threading.Timer(0.05, disks.let_go.set).start()
    disks.threads.shutdown(BOUND_SECONDS)
    assert hung.done()
    disks.threads.shutdown()


def test_the_end_is_not_kept_by_what_is_refused(disks: Disks) -> None:
    for _ in range(module.PER_ACCOUNT):
        disks.hang("mallory")
    update = disks.hang("mallory", lasting=True)
    ending = threading.Thread(target=disks.threads.shutdown)
    ending.start()
    ending.join(0.05)
    assert ending.is_alive()
    disks.pass_by(module.LINE_SECONDS)
    assert refused(update)
    ending.join(BOUND_SECONDS)
    assert not ending.is_alive()

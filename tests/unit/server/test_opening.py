"""From an identity to an open maildrop: at once, in a thread, after a wait, or not at all."""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import pytest

from restante.errors import MaildropInUse, TemporaryFailure
from restante.identity import Identity
from restante.maildrop import DropListing, MessageReader
from restante.server.opening import open_maildrop
from restante.server.threads import Executor, Threads

ALICE = Identity("alice")


class Drop:
    listing: DropListing

    def __init__(self) -> None:
        self.closed = threading.Event()

    def open_message(self, number: int) -> MessageReader:
        raise AssertionError("nobody reads here")

    def remove(self, numbers: Collection[int]) -> None:
        raise AssertionError("nobody removes here")

    def close(self) -> None:
        self.closed.set()


class Store:
    def __init__(
        self, ready: Callable[[], Drop | None], slow: Callable[[], Drop] | None = None
    ) -> None:
        self._ready = ready
        self._slow = slow

    def open_ready(self, identity: Identity) -> Drop | None:
        return self._ready()

    def open(self, identity: Identity) -> Drop:
        assert self._slow is not None
        return self._slow()

    def close(self) -> None:
        raise AssertionError("nobody closes it here")


@contextmanager
def threads() -> Iterator[Threads]:
    made = Threads(lambda seconds, call: None)
    yield made
    made.shutdown(30)


def opened(store: Store, wait_seconds: float = 0.0) -> object:
    with threads() as executor:
        return asyncio.run(open_maildrop(store, ALICE, executor, wait_seconds=wait_seconds))


def test_what_is_ready_needs_no_thread() -> None:
    drop = Drop()
    assert opened(Store(lambda: drop)) is drop


def test_what_has_to_wait_for_the_disk_waits_in_a_thread() -> None:
    drop = Drop()
    seen: list[threading.Thread] = []

    def slow() -> Drop:
        seen.append(threading.current_thread())
        return drop

    assert opened(Store(lambda: None, slow)) is drop
    assert seen[0] is not threading.main_thread()


def test_a_lock_is_asked_for_again_and_then_held() -> None:
    """conformance: 1939-S-46."""
    drop = Drop()
    tries = iter([True, True, False])

    def ready() -> Drop:
        if next(tries):
            raise MaildropInUse
        return drop

    assert opened(Store(ready), wait_seconds=30.0) is drop


def test_a_lock_that_stays_held_is_given_up() -> None:
    """conformance: 1939-S-48."""

    def ready() -> Drop:
        raise MaildropInUse

    with pytest.raises(MaildropInUse):
        opened(Store(ready), wait_seconds=0.0)


def test_other_refusals_are_not_waited_out() -> None:
    def slow() -> Drop:
        raise TemporaryFailure

    with pytest.raises(TemporaryFailure):
        opened(Store(lambda: None, slow), wait_seconds=30.0)


def test_giving_up_in_the_midst_leaves_nothing_locked() -> None:
    """conformance: 1939-S-113."""
    drop = Drop()
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Drop:
        begun.set()
        assert go_on.wait(30)
        return drop

    async def give_up(executor: Executor) -> None:
        store = Store(lambda: None, slow)
        task = asyncio.ensure_future(open_maildrop(store, ALICE, executor, wait_seconds=0.0))
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()

    with threads() as executor:
        asyncio.run(give_up(executor))
    assert drop.closed.is_set()


def test_an_opening_that_fails_after_being_given_up_is_nobodys_fault() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Drop:
        begun.set()
        assert go_on.wait(30)
        raise TemporaryFailure

    async def give_up(executor: Executor) -> None:
        store = Store(lambda: None, slow)
        task = asyncio.ensure_future(open_maildrop(store, ALICE, executor, wait_seconds=0.0))
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()

    with threads() as executor:
        asyncio.run(give_up(executor))

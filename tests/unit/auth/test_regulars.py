"""Regulars: had as long as nothing has changed, and few enough."""

from hashlib import blake2b

import pytest

from restante.auth import regulars as module
from restante.auth.chain import Chain
from restante.auth.regulars import Regular, Regulars
from restante.auth.sources import Account
from restante.identity import Identity


class Stated:
    """A source whose state is the test's to say."""

    name = "stated"

    def __init__(self) -> None:
        self.now: object = 1

    def look_up(self, name: str) -> Account | None:
        raise AssertionError("nobody is looked up")

    def state(self) -> object:
        return self.now

    def decoy(self, pick: int) -> Account | None:
        return None


def regular(name: str = "bob") -> Regular:
    return Regular(Identity(name), blake2b())


def test_a_regular_is_had_until_something_changes() -> None:
    source, bob = Stated(), regular()
    regulars = Regulars(Chain([source]))
    regulars.refresh()
    regulars.add(b"bob", bob)
    regulars.refresh()
    assert regulars.get(b"bob") is bob
    assert regulars.get(b"Bob") is None
    source.now = 2
    regulars.refresh()
    assert regulars.get(b"bob") is None


def test_where_a_source_cannot_say_nobody_is_kept() -> None:
    source = Stated()
    regulars = Regulars(Chain([source]))
    source.now = None
    for _ in range(3):
        regulars.refresh()
        assert regulars.get(b"bob") is None
        regulars.add(b"bob", regular())


def test_what_was_kept_before_the_first_look_is_not_trusted() -> None:
    regulars = Regulars(Chain([Stated()]))
    regulars.add(b"bob", regular())
    regulars.refresh()
    assert regulars.get(b"bob") is None


def test_no_more_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REGULARS_KEPT", 10)
    regulars = Regulars(Chain([Stated()]))
    for number in range(95):
        regulars.add(b"user%d" % number, regular())
    had = [number for number in range(95) if regulars.get(b"user%d" % number) is not None]
    assert had == list(range(90, 95))

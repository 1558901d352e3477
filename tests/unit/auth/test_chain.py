"""Sources in their order, and what an unknown name is compared with."""

from collections import Counter

import pytest

from restante.auth.chain import Chain
from restante.auth.sources import Account, Source
from restante.errors import TemporaryFailure


class Fixed:
    """A source with the accounts it is given; None: it cannot say."""

    def __init__(self, name: str, accounts: dict[str, str] | None) -> None:
        self.name = name
        self._accounts = accounts
        self.asked: list[str] = []
        self.now: object = 1

    def state(self) -> object:
        return self.now

    def look_up(self, name: str) -> Account | None:
        self.asked.append(name)
        if self._accounts is None:
            raise TemporaryFailure
        stored = self._accounts.get(name)
        return None if stored is None else Account(name, stored, self.name, "1")

    def decoy(self, pick: int) -> Account | None:
        if not self._accounts:
            return None
        return self.look_up(list(self._accounts)[pick % len(self._accounts)])


def chain(*sources: Source) -> Chain:
    return Chain(sources)


def test_the_first_that_knows_a_name_decides() -> None:
    one, other = Fixed("one", {"bob": "1"}), Fixed("other", {"bob": "2", "alice": "3"})
    both = chain(one, other)
    bob, alice = both.look_up("bob"), both.look_up("alice")
    assert bob is not None
    assert alice is not None
    assert (bob.source, alice.source) == ("one", "other")
    assert other.asked == ["alice"]
    assert both.look_up("nobody") is None


def test_the_state_changes_with_that_of_any_source() -> None:
    one, other = Fixed("one", {}), Fixed("other", {})
    both = chain(one, other)
    before = both.state()
    assert before is not None
    assert both.state() == before
    other.now = 2
    after = both.state()
    assert after not in (None, before)
    one.now = None
    assert both.state() is None


def test_a_source_that_cannot_say_ends_the_search() -> None:
    """Asking on could let somebody in whom it would have refused."""
    last = Fixed("last", {"bob": "1"})
    with pytest.raises(TemporaryFailure):
        chain(Fixed("silent", None), last).look_up("bob")
    assert last.asked == []


def test_a_source_behind_the_one_that_knows_is_not_needed() -> None:
    assert chain(Fixed("one", {"bob": "1"}), Fixed("silent", None)).look_up("bob") is not None


def test_no_sources_know_nobody() -> None:
    assert chain().look_up("bob") is None
    assert chain().decoy("bob") is None


def test_a_name_is_always_compared_with_the_same() -> None:
    """Else asking twice would tell an unknown name by its changing cost; a restart as well."""
    one = {f"user{number}": f"{{PLAIN}}{number}" for number in range(10)}
    names = [f"nobody{number}" for number in range(200)]
    before = [chain(Fixed("one", one)).decoy(name) for name in names]
    assert before == [chain(Fixed("one", one)).decoy(name) for name in names]
    assert len(set(before)) == 10


def test_unknown_names_are_spread_over_what_there_is() -> None:
    """Where some cost more than others, the unknown do as well."""
    cheap, dear = Fixed("cheap", {"a": "cheap"}), Fixed("dear", {"b": "dear"})
    both = chain(cheap, Fixed("empty", {}), Fixed("silent", None), dear)
    decoys = [both.decoy(f"nobody{number}") for number in range(1_000)]
    counts = Counter(decoy and decoy.stored_password for decoy in decoys)
    assert set(counts) == {"cheap", "dear"}
    assert min(counts.values()) > 300


def test_an_account_shows_no_stored_password() -> None:
    assert "kanarienvogel" not in repr(Account("bob", "{PLAIN}kanarienvogel", "one", "1"))

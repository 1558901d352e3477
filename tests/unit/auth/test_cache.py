"""The cache of passwords found right: nobody meets another's, and nothing outlives a change."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth.cache import PasswordCache
from restante.auth.options import CacheOptions
from restante.auth.sources import Account
from unit.auth.scene import Clock

BOB = Account("bob", "{ARGON2ID}hash", "accounts", "1")


def cache(clock: Clock | None = None, **settings: float) -> PasswordCache:
    return PasswordCache(CacheOptions(**settings), clock or Clock())  # type: ignore[arg-type]


def knows(known: PasswordCache, account: Account, password: bytes) -> bool:
    return known.recall(known.begin(account), password) is not None


def test_what_was_found_right_is_known() -> None:
    known = cache()
    assert not knows(known, BOB, b"secret")
    known.learn(BOB, b"secret")
    assert knows(known, BOB, b"secret")
    assert not knows(known, BOB, b"Secret")
    assert not knows(known, BOB, b"")


@pytest.mark.parametrize(
    "other",
    [
        replace(BOB, name="alice"),
        replace(BOB, name="bob@example.org"),
        replace(BOB, source="passwd-file"),
        replace(BOB, version="2"),
        replace(BOB, stored_password="{ARGON2ID}other"),
    ],
)
def test_another_account_is_another_entry(other: Account) -> None:
    """Disabling, a new password and removal change the version; a backup may bring one back."""
    known = cache()
    known.learn(BOB, b"secret")
    assert not knows(known, other, b"secret")


PARTS = st.text(st.sampled_from("ab01"), max_size=3)
ACCOUNTS = st.builds(Account, PARTS, st.text(st.sampled_from("ab\0"), max_size=4), PARTS, PARTS)
PASSWORDS = st.binary(max_size=4).map(lambda octets: octets.replace(b"\xff", b"\0"))


@given(ACCOUNTS, PASSWORDS, ACCOUNTS, PASSWORDS)
def test_no_two_logins_share_an_entry(
    one: Account, password: bytes, other: Account, another: bytes
) -> None:
    known = cache()
    known.learn(one, password)
    assert knows(known, other, another) == ((one, password) == (other, another))


def test_what_was_begun_serves_many_passwords() -> None:
    known = cache()
    known.learn(BOB, b"secret")
    begun = known.begin(BOB)
    for _ in range(3):
        assert known.recall(begun, b"secret")
        assert not known.recall(begun, b"wrong")
        assert not known.recall(begun, b"")


def test_two_caches_do_not_know_each_other() -> None:
    """The key is a process's own: what one holds tells nothing about another's."""
    one, other = cache(), cache()
    one.learn(BOB, b"secret")
    other.learn(BOB, b"secret")
    assert set(one._learnt_at) != set(other._learnt_at)


def test_an_entry_expires() -> None:
    clock = Clock()
    known = cache(clock, seconds=60)
    known.learn(BOB, b"secret")
    clock.now += 60
    assert knows(known, BOB, b"secret")
    clock.now += 1
    assert not knows(known, BOB, b"secret")
    assert len(known) == 0


def test_use_does_not_prolong_an_entry() -> None:
    clock = Clock()
    known = cache(clock, seconds=60)
    known.learn(BOB, b"secret")
    for _ in range(60):
        assert knows(known, BOB, b"secret")
        clock.now += 1
    clock.now += 1
    assert not knows(known, BOB, b"secret")


def test_the_longest_unused_goes_first() -> None:
    known = cache(entries=3)
    for password in (b"1", b"2", b"3"):
        known.learn(BOB, password)
    assert knows(known, BOB, b"1")
    known.learn(BOB, b"4")
    assert len(known) == 3
    assert not knows(known, BOB, b"2")
    for password in (b"1", b"3", b"4"):
        assert knows(known, BOB, password)


def test_it_can_be_turned_off() -> None:
    known = cache(seconds=0)
    known.learn(BOB, b"secret")
    assert len(known) == 0
    assert not knows(known, BOB, b"secret")


def test_it_holds_no_password() -> None:
    known = cache()
    known.learn(BOB, b"kanarienvogel")
    assert b"kanarienvogel" not in b"".join(known._learnt_at)
    assert all(len(digest) == 15 for digest in known._learnt_at)


def test_a_stored_password_of_any_octets() -> None:
    account = replace(BOB, stored_password="{PLAIN}v\udcf6gel")
    known = cache()
    known.learn(account, b"v\xf6gel")
    assert knows(known, account, b"v\xf6gel")

"""Unique-ids: the unique part of the name where that can be, and never one twice."""

import os
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.stores.catalogue import Catalogue
from restante.stores.changes import Changes, Gone
from restante.stores.image import Version, empty, render
from restante.stores.names import Names, is_legal_unique_id
from restante.stores.unique_ids import UniqueIds


@pytest.mark.parametrize("unique", [b"a b", b"x" * 71, b"\xc3\xa9", b"a\nb", b"\x7f"])
def test_an_illegal_name_becomes_a_digest_of_itself(unique: bytes) -> None:
    """conformance: 1939-S-101"""
    given = UniqueIds(None, None).give(unique, b"new/" + unique)
    assert is_legal_unique_id(given)
    # The same for another process that knows nothing, whatever the flags are by then.
    assert UniqueIds(None, None).give(unique, b"cur/" + unique + b":2,S") == given
    assert UniqueIds(None, None).give(unique + b"x", b"cur/" + unique + b"x") != given


@given(
    st.lists(st.sampled_from([b"a", b"b", b"a b", b"x" * 71]) | st.binary(min_size=1), max_size=5)
)
def test_given_at_once_they_are_what_they_are_one_by_one(uniques: list[bytes]) -> None:
    uniques = list({unique.translate(None, b"/\0") or b"?": None for unique in uniques})
    none: list[int | None] = [None] * len(uniques)
    may_all = UniqueIds(None, None).may_give_all(Names(uniques, none, plain=False))
    ids = UniqueIds(None, None)
    one_by_one = [ids.give(unique, b"new/" + unique) for unique in uniques]
    assert len(set(one_by_one)) == len(uniques)
    assert may_all == (one_by_one == uniques)


def test_a_name_that_is_there_twice_gives_two() -> None:
    known = render(Version(0, 0, 0), [b"cur/a"], array("Q", [1]), [b"a"])
    ids = UniqueIds(known, None)
    given = [ids.give(b"a", b"new/a"), ids.give(b"a", b"cur/a:2,S"), ids.give(b"b", b"new/b")]
    assert len({b"a", *given}) == 4


def test_what_was_given_is_given_back_to_what_vanished_alone(tmp_path: Path) -> None:
    with Catalogue.open(os.fsencode(tmp_path), create=True) or pytest.fail(
        "there is none"
    ) as catalogue:
        vanished, removed = Gone(b"a", b"a", 1, False), Gone(b"b", b"b", 1, True)
        catalogue.replace(Changes(0, 0, empty(Version(0, 0, 0)), [vanished, removed]))
        ids = UniqueIds(None, catalogue)
        assert ids.returned(b"a") == vanished
        assert ids.returned(b"a") is None
        assert ids.returned(b"b") is None
        assert ids.give(b"b", b"new/b") != b"b"
        assert ids.give(b"a", b"new/a") != b"a"


def test_which_of_two_of_one_name_returns_cannot_be_told(tmp_path: Path) -> None:
    with Catalogue.open(os.fsencode(tmp_path), create=True) or pytest.fail(
        "there is none"
    ) as catalogue:
        twins = [Gone(b"a", b"a", 1, False), Gone(b"a", b"other", 1, False)]
        catalogue.replace(Changes(0, 0, empty(Version(0, 0, 0)), twins))
        ids = UniqueIds(None, catalogue)
        assert ids.returned(b"a") is None
        assert ids.give(b"a", b"new/a") not in {b"a", b"other"}

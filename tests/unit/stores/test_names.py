"""A file's name: which message it is, and what it claims."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.stores.names import (
    Name,
    Names,
    are_legal_unique_ids,
    arrival,
    is_legal_unique_id,
    parse,
    parse_all,
)

PIECES = st.sampled_from(
    [
        b"1700000000.M1P1.host",
        b",S=12",
        b",W=13",
        b":2,S",
        b",S=",
        b",W=0123456789012",
        b"new",
        b"cur",
    ]
) | st.binary(min_size=1, max_size=3).map(lambda data: data.translate(None, b"/\0") or b"=")
FILE_NAMES = st.lists(PIECES, min_size=1, max_size=4).map(b"".join)
RELATIVES = st.tuples(st.sampled_from([b"new/", b"cur/"]), FILE_NAMES).map(b"".join)


@pytest.mark.parametrize(
    ("name", "unique", "wire_size"),
    [
        (b"1.a.host", b"1.a.host", None),
        (b"1.a.host:2,S", b"1.a.host", None),
        (b"1.a.host,S=5,W=7:2,RS", b"1.a.host", 7),
        (b"1.a.host,W=7,S=5", b"1.a.host", 7),
        (b"1.a.host,S=5", b"1.a.host", None),
        (b"1.a.host,U=3,S=5", b"1.a.host,U=3", None),
        (b"1.a.host,W=", b"1.a.host,W=", None),
        (b"1.a.host,W=-1", b"1.a.host,W=-1", None),
        (b"1.a.host,W=1_0", b"1.a.host,W=1_0", None),
        (b"1.a.host,W=\xd9\xa1", b"1.a.host,W=\xd9\xa1", None),
        (b"1.a.host,W=999999999999", b"1.a.host", 999_999_999_999),
        (b"1.a.host,W=1000000000000", b"1.a.host,W=1000000000000", None),
        (b"1.a=b", b"1.a=b", None),
        (b",W=7", b",W=7", None),
        (b":2,S", b":2,S", None),
        (b"W=7", b"W=7", None),
    ],
)
def test_parse(name: bytes, unique: bytes, wire_size: int | None) -> None:
    assert parse(name) == Name(unique, wire_size)


@given(st.lists(RELATIVES, max_size=6))
def test_many_are_taken_apart_as_each_is(relatives: list[bytes]) -> None:
    parsed = [parse(name[4:]) for name in relatives]
    assert parse_all(relatives) == Names(
        [name.unique for name in parsed],
        [name.wire_size for name in parsed],
        all(name[4:14].isdigit() and name[14:15] == b"." for name in relatives),
    )


@given(st.lists(st.binary(max_size=72).map(lambda data: data.translate(None, b"\0"))))
def test_many_unique_ids_are_legal_if_each_is(uniques: list[bytes]) -> None:
    legal = [unique for unique in uniques if is_legal_unique_id(unique)]
    for those in (uniques, legal):
        joined = b"".join([unique + b"\0" for unique in those])
        assert bool(are_legal_unique_ids(joined)) == all(map(is_legal_unique_id, those))


def test_flags_and_claims_make_no_other_message() -> None:
    names = [b"1.a", b"1.a:2,", b"1.a:2,FS", b"1.a,S=3", b"1.a,S=3,W=4:2,T"]
    assert {parse(name).unique for name in names} == {b"1.a"}


@pytest.mark.parametrize("unique_id", [b"", b"a b", b"a\x7f", b"\xc3\xa9", b"x" * 71, b"a\n"])
def test_illegal_unique_ids(unique_id: bytes) -> None:
    """conformance: 1939-S-101"""
    assert not is_legal_unique_id(unique_id)


@pytest.mark.parametrize("unique_id", [b"!", b"~", b"x" * 70])
def test_legal_unique_ids(unique_id: bytes) -> None:
    """conformance: 1939-S-101"""
    assert is_legal_unique_id(unique_id)


def test_messages_seen_together_come_in_the_order_of_their_arrival() -> None:
    names = [b"cur/999.z", b"new/1000.a", b"new/x", b"cur/99999999999999999999.a", b"cur/5"]
    assert sorted(names, key=arrival) == [
        b"cur/99999999999999999999.a",
        b"new/x",
        b"cur/5",
        b"cur/999.z",
        b"new/1000.a",
    ]

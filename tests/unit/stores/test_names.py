"""A file's name: which message it is, and what it claims."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.stores.names import (
    Name,
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
    names = parse_all(relatives)
    assert names.uniques == [name.unique for name in parsed]
    assert names.wire_sizes == [name.wire_size for name in parsed]
    if names.plain:
        assert all(name[4:14].isdigit() and name[14:15] == b"." for name in relatives)
        assert all(map(is_legal_unique_id, names.uniques))


@pytest.mark.parametrize(
    "name",
    [
        b"cur/1700000000.M1P1.host",
        b"new/1700000000.M1P1.host,S=12,W=13",
        b"cur/1700000000.M1P1.host,W=13:2,S",
        b"cur/1700000000.M1P1.host:2,\xff",
        b"cur/1700000000." + b"x" * 59,
    ],
)
def test_a_name_as_nearly_every_program_gives_it_is_plain(name: bytes) -> None:
    assert parse_all([b"cur/1600000000.a:2,S", name]).plain


@pytest.mark.parametrize(
    "name",
    [
        b"cur/170000000.M1P1.host",
        b"new/1700000000,S=12",
        b"cur/1700000000.M1P1.host,U=1",
        b"cur/1700000000.a b",
        b"cur/1700000000.\xff",
        b"cur/1700000000." + b"x" * 60,
    ],
)
def test_another_name_is_not(name: bytes) -> None:
    assert not parse_all([b"cur/1600000000.a:2,S", name]).plain


@given(st.lists(st.binary(min_size=1, max_size=72)))
def test_many_unique_ids_are_legal_if_each_is(uniques: list[bytes]) -> None:
    legal = [unique for unique in uniques if is_legal_unique_id(unique)]
    for those in (uniques, legal):
        assert are_legal_unique_ids(those) == all(map(is_legal_unique_id, those))


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

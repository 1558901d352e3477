"""Listing images: what was put in comes out, from memory and from a file, and weighs little."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.stores.image import ListingImage, Version, extend, load, render

VERSION = Version(7, 8, 9)
MESSAGES = st.lists(st.tuples(st.integers(0, 2**40), st.booleans()), max_size=70)


def make(
    messages: list[tuple[int, bool]], start: int = 0
) -> tuple[list[bytes], "array[int]", list[bytes], bytes]:
    numbers = range(start, start + len(messages))
    names = [b"cur/" + b"n" * (number % 5) + b"%d\n\xff:2,S" % number for number in numbers]
    ids = [b"id-%d" % number for number in numbers]
    return names, array("Q", [size for size, _ in messages]), ids, bytes(c for _, c in messages)


def check(image: ListingImage, messages: list[tuple[int, bool]]) -> None:
    names, sizes, ids, claims = make(messages)
    assert image.version == VERSION
    assert (image.count, image.octets) == (len(messages), sum(sizes))
    assert (image.names(), image.sizes(), image.unique_ids()) == (names, sizes, ids)
    assert image.has_claims == any(claims)
    assert (image.claims() or bytes(len(messages))) == claims
    for number in range(1, len(messages) + 1):
        assert image.name(number) == names[number - 1]
        assert image.size(number) == sizes[number - 1]
        assert image.unique_id(number) == ids[number - 1]
        assert image.is_claim(number) == bool(claims[number - 1])


@given(MESSAGES, st.integers(0, 70), st.sets(st.integers(1, 70)))
def test_what_was_put_in_comes_out(
    messages: list[tuple[int, bool]], cut: int, marked: set[int]
) -> None:
    first = render(VERSION, *make(messages[:cut]))
    image = extend(first, VERSION, *make(messages[cut:], len(messages[:cut])))
    loaded = load(b"".join(image.dump()))
    assert loaded is not None
    marked = {number for number in marked if number <= len(messages)}
    for each in (image, loaded, image.at(VERSION)):
        check(each, messages)
        numbers = [number for number in range(1, len(messages) + 1) if number not in marked]
        assert b"".join(each.scan_listing(marked)) == b"".join(
            b"%d %d\r\n" % (number, messages[number - 1][0]) for number in numbers
        )
        assert b"".join(each.unique_id_listing(marked)) == b"".join(
            b"%d id-%d\r\n" % (number, number - 1) for number in numbers
        )


@given(MESSAGES, st.integers(0, 4), st.integers(0, 4))
def test_some_of_it_in_a_pack(messages: list[tuple[int, bool]], one: int, other: int) -> None:
    start, behind = (min(16 * blocks, len(messages)) for blocks in sorted((one, other)))
    start -= start % 16
    names, sizes, ids, claims = make(messages)
    image = render(VERSION, names, sizes, ids, claims)
    packed = [bytes(part) for part in image.pack(start, behind)]
    claims = claims[start:behind]
    assert packed[0] == b"\0".join(names[start:behind])
    assert packed[1] == sizes[start:behind].tobytes()
    assert packed[2] == (claims if any(claims) else b"")
    assert image.packed_unique_ids(start, behind) == b"\0".join(ids[start:behind])


@given(MESSAGES, st.integers(0, 40))
def test_names_as_one_text_are_the_same(messages: list[tuple[int, bool]], cut: int) -> None:
    for first in (min(cut, len(messages)), 0):
        image = render(VERSION, *make(messages[:first]))
        names, sizes, ids, claims = make(messages[first:], first)
        text = b"".join(name + b"\0" for name in names)
        check(extend(image, VERSION, text, sizes, ids, claims), messages)


def test_an_image_that_was_cut_or_changed_is_none() -> None:
    data = b"".join(render(VERSION, *make([(5, False)] * 40)).dump())
    assert load(data) is not None
    for length in range(0, len(data), 7):
        assert load(data[:length]) is None
    assert load(data + b"x") is None
    for at in range(116):
        broken = bytearray(data)
        broken[at] ^= 0x40
        assert load(broken) is None, at


def test_a_listing_of_few_pieces() -> None:
    image = render(VERSION, *make([(5, False)] * 50))
    assert len(list(image.scan_listing(()))) == 1
    assert len(list(image.scan_listing({20}))) == 2
    assert len(list(image.scan_listing({1, 50}))) == 1


def test_it_takes_150_octets_a_message() -> None:
    """A hundred thousand messages named as Dovecot and Postfix name them."""
    count = 100_000
    names = [
        b"cur/%d.M%06dP%d.mail.example.org,S=%d,W=%d:2,S"
        % (1_700_000_000 + n, n * 7 % 1_000_000, 1_000 + n % 30_000, 4_000 + n % 90_000, 4_100 + n)
        for n in range(count)
    ]
    unique_ids = [name[4:].partition(b",")[0] for name in names]
    sizes = array("Q", range(4_100, 4_100 + count))
    image = render(VERSION, names, sizes, unique_ids, b"\1" * count)
    assert image.weight_octets <= 150 * count
    assert sum(len(piece) for piece in image.dump()) <= 150 * count


@given(st.lists(st.sampled_from([b"new/a", b"cur/a:2,", b"cur/b", b"new/\xffnew", b"cur/cur"])))
def test_what_lies_in_a_folder_and_who_has_a_unique_id(names: list[bytes]) -> None:
    ids = [b"%d.id" % number for number in range(len(names))]
    image = render(VERSION, names, array("Q", [1] * len(names)), ids)
    for folder in (b"new", b"cur"):
        assert image.names_in(folder) == [name for name in names if name[:3] == folder]
    for unique_id in (*ids, b"id", b".id", b"1", b"0.i"):
        assert image.has_unique_id(unique_id) == (unique_id in ids)


@pytest.mark.parametrize("count", [1, 31, 33, 100])
def test_a_search_for_unique_parts(count: int) -> None:
    image = render(VERSION, [b"cur/1.a:2,", b"new/2.b"], array("Q", [1, 2]), [b"1.a", b"2.b"])
    wanted = {b"%d.x" % number for number in range(count)}
    assert b"2.b" in image.which_may_hold(wanted | {b"2.b"})
    if count < 32:
        assert image.which_may_hold(wanted) == set()

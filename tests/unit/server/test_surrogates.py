"""Maildrops with surrogates: the sizes told are those of what is sent, nothing is read twice."""

import io
from collections.abc import Collection

import pytest

from restante.errors import MaildropInUse, PermanentFailure, TemporaryFailure
from restante.identity import Identity
from restante.maildrop import DropListing, Maildrop, MessageReader
from restante.protocol.screening import HELD_OCTETS
from restante.server.surrogates import SurrogateDrop, SurrogateReader, SurrogateStore
from restante.stores.memory import MemoryStore

ALICE = Identity("alice")
INTERNATIONAL = "From: Jörg <jörg@exämple.org>\nSubject: Grüße\n\nzweite Zeile ☃\n".encode()
PLAIN = b"Subject: plain\n\n\xfcber\n"


class CountingStore:
    """A store in memory that counts what is opened, and finds listings again that still stand."""

    def __init__(self) -> None:
        self.mail = MemoryStore()
        self.opened: list[int] = []
        self.failing: set[int] = set()
        self.ready = True
        self.listing: DropListing | None = None

    def deposit(self, *messages: bytes) -> None:
        for message in messages:
            self.mail.deposit(ALICE, io.BytesIO(message))
        self.listing = None

    def open_ready(self, identity: Identity) -> "CountingDrop | None":
        return self.open(identity) if self.ready and self.listing is not None else None

    def open(self, identity: Identity) -> "CountingDrop":
        inner = self.mail.open(identity)
        if identity != ALICE:
            return CountingDrop(self, inner, inner.listing)
        self.listing = self.listing or inner.listing
        return CountingDrop(self, inner, self.listing)

    def close(self) -> None:
        self.ready = False


class CountingDrop:
    def __init__(self, store: CountingStore, inner: Maildrop, listing: DropListing) -> None:
        self._store, self._inner, self.listing = store, inner, listing

    def open_message(self, number: int) -> MessageReader:
        self._store.opened.append(number)
        if number in self._store.failing:
            return FailingReader()
        return self._inner.open_message(number)

    def remove(self, numbers: Collection[int]) -> None:
        self._inner.remove(numbers)
        self._store.listing = None

    def close(self) -> None:
        self._inner.close()


class FailingReader:
    def read_ready(self, octets: int) -> bytes | None:
        return None

    def read(self, octets: int) -> bytes:
        raise TemporaryFailure

    def close(self) -> None:
        pass


def whole(drop: SurrogateDrop, number: int, octets: int = 7) -> bytes:
    reader = drop.open_message(number)
    pieces = []
    while piece := reader.read(octets):
        pieces.append(piece)
    reader.close()
    return b"".join(pieces)


@pytest.fixture
def store() -> CountingStore:
    made = CountingStore()
    made.deposit(PLAIN, INTERNATIONAL, b"Subject: \xc3\xbc\n", b"", b"X: \xc3\xbc\n\nb\n")
    return made


def test_sizes_are_those_of_what_is_sent(store: CountingStore) -> None:
    """conformance: 6856-S-09, 6856-S-10, 6858-S-03"""
    drop = SurrogateStore(store).open(ALICE)
    listing = drop.listing
    sent = [whole(drop, number) for number in range(1, listing.count + 1)]
    assert [listing.size(number) for number in range(1, 6)] == [len(each) for each in sent]
    assert listing.octets == sum(map(len, sent))
    assert b"".join(listing.scan_listing({2})) == b"".join(
        b"%d %d\r\n" % (number, len(each)) for number, each in enumerate(sent, 1) if number != 2
    )
    original = store.listing
    assert original is not None
    assert list(listing.unique_id_listing(())) == list(original.unique_id_listing(()))
    assert listing.unique_id(2) == original.unique_id(2)
    assert sent[0] == PLAIN.replace(b"\n", b"\r\n")
    assert sent[1].partition(b"\r\n\r\n")[0].isascii()
    assert sent[1].endswith("\r\n\r\nzweite Zeile ☃\r\n".encode())
    assert sent[3:] == [b"", b"\r\nb\r\n"]


def test_where_nothing_is_replaced_the_listing_is_the_same() -> None:
    store = CountingStore()
    store.deposit(PLAIN)
    drop = SurrogateStore(store).open(ALICE)
    assert b"".join(drop.listing.scan_listing(())) == b"1 24\r\n"


@pytest.mark.parametrize("octets", [1, 5, 1_000])
def test_a_reader_hands_on_what_is_ready(store: CountingStore, octets: int) -> None:
    drop = SurrogateStore(store).open(ALICE)
    reader, pieces = drop.open_message(2), []
    while piece := reader.read_ready(octets):
        pieces.append(piece)
    assert piece == b""
    assert b"".join(pieces) == whole(drop, 2)
    assert SurrogateReader(FailingReader()).read_ready(1) is None


def test_no_header_is_read_twice(store: CountingStore) -> None:
    surrogates = SurrogateStore(store)
    assert surrogates.open_ready(ALICE) is None
    surrogates.open(ALICE).close()
    assert store.opened == [1, 2, 3, 4, 5]
    drop = surrogates.open_ready(ALICE)
    assert drop is not None
    assert drop.listing.octets == sum(len(whole(drop, number)) for number in range(1, 6))
    drop.close()
    store.opened.clear()
    store.deposit(INTERNATIONAL)
    assert surrogates.open_ready(ALICE) is None
    surrogates.open(ALICE).close()
    assert store.opened == [6]


def test_a_listing_that_is_another_one_is_not_ready(store: CountingStore) -> None:
    surrogates = SurrogateStore(store)
    surrogates.open(ALICE).close()
    store.deposit(PLAIN)
    store.mail.open(ALICE).close()
    store.listing = store.mail.listing(ALICE)
    assert surrogates.open_ready(ALICE) is None
    drop = surrogates.open(ALICE)
    assert drop.listing.count == 6
    with pytest.raises(MaildropInUse):
        surrogates.open_ready(ALICE)


def test_what_cannot_be_read_now_is_looked_at_again(store: CountingStore) -> None:
    surrogates = SurrogateStore(store)
    store.failing.add(2)
    drop = surrogates.open(ALICE)
    assert store.listing is not None
    assert drop.listing.size(2) == store.listing.size(2)
    with pytest.raises(TemporaryFailure):
        whole(drop, 2)
    drop.close()
    store.failing.clear()
    assert surrogates.open_ready(ALICE) is None
    drop = surrogates.open(ALICE)
    assert drop.listing.size(2) == len(whole(drop, 2))


def test_a_defect_gives_the_lock_back(
    store: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(drop: CountingDrop, number: int) -> MessageReader:
        raise ZeroDivisionError

    monkeypatch.setattr(CountingDrop, "open_message", fail)
    with pytest.raises(ZeroDivisionError):
        SurrogateStore(store).open(ALICE)
    store.mail.open(ALICE).close()


def test_what_is_kept_is_bounded(store: CountingStore) -> None:
    bob = Identity("bob")
    for bound, is_kept in ((5, True), (4, False)):
        surrogates = SurrogateStore(store, known_messages=bound)
        surrogates.open(ALICE).close()
        assert surrogates.open_ready(bob) is None
        surrogates.open(bob).close()
        drop = surrogates.open_ready(ALICE)
        assert (drop is not None) is is_kept
        if drop is not None:
            drop.close()


def test_removal_is_of_messages(store: CountingStore) -> None:
    drop = SurrogateStore(store).open(ALICE)
    drop.remove([2, 3])
    drop.close()
    assert store.mail.listing(ALICE).count == 3


def test_a_header_without_an_end_is_refused(store: CountingStore) -> None:
    store.deposit(b"X: " + b"\xfc" * HELD_OCTETS * 2 + b"\n\nbody\n")
    drop = SurrogateStore(store).open(ALICE)
    with pytest.raises(PermanentFailure, match="too long"):
        whole(drop, 6, 65_536)


def test_places_and_the_end_are_the_other_stores(store: CountingStore) -> None:
    surrogates = SurrogateStore(store)
    assert surrogates.place(ALICE) is None
    surrogates.close()
    assert not store.ready

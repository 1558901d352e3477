"""The contract of mail stores as tests, for any store of any project.

Inherit `StoreContract` in a class that pytest collects and say in `make_store` what is tested:

    class TestMyStore(StoreContract):
        def make_store(self, directory):
            return MyStore(directory)

Every sentence of `restante.maildrop` that can be shown from outside has its test here.
"""

# ruff: noqa: D102 (the name of a test says what it holds)

import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

from restante.errors import MaildropInUse, MessageVanished
from restante.identity import Identity
from restante.maildrop import Buffer, DropListing, Maildrop, MessageReader
from restante.stores.failing import DepositingStore

ALICE = Identity("alice@example.org", "contract", None)
BOB = Identity("bob@example.org", "contract", None)
PIECE_OCTETS = 8_192

SHAPES: dict[str, tuple[bytes, bytes]] = {
    "stored with LF": (b"Subject: a\n\none\ntwo\n", b"Subject: a\r\n\r\none\r\ntwo\r\n"),
    "stored with CRLF": (b"Subject: a\r\n\r\none\r\n", b"Subject: a\r\n\r\none\r\n"),
    "stored with both": (b"Subject: a\r\n\none\r\ntwo\n", b"Subject: a\r\n\r\none\r\ntwo\r\n"),
    "without its last newline": (b"Subject: a\n\nlast", b"Subject: a\r\n\r\nlast\r\n"),
    "ends in a lone CR": (b"a\n\nlast\r", b"a\r\n\r\nlast\r\r\n"),
    "ends in CR CR LF": (b"a\r\r\n", b"a\r\r\n"),
    "a CR inside a line": (b"a\rb\n\rc\n", b"a\rb\r\n\rc\r\n"),
    "lone dots": (b"a\n\n.\n..\n.x\n.\n", b"a\r\n\r\n.\r\n..\r\n.x\r\n.\r\n"),
    "a header alone": (b"Subject: a\n", b"Subject: a\r\n"),
    "no header": (b"\nbody\n", b"\r\nbody\r\n"),
    "no blank line": (b"just\ntext\n", b"just\r\ntext\r\n"),
    "blank lines": (b"\n\n\n", b"\r\n\r\n\r\n"),
    "NUL": (b"a\n\nbefore\0after\n\0\n", b"a\r\n\r\nbefore\0after\r\n\0\r\n"),
    "eight bits": (bytes(range(128, 256)) + b"\n", bytes(range(128, 256)) + b"\r\n"),
    "empty": (b"", b""),
    "one octet": (b"x", b"x\r\n"),
    "a newline": (b"\n", b"\r\n"),
    "a line of 10 MB": (b"a\n\n" + b"x" * 10_000_000, b"a\r\n\r\n" + b"x" * 10_000_000 + b"\r\n"),
}
"""Messages as stored and as they go over the wire."""
BOUNDARIES = tuple(
    b"x" * shift + ending.join([b"line"] * 5_000)
    for shift in range(6)
    for ending in (b"\n", b"\r\n")
)
"""Line ends at, before and behind every place where a store may cut a message into pieces."""


class StoreContract:
    """The tests of one store."""

    def make_store(self, directory: Path) -> DepositingStore:
        """Return a new store without any mail; `directory` is the test's own."""
        raise NotImplementedError

    def take_away(self, directory: Path, store: Any, identity: Identity, unique_id: bytes) -> bool:
        """Remove a message as another program would; False: nobody else can with this store."""
        return False

    # ---- listing

    def test_who_has_no_mail_has_an_empty_maildrop(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        with closing(store.open(ALICE)) as maildrop:
            listing = maildrop.listing
            assert (listing.count, listing.octets) == (0, 0)
            assert _joined(listing.scan_listing(())) == b""
            assert _joined(listing.unique_id_listing(())) == b""

    def test_sizes_are_what_goes_over_the_wire(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        for stored, _ in SHAPES.values():
            store.deposit(ALICE, BytesIO(stored))
        with closing(store.open(ALICE)) as maildrop:
            listing = maildrop.listing
            assert listing.count == len(SHAPES)
            for number, (name, (_, wire)) in enumerate(SHAPES.items(), 1):
                assert listing.size(number) == len(wire), name
                assert read(maildrop.open_message(number)) == wire, name
            assert listing.octets == sum(len(wire) for _, wire in SHAPES.values())

    def test_pieces_may_be_cut_anywhere(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        for stored in BOUNDARIES:
            store.deposit(ALICE, BytesIO(stored))
        with closing(store.open(ALICE)) as maildrop:
            for number, stored in enumerate(BOUNDARIES, 1):
                wire = stored.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"
                assert maildrop.listing.size(number) == len(wire)
                for octets in (1_021, 16_384, 131_072):
                    assert read(maildrop.open_message(number), octets) == wire
                    assert read_ready(maildrop.open_message(number), octets) == wire

    def test_the_listings_agree_with_themselves(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        for number in range(1, 41):
            store.deposit(ALICE, BytesIO(b"x" * number))
        with closing(store.open(ALICE)) as maildrop:
            for marked in (set[int](), {1}, {40}, {7, 8, 33}, set(range(1, 41))):
                self._check_listings(maildrop.listing, marked)

    def _check_listings(self, listing: DropListing, marked: set[int]) -> None:
        numbers = [number for number in range(1, listing.count + 1) if number not in marked]
        sizes = [b"%d %d\r\n" % (number, listing.size(number)) for number in numbers]
        ids = [b"%d %b\r\n" % (number, listing.unique_id(number)) for number in numbers]
        assert _joined(listing.scan_listing(marked)) == b"".join(sizes)
        assert _joined(listing.unique_id_listing(marked)) == b"".join(ids)

    # ---- unique-ids

    def test_unique_ids_are_legal_and_each_is_one_messages(self, tmp_path: Path) -> None:
        """conformance: 1939-S-101"""
        store = self.make_store(tmp_path)
        for _ in range(30):
            store.deposit(ALICE, BytesIO(b"the same\n"))
        with closing(store.open(ALICE)) as maildrop:
            unique_ids = _unique_ids(maildrop)
        assert len(set(unique_ids)) == 30
        for unique_id in unique_ids:
            assert 1 <= len(unique_id) <= 70
            assert all(0x21 <= octet <= 0x7E for octet in unique_id)

    def test_unique_ids_stay_and_are_never_given_again(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        given = [store.deposit(ALICE, BytesIO(b"%d\n" % number)) for number in range(6)]
        with closing(store.open(ALICE)) as maildrop:
            assert _unique_ids(maildrop) == given
            maildrop.remove([2, 5])
        given += [store.deposit(ALICE, BytesIO(b"new\n")) for _ in range(2)]
        assert len(set(given)) == 8
        for _ in range(2):
            with closing(store.open(ALICE)) as maildrop:
                assert _unique_ids(maildrop) == [given[at] for at in (0, 2, 3, 5, 6, 7)]

    # ---- the lock

    def test_a_maildrop_is_one_sessions(self, tmp_path: Path) -> None:
        """conformance: 1939-S-47"""
        store = self.make_store(tmp_path)
        store.deposit(ALICE, BytesIO(b"x\n"))
        for _ in range(2):
            maildrop = store.open(ALICE)
            refused(MaildropInUse, lambda: store.open(ALICE))
            refused(MaildropInUse, lambda: store.open_ready(ALICE) or store.open(ALICE))
            store.open(BOB).close()
            maildrop.close()

    def test_closing_twice_gives_back_one_lock(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        first = store.open(ALICE)
        first.close()
        second = store.open(ALICE)
        first.close()
        refused(MaildropInUse, lambda: store.open(ALICE))
        second.close()

    def test_what_is_ready_is_what_would_be_opened(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        given = store.deposit(ALICE, BytesIO(b"x\n"))
        store.open(ALICE).close()
        ready = store.open_ready(ALICE)
        with closing(ready if ready is not None else store.open(ALICE)) as maildrop:
            assert _unique_ids(maildrop) == [given]

    def test_a_store_that_is_closed_does_nothing_more(self, tmp_path: Path) -> None:
        before = set(threading.enumerate())
        store = self.make_store(tmp_path)
        given = store.deposit(ALICE, BytesIO(b"x\n"))
        with closing(store.open(ALICE)) as maildrop:
            assert read(maildrop.open_message(1)) == b"x\r\n"
            assert _unique_ids(maildrop) == [given]
        store.close()
        assert set(threading.enumerate()) <= before
        store.close()

    # ---- a listing and what comes and goes

    def test_a_delivery_is_the_next_sessions(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        store.deposit(ALICE, BytesIO(b"one\n"))
        with closing(store.open(ALICE)) as maildrop:
            store.deposit(ALICE, BytesIO(b"another one\n"))
            assert (maildrop.listing.count, maildrop.listing.octets) == (1, 5)
            assert read(maildrop.open_message(1)) == b"one\r\n"
            maildrop.remove([1])
        with closing(store.open(ALICE)) as maildrop:
            assert read(maildrop.open_message(1)) == b"another one\r\n"
            assert maildrop.listing.count == 1

    def test_nobodys_mail_is_anothers(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        store.deposit(ALICE, BytesIO(b"for alice\n"))
        with closing(store.open(BOB)) as maildrop:
            assert maildrop.listing.count == 0

    def test_closing_removes_nothing(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        store.deposit(ALICE, BytesIO(b"x\n"))
        for _ in range(3):
            with closing(store.open(ALICE)) as maildrop:
                assert maildrop.listing.count == 1

    def test_what_is_removed_is_gone_and_nothing_else(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        given = [store.deposit(ALICE, BytesIO(b"%d\n" % number)) for number in range(1, 21)]
        gone = {1, 2, 9, 16, 17, 20}
        with closing(store.open(ALICE)) as maildrop:
            maildrop.remove(gone)
        with closing(store.open(ALICE)) as maildrop:
            left = [number for number in range(1, 21) if number not in gone]
            assert _unique_ids(maildrop) == [given[number - 1] for number in left]
            for at, number in enumerate(left, 1):
                assert read(maildrop.open_message(at)) == b"%d\r\n" % number

    def test_removing_nothing_removes_nothing(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        store.deposit(ALICE, BytesIO(b"x\n"))
        with closing(store.open(ALICE)) as maildrop:
            maildrop.remove(())
        with closing(store.open(ALICE)) as maildrop:
            assert maildrop.listing.count == 1

    def test_what_another_program_removed_is_missed_alone(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        given = [store.deposit(ALICE, BytesIO(b"%d\n" % number)) for number in range(3)]
        with closing(store.open(ALICE)) as maildrop:
            if not self.take_away(tmp_path, store, ALICE, given[1]):
                return
            refused(MessageVanished, lambda: read(maildrop.open_message(2)))
            assert read(maildrop.open_message(3)) == b"2\r\n"
            assert maildrop.listing.count == 3
            maildrop.remove([2])
        with closing(store.open(ALICE)) as maildrop:
            assert _unique_ids(maildrop) == [given[0], given[2]]

    # ---- readers

    def test_a_reader_may_be_left_and_closed_twice(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        store.deposit(ALICE, BytesIO(b"x" * 100_000))
        with closing(store.open(ALICE)) as maildrop:
            unread = maildrop.open_message(1)
            unread.close()
            begun = maildrop.open_message(1)
            assert begun.read(10) == b"x" * 10
            begun.close()
            begun.close()

    def test_the_end_is_told_again(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        store.deposit(ALICE, BytesIO(b"x"))
        with closing(store.open(ALICE)) as maildrop, closing(maildrop.open_message(1)) as reader:
            assert b"".join(iter(lambda: reader.read(PIECE_OCTETS), b"")) == b"x\r\n"
            assert reader.read(PIECE_OCTETS) == b""

    def test_ready_and_waiting_reads_may_take_turns(self, tmp_path: Path) -> None:
        store = self.make_store(tmp_path)
        stored = b"".join(b"line %d\r\nline\n\r" % number for number in range(20_000))
        store.deposit(ALICE, BytesIO(stored))
        with closing(store.open(ALICE)) as maildrop:
            reader = maildrop.open_message(1)
            pieces: list[bytes] = []
            while True:
                piece = reader.read_ready(4_099) if len(pieces) % 2 else None
                piece = reader.read(4_099) if piece is None else piece
                if not piece:
                    break
                pieces.append(piece)
            reader.close()
            assert b"".join(pieces) == read(maildrop.open_message(1))
            assert len(b"".join(pieces)) == maildrop.listing.size(1)


def read(reader: MessageReader, octets: int = PIECE_OCTETS) -> bytes:
    """Return a whole message, waiting for the disk."""
    with closing(reader):
        return b"".join(iter(lambda: reader.read(octets), b""))


def read_ready(reader: MessageReader, octets: int = PIECE_OCTETS) -> bytes:
    """Return a whole message, waiting only where the reader says that it would."""
    with closing(reader):
        pieces: list[bytes] = []
        while True:
            piece = reader.read_ready(octets)
            if piece is None:
                piece = reader.read(octets)
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)


def refused(kind: type[Exception], call: Callable[[], object]) -> None:
    """Hold a call to raising an error."""
    try:
        call()
    except kind:
        return
    raise AssertionError(f"it did not raise {kind.__name__}")


def _unique_ids(maildrop: Maildrop) -> list[bytes]:
    listing = maildrop.listing
    return [listing.unique_id(number) for number in range(1, listing.count + 1)]


def _joined(pieces: Iterable[Buffer]) -> bytes:
    return b"".join(pieces)

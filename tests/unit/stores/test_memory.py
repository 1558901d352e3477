"""What the memory store has besides the contract."""

from io import BytesIO

from restante.stores.memory import MemoryStore
from unit.stores.mailboxes import ALICE


def test_the_listing_of_the_next_session() -> None:
    store = MemoryStore()
    assert store.listing(ALICE).count == 0
    store.deposit(ALICE, BytesIO(b"a\n"))
    assert (store.listing(ALICE).count, store.listing(ALICE).octets) == (1, 3)


def test_a_message_that_is_read_stays_whole_when_it_is_removed() -> None:
    store = MemoryStore()
    store.deposit(ALICE, BytesIO(b"abc\n"))
    maildrop = store.open(ALICE)
    reader = maildrop.open_message(1)
    assert reader.read(2) == b"ab"
    maildrop.remove([1])
    assert reader.read(10) == b"c\r\n"

"""The failing store fails when told to, and then no more."""

from contextlib import closing
from io import BytesIO

import pytest

from restante.errors import MessageVanished, TemporaryFailure, UpdateIncomplete
from restante.stores.failing import FailingStore
from restante.stores.memory import MemoryStore
from unit.stores.mailboxes import ALICE


@pytest.fixture
def store() -> FailingStore:
    store = FailingStore(MemoryStore())
    for number in range(4):
        store.deposit(ALICE, BytesIO(b"%d\n" % number))
    return store


def test_opening_fails(store: FailingStore) -> None:
    store.fail("open", TemporaryFailure(), times=2)
    with pytest.raises(TemporaryFailure):
        store.open(ALICE)
    with pytest.raises(TemporaryFailure):
        store.open_ready(ALICE)
    store.open(ALICE).close()


def test_depositing_fails(store: FailingStore) -> None:
    store.fail("deposit", TemporaryFailure())
    with pytest.raises(TemporaryFailure):
        store.deposit(ALICE, BytesIO(b"x"))
    store.deposit(ALICE, BytesIO(b"x"))


def test_reading_fails_in_the_midst_of_a_message(store: FailingStore) -> None:
    store.fail("read", TemporaryFailure(), skip=1)
    with closing(store.open(ALICE)) as maildrop, closing(maildrop.open_message(1)) as reader:
        assert reader.read(1) == b"0"
        with pytest.raises(TemporaryFailure):
            reader.read_ready(1)


def test_a_message_that_is_gone(store: FailingStore) -> None:
    store.fail("open_message", MessageVanished())
    with closing(store.open(ALICE)) as maildrop:
        with pytest.raises(MessageVanished):
            maildrop.open_message(1)
        maildrop.open_message(1).close()


def test_a_removal_that_is_carried_out_in_part(store: FailingStore) -> None:
    store.fail("remove", UpdateIncomplete(2))
    with closing(store.open(ALICE)) as maildrop, pytest.raises(UpdateIncomplete):
        maildrop.remove([4, 1, 2])
    with closing(store.open(ALICE)) as maildrop:
        assert maildrop.listing.count == 3
        assert maildrop.open_message(1).read(9) == b"1\r\n"


def test_everything_waits_for_the_disk(store: FailingStore) -> None:
    store.waits_for_disk = True
    assert store.open_ready(ALICE) is None
    with closing(store.open(ALICE)) as maildrop, closing(maildrop.open_message(1)) as reader:
        assert reader.read_ready(9) is None
        assert reader.read(9) == b"0\r\n"

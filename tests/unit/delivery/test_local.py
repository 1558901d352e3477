"""Local delivery: one message in, as it is, but for what is no part of it."""

from io import BytesIO

import pytest

from restante.delivery.local import EmptyMessage, deliver
from restante.errors import TemporaryFailure
from restante.identity import Identity
from restante.stores.failing import FailingStore
from restante.stores.memory import MemoryStore
from restante.telemetry import Event, RecordingLog
from restante.testing.stores import read

BOB = Identity("bob", "test", None)


def delivered(message: bytes) -> bytes:
    store, log = MemoryStore(), RecordingLog()
    unique_id = deliver(store, BOB, BytesIO(message), log)
    assert log.events == [(Event.DELIVERED, {"user": "bob", "unique_id": unique_id.decode()})]
    maildrop = store.open(BOB)
    assert maildrop.listing.unique_id(1) == unique_id
    return read(maildrop.open_message(1))


@pytest.mark.parametrize(
    ("message", "stored"),
    [
        (b"Subject: x\r\n\r\nbody\r\n", b"Subject: x\r\n\r\nbody\r\n"),
        (b"From bob Mon Jan  1\nSubject: x\n", b"Subject: x\r\n"),
        (b"From: bob\n", b"From: bob\r\n"),
        (b"From", b"From\r\n"),
        (b"x", b"x\r\n"),
        (b"Subject: x\n\nFrom here on\n", b"Subject: x\r\n\r\nFrom here on\r\n"),
        (b"From bob\nFrom bob\n", b"From bob\r\n"),
        (b"a\0\n" + b"x" * 3_000_000, b"a\0\r\n" + b"x" * 3_000_000 + b"\r\n"),
    ],
)
def test_a_message_goes_in_as_it_is(message: bytes, stored: bytes) -> None:
    assert delivered(message) == stored


@pytest.mark.parametrize("message", [b"", b"From bob Mon Jan  1\n", b"From bob without an end"])
def test_nothing_is_no_message(message: bytes) -> None:
    store, log = MemoryStore(), RecordingLog()
    with pytest.raises(EmptyMessage):
        deliver(store, BOB, BytesIO(message), log)
    assert (store.listing(BOB).count, log.events) == (0, [])


def test_what_was_not_stored_is_not_logged_as_delivered() -> None:
    store, log = FailingStore(MemoryStore()), RecordingLog()
    store.fail("deposit", TemporaryFailure())
    with pytest.raises(TemporaryFailure):
        deliver(store, BOB, BytesIO(b"x"), log)
    assert log.events == []

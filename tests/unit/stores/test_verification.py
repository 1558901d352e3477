"""Claims of sizes: counted in the background, corrected for the next session, never under one."""

import threading
import time

import pytest

from restante.stores import maildir, verification
from restante.stores.maildir import MaildirStore
from restante.stores.verification import Verification, Verifier, corrected
from restante.telemetry import Event
from restante.testing.stores import read
from unit.stores.mailboxes import ALICE, Mailbox, TestedStore, listed

LIE = "1700000001.a,S=17,W=17"
"""As large as the file is: who believes it sends the file as it lies there."""
STORED = b"Subject: x\n\nbody\n"
WIRE = STORED.replace(b"\n", b"\r\n")


@pytest.fixture
def store(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> TestedStore:
    """A store that believes names at first, and verifies when it is told to."""
    monkeypatch.setattr(Verifier, "_run", lambda self: None)
    mailbox.add(f"cur/{LIE}:2,", STORED)
    mailbox.add("cur/1700000002.b,W=20:2,", STORED)
    mailbox.settle()
    return mailbox.store(verify_at_login=0)


def verify(store: MaildirStore, limit: int = 20) -> None:
    """Do what the thread would."""
    for _ in range(limit):
        store._verifier.step()


def corrections(store: TestedStore) -> list[tuple[object, object, object]]:
    return [
        (fields["unique_id"], fields["listed"], fields["octets"])
        for event, fields in store.log.events
        if event is Event.SIZE_CORRECTED and "unique_id" in fields
    ]


def test_a_lie_is_corrected_for_the_next_session(mailbox: Mailbox, store: TestedStore) -> None:
    assert store.seen() == {b"1700000001.a": 17, b"1700000002.b": 20}
    verify(store)
    right = {b"1700000001.a": 20, b"1700000002.b": 20}
    assert store.seen() == right
    assert corrections(store) == [("1700000001.a", 17, 20)]
    # It is recorded, and verified once only.
    other = mailbox.store(verify_at_login=0)
    maildrop = other.open(ALICE)
    assert listed(maildrop) == right
    assert not maildrop.listing.has_claims
    maildrop.close()


def test_another_process_takes_the_correction_in(mailbox: Mailbox, store: TestedStore) -> None:
    other = mailbox.store(verify_at_login=0)
    assert other.seen() == store.seen()
    verify(store)
    assert other.open_ready(ALICE) is None
    assert other.seen() == {b"1700000001.a": 20, b"1700000002.b": 20}
    ready = other.open_ready(ALICE)
    assert ready is not None
    ready.close()


def test_a_claim_never_lets_a_bare_lf_out(store: TestedStore) -> None:
    maildrop = store.open(ALICE)
    assert maildrop.listing.size(1) == len(STORED)
    assert read(maildrop.open_message(1)) == WIRE
    maildrop.close()


def test_what_a_session_reads_is_believed_for_the_next(
    store: TestedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    maildrop = store.open(ALICE)
    read(maildrop.open_message(1))
    assert maildrop.listing.size(1) == 17
    maildrop.close()
    monkeypatch.setattr(verification, "wire_size", lambda path: pytest.fail("read twice"))
    monkeypatch.setattr(Verification, "is_read", property(lambda self: True))
    verify(store)
    maildrop = store.open(ALICE)
    assert listed(maildrop) == {b"1700000001.a": 20, b"1700000002.b": 20}
    assert [maildrop.listing.is_claim(number) for number in (1, 2)] == [False, True]
    maildrop.close()


def test_a_file_that_became_another_is_corrected_too(mailbox: Mailbox) -> None:
    path = mailbox.add("cur/1700000001.a:2,", STORED)
    mailbox.settle()
    store = mailbox.store()
    assert store.seen() == {b"1700000001.a": 20}
    path.write_bytes(b"other\n")
    maildrop = store.open(ALICE)
    assert read(maildrop.open_message(1)) == b"other\r\n"
    maildrop.close()
    verify(store)
    store.close()
    assert store.seen() == {b"1700000001.a": 7}


def test_what_another_process_corrected_is_seen_when_it_is_read(mailbox: Mailbox) -> None:
    path = mailbox.add("cur/1700000001.a:2,", STORED)
    mailbox.settle()
    stores = [mailbox.store(), mailbox.store()]
    for store in stores:
        assert store.seen() == {b"1700000001.a": 20}
    path.write_bytes(b"other\n")
    for store in stores:
        maildrop = store.open_ready(ALICE) or store.open(ALICE)
        assert listed(maildrop) == {b"1700000001.a": 20}
        read(maildrop.open_message(1))
        maildrop.close()
        verify(store)
        store.close()
    for store in stores:
        maildrop = store.open_ready(ALICE) or store.open(ALICE)
        assert listed(maildrop) == {b"1700000001.a": 7}
        maildrop.close()


def test_nothing_is_recorded_under_a_session(store: TestedStore) -> None:
    store.seen()
    maildrop = store.open(ALICE)
    verify(store)
    assert listed(maildrop) == {b"1700000001.a": 17, b"1700000002.b": 20}
    assert corrections(store) == []
    maildrop.remove([2])
    maildrop.close()
    verify(store)
    assert store.seen() == {b"1700000001.a": 20}


def test_what_was_renamed_or_went_is_no_hindrance(mailbox: Mailbox, store: TestedStore) -> None:
    store.seen()
    (mailbox.path / "cur" / f"{LIE}:2,").rename(mailbox.path / "cur" / f"{LIE}:2,S")
    (mailbox.path / "cur" / "1700000002.b,W=20:2,").unlink()
    mailbox.add("new/1700000003.c,W=3", STORED)
    verify(store)
    assert store.seen() == {b"1700000001.a": 17, b"1700000003.c": 3}
    verify(store)
    assert store.seen() == {b"1700000001.a": 20, b"1700000003.c": 20}


def test_many_corrections_are_counted(mailbox: Mailbox, store: TestedStore) -> None:
    for number in range(20):
        mailbox.add(f"cur/18000000{number:02}.x,W=1:2,", STORED)
    store.seen()
    verify(store)
    assert len(corrections(store)) == maildir.CORRECTIONS_LOGGED
    more = [fields.get("more") for event, fields in store.log.events]
    assert more[-1] == 21 - maildir.CORRECTIONS_LOGGED


def test_the_pace_is_bounded(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    read_paths: list[bytes] = []

    def record(path: bytes) -> int:
        read_paths.append(path)
        return 3 * verification.OCTETS_PER_SECOND

    monkeypatch.setattr(Verifier, "_run", lambda self: None)
    monkeypatch.setattr(verification, "wire_size", record)
    for number in range(50):
        mailbox.add(f"cur/18000000{number:02}.x,W=1:2,", b"x")
    store = mailbox.store(verify_at_login=0)
    store.seen()
    assert store._verifier.step() == 3 * verification.BATCH
    assert len(read_paths) == verification.BATCH
    monkeypatch.setattr(verification, "wire_size", lambda path: 1)
    assert store._verifier.step() == verification.BATCH / verification.PER_SECOND


def test_a_bounded_number_waits(mailbox: Mailbox, store: TestedStore) -> None:
    maildrop = store.open(ALICE)
    for number in range(verification.MAILBOXES + 10):
        store.verify_later(b"%d" % number, number, maildrop.listing, {})
    assert len(store._verifier._waiting) == verification.MAILBOXES
    maildrop.close()


def test_a_session_that_stays_is_not_waited_for_for_ever(
    store: TestedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "ATTEMPTS", 3)
    store.seen()
    maildrop = store.open(ALICE)
    assert store._verifier.step() > 0
    rests = [store._verifier.step() for _ in range(3)]
    assert rests == [verification.RETRY_SECONDS, verification.RETRY_SECONDS, 0.0]
    assert store._verifier.step() == 0.0
    maildrop.close()


def test_a_drained_maildrop_leaves_nothing_to_count(
    store: TestedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Verifier, "begin", lambda *_: pytest.fail("there is nothing left"))
    maildrop = store.open(ALICE)
    for number in (1, 2):
        read(maildrop.open_message(number))
    maildrop.remove([1, 2])
    maildrop.close()


def test_what_was_removed_is_not_counted(store: TestedStore) -> None:
    maildrop = store.open(ALICE)
    read(maildrop.open_message(1))
    maildrop.remove([1])
    maildrop.close()
    [waiting] = store._verifier._waiting.values()
    assert waiting.counted == {}
    assert waiting.image.unique_ids() == [b"1700000002.b"]


def test_nothing_to_correct_writes_nothing(store: TestedStore) -> None:
    maildrop = store.open(ALICE)
    image = maildrop.listing
    maildrop.close()
    assert corrected(image, {}) is None
    found = corrected(image, {b"1700000002.b": 20})
    assert found is not None
    assert (found[0].claims(), found[2]) == (b"\1\0", [])
    assert found[1].first == 1


def test_it_goes_on_in_its_thread_and_stops(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.add(f"cur/{LIE}:2,", STORED)
    mailbox.settle()
    store = mailbox.store(verify_at_login=0)
    recorded = threading.Event()
    record = store._verifier._record

    def record_and_tell(verification: Verification) -> bool:
        done = record(verification)
        if done:
            recorded.set()
        return done

    monkeypatch.setattr(store._verifier, "_record", record_and_tell)
    assert store.seen() == {b"1700000001.a": 17}
    assert recorded.wait(20)
    assert store.seen() == {b"1700000001.a": 20}
    store.close()
    assert store._verifier._thread is not None
    assert not store._verifier._thread.is_alive()


def test_stopping_in_the_midst_keeps_what_was_counted(mailbox: Mailbox, store: TestedStore) -> None:
    store.seen()
    store._verifier.step()
    started = time.monotonic()
    store.close()
    assert time.monotonic() - started < 20
    assert mailbox.store(verify_at_login=0).seen()[b"1700000001.a"] == 20
    # Nothing is begun behind the end.
    maildrop = store.open(ALICE)
    store.verify_later(b"x", 1, maildrop.listing, {})
    assert not store._verifier._waiting
    maildrop.close()

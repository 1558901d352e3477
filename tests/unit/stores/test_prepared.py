"""What a login has counted is sent as it was read, and not if the file is another now."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.errors import MessageVanished
from restante.maildrop import MessageReader
from restante.stores import prepared as module
from restante.stores.openat2 import open_cached
from restante.stores.prepared import Preparation, Preparations
from restante.stores.sizes import READ_OCTETS
from restante.testing.stores import BOUNDARIES, SHAPES, read, read_ready
from unit.stores.mailboxes import ALICE, Mailbox

MESSAGE = b"Subject: x\n\nbody\n"
WIRE = MESSAGE.replace(b"\n", b"\r\n")


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every file's last change long ago."""
    monkeypatch.setattr(module, "clock_ns", lambda: time.time_ns() + 10 * 10**9)


def nowhere() -> MessageReader:
    raise MessageVanished


class Drop:
    """Files of one session, counted as a login does it."""

    def __init__(self, mailbox: Mailbox, memory: Preparations) -> None:
        self._mailbox = mailbox
        self.preparation = Preparation(memory)

    def add(self, name: str, message: bytes = MESSAGE) -> bytes:
        path = os.fsencode(self._mailbox.add(name, message))
        self.octets = self.preparation.count(path)
        return path

    def open(self, path: bytes) -> MessageReader:
        return self.preparation.open(path, nowhere)

    def has(self, path: bytes) -> bool:
        return path in self.preparation.messages


@pytest.fixture
def memory() -> Preparations:
    return Preparations(1 << 20)


@pytest.fixture
def drop(mailbox: Mailbox, memory: Preparations) -> Drop:
    return Drop(mailbox, memory)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("way", [read, read_ready])
def test_every_shape_is_counted_and_sent(
    mailbox: Mailbox, shape: str, way: Callable[[MessageReader], bytes]
) -> None:
    stored, wire = SHAPES[shape]
    memory = Preparations(1 << 30)
    drop = Drop(mailbox, memory)
    path = drop.add("cur/a", stored)
    assert drop.octets == len(wire)
    assert way(drop.open(path)) == wire
    assert memory.octets == 0


@pytest.mark.parametrize("octets", [1_021, READ_OCTETS])
def test_pieces_may_be_cut_anywhere(mailbox: Mailbox, octets: int) -> None:
    drop = Drop(mailbox, Preparations(1 << 24))
    for number, stored in enumerate(BOUNDARIES):
        path = drop.add(f"cur/{number}", stored * 6)
        wire = (stored * 6).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"
        assert drop.octets == len(wire)
        assert drop.has(path)
        assert read(drop.open(path), octets) == wire


def test_no_piece_is_much_more_than_was_asked_for(drop: Drop) -> None:
    reader = drop.open(drop.add("cur/a", b"x" * 70_000 + b"\n"))
    assert len(reader.read(16_384)) <= 2 * 16_384
    reader.close()
    assert reader.read(16_384) == b""


def test_what_may_be_in_the_making_is_not_kept(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "clock_ns", time.time_ns)
    path = drop.add("cur/a")
    assert drop.octets == len(WIRE)
    assert not drop.has(path)


# ---- the file is another now


def test_a_file_that_is_gone_is_not_sent(drop: Drop, memory: Preparations) -> None:
    path = drop.add("cur/a")
    os.unlink(path)
    with pytest.raises(MessageVanished):
        drop.open(path).read_ready(100)
    assert memory.octets == 0


@pytest.mark.parametrize("way", [read, read_ready])
def test_a_file_that_was_written_to_is_read_again(
    drop: Drop, memory: Preparations, way: Callable[[MessageReader], bytes]
) -> None:
    path = drop.add("cur/a")
    status = os.stat(path)
    with Path(os.fsdecode(path)).open("r+b") as file:
        file.write(b"SUBJECT")
    # Whoever did it hides it as well as can be.
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    fresh = Preparation(Preparations(1 << 20))
    fresh.count(path)
    reader = drop.preparation.open(path, lambda: fresh.open(path, nowhere))
    assert way(reader) == b"SUBJECT" + WIRE[7:]
    assert memory.octets == 0


def test_another_file_of_its_name_is_not_taken_for_it(drop: Drop, mailbox: Mailbox) -> None:
    path = drop.add("cur/a")
    mailbox.add("tmp/b").rename(mailbox.path / "cur" / "a")
    with pytest.raises(MessageVanished):
        read(drop.open(path))


def test_a_link_in_its_place_is_not_followed(drop: Drop, mailbox: Mailbox) -> None:
    path = drop.add("cur/a")
    os.rename(path, mailbox.path / "tmp" / "a")
    os.symlink(mailbox.path / "tmp" / "a", path)
    with pytest.raises(MessageVanished):
        read_ready(drop.open(path))


def test_what_cannot_be_seen_at_once_is_waited_for(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_in_memory(path: bytes, how: bytes) -> int:
        raise BlockingIOError

    path = drop.add("cur/a")
    monkeypatch.setattr("restante.stores.sizes.open_cached", not_in_memory)
    reader = drop.open(path)
    assert reader.read_ready(100) is None
    monkeypatch.setattr("restante.stores.sizes.open_cached", open_cached)
    assert read(reader) == WIRE


def test_a_file_that_shrinks_while_it_is_counted(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = iter([b"half", b""])
    monkeypatch.setattr(os, "read", lambda descriptor, octets: next(pieces))
    path = drop.add("cur/a")
    assert drop.octets == 6
    assert read(drop.open(path)) == b"half\r\n"


# ---- the bound


def test_the_latest_login_drives_out_older_ones(mailbox: Mailbox) -> None:
    memory = Preparations(1 << 20)
    drops = [Drop(mailbox, memory) for _ in range(3)]
    paths = [
        [drop.add(f"cur/{number}-{file}", b"x" * 99_000) for file in range(5)]
        for number, drop in enumerate(drops)
    ]
    assert not any(map(drops[0].has, paths[0]))
    assert all(map(drops[1].has, paths[1]))
    assert all(map(drops[2].has, paths[2]))
    assert 990_000 < memory.octets <= 1 << 20
    # Who was driven out drives nobody out.
    assert not drops[0].has(drops[0].add("cur/more", b"x" * 99_000))
    assert drops[0].octets == 99_002
    assert all(map(drops[1].has, paths[1]))


def test_a_login_keeps_its_first_messages_where_not_all_fit(drop: Drop) -> None:
    paths = [drop.add(f"cur/{number}", b"x" * 99_000) for number in range(12)]
    assert [drop.has(path) for path in paths] == [True] * 10 + [False] * 2
    assert drop.octets == 99_002


def test_a_message_of_an_eighth_of_the_bound_is_the_largest(drop: Drop) -> None:
    assert drop.has(drop.add("cur/a", b"x" * (1 << 17)))
    assert not drop.has(drop.add("cur/b", b"x" * (1 + (1 << 17))))
    assert drop.octets == 3 + (1 << 17)


def test_what_is_on_its_way_out_is_counted(drop: Drop, memory: Preparations) -> None:
    reader = drop.open(drop.add("cur/a", b"x" * 99_000))
    reader.read(10_000)
    assert memory.octets > 99_000
    drop.preparation.close()
    assert memory.octets > 99_000
    reader.close()
    reader.close()
    assert memory.octets == 0


def test_what_is_counted_twice_is_kept_once(drop: Drop, memory: Preparations) -> None:
    drop.add("cur/a")
    once = memory.octets
    drop.add("cur/a")
    assert memory.octets == once


def test_a_session_leaves_nothing_behind(drop: Drop, memory: Preparations) -> None:
    path = drop.add("cur/a")
    drop.preparation.close()
    assert memory.octets == 0
    with pytest.raises(MessageVanished):
        drop.open(path)


def test_nothing_is_kept_where_nothing_may_be(mailbox: Mailbox) -> None:
    drop = Drop(mailbox, Preparations(0))
    assert not drop.has(drop.add("cur/a"))
    assert drop.octets == len(WIRE)


# ---- in a store


def test_a_session_reads_no_file_that_its_login_has_counted(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.add("new/1.a")
    mailbox.add("cur/2.b,W=20:2,")
    maildrop = mailbox.store().open(ALICE)
    monkeypatch.setattr(os, "preadv", lambda *arguments: pytest.fail("read again"))
    assert read_ready(maildrop.open_message(1)) == WIRE
    assert read_ready(maildrop.open_message(2)) == WIRE
    monkeypatch.undo()
    assert read_ready(maildrop.open_message(1)) == WIRE
    maildrop.close()


def test_a_message_renamed_since_is_found_again(mailbox: Mailbox) -> None:
    path = mailbox.add("new/1.a")
    maildrop = mailbox.store().open(ALICE)
    path.rename(mailbox.path / "cur" / "1.a:2,S")
    assert read_ready(maildrop.open_message(1)) == WIRE
    maildrop.close()


def test_what_lies_elsewhere_is_not_kept(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine may change a file, and it is not seen here before it is opened."""
    mailbox.add("new/1.a")
    store = mailbox.store()
    monkeypatch.setattr(store, "is_local", lambda key: False)
    monkeypatch.setattr(module, "prepare", lambda *arguments: pytest.fail("kept"))
    maildrop = store.open(ALICE)
    assert read_ready(maildrop.open_message(1)) == WIRE
    maildrop.close()


def test_a_login_that_fails_leaves_nothing_behind(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.add("new/1.a")
    closed: list[Preparation] = []
    close = Preparation.close

    def closing(preparation: Preparation) -> None:
        closed.append(preparation)
        close(preparation)

    def fail(*arguments: object) -> None:
        raise KeyboardInterrupt

    store = mailbox.store()
    monkeypatch.setattr(Preparation, "close", closing)
    monkeypatch.setattr(store, "_keep", fail)
    with pytest.raises(KeyboardInterrupt):
        store.open(ALICE)
    assert len(closed) == 1
    assert not closed[0]

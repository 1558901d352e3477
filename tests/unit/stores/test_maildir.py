"""The Maildir store: opening, other programs, hostile files, and every way the disk can fail."""

import os
import shutil
import stat
from array import array
from io import BytesIO
from pathlib import Path

import pytest

from restante.errors import (
    MaildropInUse,
    MessageVanished,
    PermanentFailure,
    TemporaryFailure,
    UpdateIncomplete,
)
from restante.identity import Identity
from restante.maildrop import Places
from restante.stores import maildir as module
from restante.stores.cache import Cached
from restante.stores.image import Version, render
from restante.stores.locks import lock_key
from restante.stores.records import Records
from restante.testing.stores import SHAPES, read
from unit.stores.mailboxes import ALICE, Mailbox, listed


def test_a_maildir_as_other_programs_write_it(mailbox: Mailbox) -> None:
    for number, (stored, wire) in enumerate(SHAPES.values()):
        claims = ("", f",S={len(stored)}", f",S={len(stored)},W={len(wire)}", ",W=1")[number % 4]
        folder, flags = (("new", ""), ("cur", ":2,S"))[number % 2]
        mailbox.add(f"{folder}/17000000{number:02}.M1P1.host{claims}{flags}", stored)
    maildrop = mailbox.store().open(ALICE)
    for number, (name, (_, wire)) in enumerate(SHAPES.items(), 1):
        assert maildrop.listing.size(number) == len(wire), name
        assert read(maildrop.open_message(number)) == wire, name
    maildrop.close()


# ---- opening


def test_an_absent_maildir_is_empty_and_stays_absent(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "somebody")
    store = mailbox.store()
    maildrop = store.open(Identity("nobody", "test", None))
    assert maildrop.listing.count == 0
    with pytest.raises(MaildropInUse):
        store.open(Identity("nobody", "test", None))
    maildrop.remove([])
    maildrop.close()
    assert store.listing(Identity("nobody", "test", None)).count == 0
    assert not (tmp_path / "somebody" / "nobody").exists()


def test_a_folder_without_folders_is_an_empty_maildir(mailbox: Mailbox) -> None:
    for folder in ("new", "cur", "tmp"):
        (mailbox.path / folder).rmdir()
    assert mailbox.store().seen() == {}
    assert list(mailbox.path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "fifo", "file above", "long"])
def test_what_is_no_maildir_is_a_permanent_failure(mailbox: Mailbox, kind: str) -> None:
    path = {
        "file": mailbox.directory / "file",
        "fifo": mailbox.directory / "fifo",
        "file above": mailbox.directory / "file" / "Maildir",
        "long": mailbox.directory / ("x" * 300),
    }[kind]
    (mailbox.directory / "file").touch()
    os.mkfifo(mailbox.directory / "fifo")
    store = mailbox.store()
    identity = Identity("bob", "test", str(path))
    for _ in range(2):
        with pytest.raises(PermanentFailure):
            store.open(identity)


@pytest.mark.parametrize("name", ["new", "cur"])
def test_the_lock_is_given_back_when_opening_fails(mailbox: Mailbox, name: str) -> None:
    """conformance: 1939-S-49"""
    (mailbox.path / name).rmdir()
    (mailbox.path / name).symlink_to("/etc")
    store = mailbox.store()
    for _ in range(2):
        with pytest.raises(PermanentFailure):
            store.open(ALICE)
    (mailbox.path / name).unlink()
    (mailbox.path / name).mkdir()
    assert store.seen() == {}


def test_a_disk_that_fails_is_a_temporary_failure_and_leaves_no_lock(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(5, "Input/output error")

    store = mailbox.store()
    monkeypatch.setattr(module, "stands", fail)
    mailbox.add_many(1)
    monkeypatch.setattr("restante.stores.refresh.changed", fail)
    with pytest.raises(TemporaryFailure):
        store.open(ALICE)
    with pytest.raises(TemporaryFailure):
        store.listing(ALICE)
    monkeypatch.undo()
    assert len(store.seen()) == 1


def test_two_paths_to_one_maildir_are_one_lock(mailbox: Mailbox) -> None:
    link = mailbox.directory / "link"
    link.symlink_to(mailbox.path)
    store = mailbox.store()
    maildrop = store.open(ALICE)
    with pytest.raises(MaildropInUse):
        store.open(Identity("bob", "test", str(link)))
    maildrop.close()


def test_a_folder_that_took_anothers_place_has_a_lock_of_its_own(mailbox: Mailbox) -> None:
    """A copy keeps the times of the folders, so that they cannot tell it from what it replaced."""
    mailbox.add_many(3)
    mailbox.settle()
    store, other = mailbox.store(), mailbox.store()
    given = store.seen()
    mailbox.path.rename(mailbox.directory / "before")
    shutil.copytree(mailbox.directory / "before", mailbox.path)
    maildrop = other.open(ALICE)
    assert store.open_ready(ALICE) is None
    with pytest.raises(MaildropInUse):
        store.open(ALICE)
    maildrop.close()
    assert store.seen() == given
    ready = store.open_ready(ALICE)
    assert ready is not None
    ready.close()


def test_a_session_of_a_folder_that_was_replaced_records_nothing_in_the_new_one(
    mailbox: Mailbox,
) -> None:
    mailbox.add_many(3, b"old\n")
    store, other = mailbox.store(verify_at_login=0), mailbox.store()
    maildrop = store.open(ALICE)
    assert read(maildrop.open_message(2)) == b"old\r\n"
    mailbox.path.rename(mailbox.directory / "before")
    anew = Mailbox(mailbox.directory)
    anew.add("new/1900000000.new")
    given = other.seen()
    recorded = (anew.path / "restante.catalogue").read_bytes()
    maildrop.remove([1])
    maildrop.close()
    store.close()
    assert (anew.path / "restante.catalogue").read_bytes() == recorded
    assert other.seen() == store.seen() == given


def test_a_disk_is_never_waited_for_where_others_wait_as_well(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.add_many(3)
    store = mailbox.store()
    stamp = Records.stamp

    def look(records: Records) -> object:
        assert not store._guard.locked()
        return stamp(records)

    monkeypatch.setattr(Records, "stamp", look)
    assert len(store.seen()) == 3


def test_what_stands_is_ready(mailbox: Mailbox) -> None:
    mailbox.add_many(3)
    mailbox.settle()
    store = mailbox.store()
    assert store.open_ready(ALICE) is None
    given = store.seen()
    ready = store.open_ready(ALICE)
    assert ready is not None
    assert listed(ready) == given
    with pytest.raises(MaildropInUse):
        store.open_ready(ALICE)
    ready.close()
    mailbox.add("new/1800000000.new")
    assert store.open_ready(ALICE) is None
    assert len(store.seen()) == 4


def test_nothing_is_ready_on_a_file_system_that_may_ask_a_server(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_local", lambda path: False)
    mailbox.add_many(3)
    mailbox.settle()
    store = mailbox.store()
    assert len(store.seen()) == 3
    monkeypatch.setattr(module, "is_seen_unchanged", lambda *seen: pytest.fail("it was asked"))
    assert store.open_ready(ALICE) is None
    maildrop = store.open(ALICE)
    reader = maildrop.open_message(1)
    assert reader.read_ready(100) is None
    assert read(reader)
    maildrop.close()


def test_maildrops_of_one_disk_are_in_one_place(mailbox: Mailbox) -> None:
    store = mailbox.store()
    device = mailbox.path.stat().st_dev
    assert isinstance(store, Places)
    elsewhere = store._mounts.device(b"/proc")
    assert store.place(Identity("nobody", mailbox="/proc/nobody")) == elsewhere
    linked = Identity("linked", mailbox="/proc/self/cwd")
    assert store.place(linked) == elsewhere
    store._keep(b"/proc/self/cwd", lock_key(device, 1), module.EMPTY, Records(b"/", store._log))
    assert store.place(linked) == device
    store.seen()
    assert store.place(ALICE) == device
    maildrop = store.open(ALICE)
    assert store.place_of(maildrop) == device
    maildrop.close()
    assert store.place_of(maildrop) == 0


def test_a_device_may_be_another_once_something_is_mounted(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers that a kernel makes up are given again."""
    mailbox.settle()
    store = mailbox.store()
    store.seen()
    ready = store.open_ready(ALICE)
    assert ready is not None
    ready.close()
    monkeypatch.setattr(module, "is_local", lambda path: False)
    store._mounts._read()
    store.seen()
    assert store.open_ready(ALICE) is None


def test_devices_are_remembered_in_bounds(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEVICES", 2)
    mailbox.settle()
    store = mailbox.store()
    store.seen()
    store._local = {1: True, 2: False}
    store.seen()
    assert list(store._local) == [mailbox.path.stat().st_dev]
    store.seen()
    assert store.open_ready(ALICE) is not None


def test_what_has_claims_is_ready_while_its_catalogue_is_the_same(mailbox: Mailbox) -> None:
    mailbox.add("cur/1700000000.a,S=18,W=21:2,")
    mailbox.settle()
    store, other = mailbox.store(verify_at_login=0), mailbox.store(verify_at_login=0)
    store.seen()
    ready = store.open_ready(ALICE)
    assert ready is not None
    assert ready.listing.size(1) == 21
    ready.close()
    other.seen()
    other._verifier.stop()
    assert store.open_ready(ALICE) is None
    store._verifier.stop()


def test_what_proves_nothing_is_not_ready(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_seen_unchanged", lambda *seen: True)
    for version, stands in ((Version(1, 1, 1), True), (Version(1, 0, 1), False)):
        image = render(version, [b"new/a"], array("Q", [1]), [b"a"])
        assert module.stands_at_a_glance(mailbox.octets, Cached(1, image, None)) == stands


def test_a_change_that_may_share_its_time_with_another_is_not_believed(mailbox: Mailbox) -> None:
    store = mailbox.store()
    for number in range(30):
        mailbox.add(f"new/17000000{number:02}.a")
        assert len(store.seen()) == number + 1


# ---- other programs


def test_they_rename_and_remove_and_deliver_during_a_session(mailbox: Mailbox) -> None:
    """S4"""
    for number in range(4):
        mailbox.add(f"new/170000000{number}.a,S=6", b"msg %d\n" % number)
    store = mailbox.store()
    maildrop = store.open(ALICE)
    (mailbox.path / "new" / "1700000000.a,S=6").rename(
        mailbox.path / "cur" / "1700000000.a,S=6:2,S"
    )
    (mailbox.path / "new" / "1700000001.a,S=6").unlink()
    mailbox.add("new/1800000000.new", b"new\n")
    assert maildrop.open_message(1).read_ready(100) is None
    assert read(maildrop.open_message(1)) == b"msg 0\r\n"
    with pytest.raises(MessageVanished):
        read(maildrop.open_message(2))
    assert read(maildrop.open_message(3)) == b"msg 2\r\n"
    maildrop.remove([1, 2, 3])
    maildrop.close()
    assert list(store.seen()) == [b"1700000003.a", b"1800000000.new"]


def test_what_vanished_and_returns_keeps_its_unique_id(mailbox: Mailbox) -> None:
    twin = mailbox.add("new/1700000000.a")
    other = mailbox.add("cur/1700000000.a:2,S")
    store = mailbox.store()
    given = list(store.seen())
    aside = mailbox.path / "tmp" / "aside"
    other.rename(aside)
    assert len(store.seen()) == 1
    aside.rename(other)
    assert set(store.seen()) == set(given)
    twin.unlink()
    assert len(mailbox.store().seen()) == 1


def test_what_somebody_else_removed_before_us_comes_back_as_it_was(mailbox: Mailbox) -> None:
    path = mailbox.add("new/1700000000.a")
    store = mailbox.store()
    maildrop = store.open(ALICE)
    path.unlink()
    maildrop.remove([1])
    maildrop.close()
    path.write_bytes(b"back\n")
    assert list(store.seen()) == [b"1700000000.a"]


def test_what_we_removed_and_somebody_brings_back_is_another_message(mailbox: Mailbox) -> None:
    path = mailbox.add("new/1700000000.a")
    store = mailbox.store()
    seen: set[bytes] = set()
    for _ in range(4):
        maildrop = store.open(ALICE)
        unique_id = maildrop.listing.unique_id(1)
        assert unique_id not in seen
        seen.add(unique_id)
        maildrop.remove([1])
        maildrop.close()
        path.write_bytes(b"back\n")


def test_without_a_promise_of_the_disk_what_comes_back_is_the_same_message(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2: fsync failed, the power went, and the directory is as it was."""
    path = mailbox.add("new/1700000000.a")
    store = mailbox.store()
    maildrop = store.open(ALICE)

    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UpdateIncomplete) as failure:
        maildrop.remove([1])
    monkeypatch.undo()
    assert failure.value.remaining == 1
    maildrop.close()
    assert store.seen() == {}
    path.write_bytes(b"back\n")
    assert list(store.seen()) == [b"1700000000.a"]


@pytest.mark.parametrize("name", [b"a b", b"x" * 100, b"\xff\xfe", b"new\nline", b"caf\xc3\xa9"])
def test_illegal_unique_ids_stay_what_they_are(mailbox: Mailbox, name: bytes) -> None:
    """S7, conformance: 1939-S-101"""
    path = Path(os.fsdecode(mailbox.octets + b"/new/" + name))
    path.write_bytes(b"x\n")
    [given] = mailbox.store().seen()
    path.rename(os.fsdecode(mailbox.octets + b"/cur/" + name + b":2,S"))
    [again] = mailbox.store().seen()
    assert given == again
    assert all(0x21 <= octet <= 0x7E for octet in given)
    assert 1 <= len(given) <= 70
    (mailbox.path / "restante.catalogue").unlink()
    assert list(mailbox.store().seen()) == [given]


# ---- the zoo


def test_a_zoo_of_hostile_files(mailbox: Mailbox) -> None:
    """S3: nothing that is opened can be waited for; every file is served, nothing else is."""
    outside = mailbox.directory / "outside"
    outside.write_bytes(b"secret\n")
    names = [
        b"plain",
        b"-rf",
        b"new\nline\r\n",
        b"\xff\xfe\x80",
        b"\x1b]0;title\x07",
        b"x" * 255,
        b":2,S",
        b",S=1,W=2:2,",
        b"W=99999999999999999999",
        b"1.a,W=999999999999",
        b"1.b,W=18446744073709551616:2,S",
        b"%s%n?#",
        b"\xe2\x80\xae evil",
        b" ",
        b"-",
    ]
    for number, name in enumerate(names):
        for folder in (b"new", b"cur"):
            path = Path(os.fsdecode(mailbox.octets + b"/" + folder + b"/" + name))
            path.write_bytes(b"%d\n" % number)
    cur = mailbox.path / "cur"
    os.link(mailbox.add("tmp/linked", b"hard\n"), cur / "hard")
    (cur / "symlink").symlink_to(outside)
    (cur / "loop").symlink_to("loop")
    (cur / "dangling").symlink_to("/nowhere")
    (cur / "folder").mkdir()
    os.mkfifo(cur / "fifo")
    os.mkfifo(mailbox.path / "new" / "1700000000.fifo,S=3,W=4")
    if os.geteuid() == 0:
        os.mknod(cur / "zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    for verify_at_login in (400, 0):
        store = mailbox.store(verify_at_login=verify_at_login)
        maildrop = store.open(ALICE)
        shown = sorted(
            read(maildrop.open_message(number)) for number in range(1, maildrop.listing.count + 1)
        )
        assert shown == sorted([*(b"%d\r\n" % n for n in range(len(names)))] * 2 + [b"hard\r\n"])
        assert len(set(listed(maildrop))) == maildrop.listing.count
        maildrop.close()
        store.close()
    maildrop = mailbox.store().open(ALICE)
    maildrop.remove(range(1, maildrop.listing.count + 1))
    maildrop.close()
    assert outside.read_bytes() == b"secret\n"
    assert (mailbox.path / "tmp" / "linked").exists()
    assert sorted(path.name for path in cur.iterdir() if path.name != "zero") == [
        "dangling",
        "fifo",
        "folder",
        "loop",
        "symlink",
    ]


# ---- for the commands


def test_commands_look_without_a_lock_and_write_nothing(mailbox: Mailbox) -> None:
    mailbox.add_many(3, b"a\n")
    store = mailbox.store()
    before = sorted(mailbox.path.iterdir())
    maildrop = store.open(ALICE)
    given = listed(maildrop)
    other = mailbox.store()
    listing = other.listing(ALICE)
    assert [listing.unique_id(number) for number in range(1, 4)] == list(given)
    assert read(other.reader(ALICE, 2, listing)) == b"a\r\n"
    maildrop.close()
    for path in set(mailbox.path.iterdir()) - set(before):
        path.unlink()
    listing = other.listing(ALICE)
    assert listing.count == 3
    assert sorted(mailbox.path.iterdir()) == before


def test_what_is_deposited_has_the_unique_id_that_is_told(mailbox: Mailbox) -> None:
    store = mailbox.store()
    given = [store.deposit(ALICE, BytesIO(b"x\n")) for _ in range(3)]
    assert list(store.seen()) == given

"""A refresh keeps what was seen before, whatever other programs did, and touches nothing known."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.errors import PermanentFailure, TemporaryFailure
from restante.stores import refresh as module
from restante.stores import sizes
from restante.stores.image import ListingImage
from restante.stores.names import arrival, parse_all
from restante.stores.refresh import Affordable, Refresh
from restante.stores.scan import Changed, FolderTooBig, messages, messages_in_order
from restante.stores.sizes import wire_size
from unit.stores.mailboxes import AFFORDABLE, Mailbox


def look(mailbox: Mailbox, known: ListingImage | None = None, verify: int = 400) -> ListingImage:
    return Refresh(mailbox.octets, Affordable(verify, 1 << 20)).run(known, None)


def names(image: ListingImage) -> list[str]:
    return [os.fsdecode(name) for name in image.names()]


def ids(image: ListingImage) -> list[str]:
    return [unique_id.decode() for unique_id in image.unique_ids()]


def test_the_first_time_they_come_in_order_of_arrival(mailbox: Mailbox) -> None:
    mailbox.add("cur/1700000002.b:2,S")
    mailbox.add("new/1700000001.a")
    mailbox.add("new/1700000003.c,S=17,W=20")
    image = look(mailbox)
    assert ids(image) == ["1700000001.a", "1700000002.b", "1700000003.c"]
    assert image.sizes().tolist() == [20, 20, 20]
    assert not image.has_claims


def test_nothing_changed(mailbox: Mailbox) -> None:
    mailbox.add_many(3)
    first = look(mailbox)
    refresh = Refresh(mailbox.octets, AFFORDABLE)
    assert refresh.run(first, None).names() == first.names()
    assert refresh.changes is None


def test_an_empty_mailbox_has_nothing_to_record(mailbox: Mailbox) -> None:
    refresh = Refresh(mailbox.octets, AFFORDABLE)
    assert refresh.run(None, None).count == 0
    assert refresh.changes is None


def test_what_is_known_is_not_read_again(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox.add_many(3)
    first = look(mailbox)
    read: list[bytes] = []
    count = wire_size

    def spy(path: bytes) -> int:
        read.append(path)
        return count(path)

    monkeypatch.setattr(sizes, "wire_size", spy)
    mailbox.add("new/1800000000.new")
    image = look(mailbox, first)
    assert [os.path.basename(path) for path in read] == [b"1800000000.new"]
    assert ids(image) == [*ids(first), "1800000000.new"]


def test_what_moved_and_got_flags_stays_the_same_message(mailbox: Mailbox) -> None:
    path = mailbox.add("new/1700000001.a,S=17")
    mailbox.add("cur/1700000002.b:2,")
    first = look(mailbox)
    path.rename(mailbox.path / "cur" / "1700000001.a,S=17:2,S")
    image = look(mailbox, first)
    assert names(image) == ["cur/1700000001.a,S=17:2,S", "cur/1700000002.b:2,"]
    assert ids(image) == ids(first)


def test_only_one_folder_is_looked_at_when_only_one_changed(mailbox: Mailbox) -> None:
    path = mailbox.add("new/1700000001.a")
    mailbox.add("cur/1700000002.b:2,")
    mailbox.settle()
    first = look(mailbox)
    assert first.version.new_changed_ns
    target = mailbox.path / "cur" / "1700000001.a:2,S"
    path.rename(target)
    mailbox.settle()
    os.utime(mailbox.path / "new")
    image = look(mailbox, first)
    assert names(image) == ["cur/1700000001.a:2,S", "cur/1700000002.b:2,"]
    assert ids(image) == ids(first)


def test_one_of_two_files_of_one_name_is_not_taken_for_the_other(mailbox: Mailbox) -> None:
    """S7: the one in `new` goes; the one in `cur` keeps its own unique-id and place."""
    mailbox.add("new/1700000001.a", b"one\n")
    mailbox.add("cur/1700000001.a:2,S", b"another one\n")
    mailbox.settle()
    first = look(mailbox)
    assert first.count == 2
    (mailbox.path / "new" / "1700000001.a").unlink()
    os.utime(mailbox.path / "cur", ns=(first.version.cur_changed_ns,) * 2)
    image = look(mailbox, first)
    assert image.count == 1
    at = names(first).index("cur/1700000001.a:2,S")
    assert (names(image), ids(image)) == ([names(first)[at]], [ids(first)[at]])
    assert image.size(1) == first.size(at + 1)


def test_two_files_of_one_name_in_one_folder(mailbox: Mailbox) -> None:
    mailbox.add("cur/1700000001.a:2,")
    mailbox.add("cur/1700000001.a:2,S")
    image = look(mailbox)
    assert (image.count, len(set(ids(image)))) == (2, 2)
    assert ids(image) == ids(look(mailbox))


def test_which_of_two_files_of_one_name_went_cannot_be_told(mailbox: Mailbox) -> None:
    """One is removed and one renamed: what is left may be either, and is taken for neither."""
    first_path = mailbox.add("cur/1700000001.a:2,", b"one\n")
    second_path = mailbox.add("cur/1700000001.a:2,S", b"another\n")
    first = look(mailbox)
    assert first.count == 2
    first_path.unlink()
    second_path.rename(mailbox.path / "cur/1700000001.a:2,F")
    image = look(mailbox, first)
    assert names(image) == ["cur/1700000001.a:2,F"]
    assert not set(ids(image)) & set(ids(first))
    assert image.size(1) == len(b"another\r\n")


def during_scan(monkeypatch: pytest.MonkeyPatch, folder: bytes, act: Callable[[], object]) -> None:
    """Do something once, behind the scan of a folder."""
    done: list[bool] = []

    def act_once(looked_at: bytes) -> None:
        if looked_at == folder and not done:
            done.append(True)
            act()

    def scan(mailbox: bytes, looked_at: bytes, limit: int | None = None) -> list[bytes]:
        found = messages(mailbox, looked_at, limit)
        act_once(looked_at)
        return found

    def scan_in_order(mailbox: bytes, looked_at: bytes, limit: int | None = None) -> bytes:
        found = messages_in_order(mailbox, looked_at, limit)
        act_once(looked_at)
        return found

    monkeypatch.setattr(module, "messages", scan)
    monkeypatch.setattr(module, "messages_in_order", scan_in_order)


@pytest.mark.parametrize("known", [True, False])
def test_moved_while_it_was_looked_for(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """S4: seen in `new`, and in `cur` as well by then: one message."""
    path = mailbox.add("new/1700000001.a")
    mailbox.add("cur/1700000002.b:2,")
    first = look(mailbox) if known else None
    during_scan(monkeypatch, b"new", lambda: path.rename(mailbox.path / "cur/1700000001.a:2,S"))
    image = look(mailbox, first)
    assert names(image) == ["cur/1700000001.a:2,S", "cur/1700000002.b:2,"]
    assert ids(image) == ["1700000001.a", "1700000002.b"]
    assert ids(look(mailbox, image)) == ids(image)


def test_seen_under_the_old_name_and_the_new(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.add("cur/1700000001.a:2,S")

    def both(octets: bytes, folder: bytes, limit: int | None = None) -> bytes:
        return b"cur/1700000001.a:2,\0" * (folder == b"cur") + messages_in_order(octets, folder)

    monkeypatch.setattr(module, "messages_in_order", both)
    assert names(look(mailbox)) == ["cur/1700000001.a:2,S"]


def rename_after_looks(monkeypatch: pytest.MonkeyPatch, path: Path, *to: Path) -> None:
    """Rename a file, each time it was looked at, to the next of some names."""
    look_at = os.lstat
    names_to_come = iter(to)
    now = path

    def rename_then(name: bytes) -> os.stat_result:
        nonlocal now
        status = look_at(name)
        if os.fsencode(now) == name and (following := next(names_to_come, None)) is not None:
            now = now.rename(following)
        return status

    monkeypatch.setattr(os, "lstat", rename_then)


@pytest.mark.parametrize("known", [True, False])
def test_renamed_again_between_the_looks_at_its_names(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """Each name is there when it is looked at, and it is one file all the same."""
    path = mailbox.add("cur/1700000001.a,W=18:2,F")
    first = look(mailbox) if known else None
    seen = b"cur/1700000001.a,W=18:2,F\0cur/1700000001.a,W=18:2,S\0"
    monkeypatch.setattr(module, "messages", lambda _, folder, __: seen.split(b"\0")[:-1])
    monkeypatch.setattr(
        module, "messages_in_order", lambda _, folder, __: seen if folder == b"cur" else b""
    )
    rename_after_looks(monkeypatch, path, mailbox.path / "cur/1700000001.a,W=18:2,S")
    image = look(mailbox, first, verify=0)
    assert (names(image), ids(image)) == (["cur/1700000001.a,W=18:2,S"], ["1700000001.a"])


@pytest.mark.parametrize(
    ("phantom", "real"), [("FS", "S"), ("S", "FS"), ("", "F")], ids=lambda flags: f"2,{flags}"
)
def test_renamed_twice_during_the_scan(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, phantom: str, real: str
) -> None:
    """Two names are new and the old one is missing."""
    path = mailbox.add("new/1700000001.a,W=18")
    first = look(mailbox)
    path.rename(mailbox.path / f"cur/1700000001.a,W=18:2,{real}")

    def both(octets: bytes, folder: bytes, limit: int | None = None) -> list[bytes]:
        passed = f"cur/1700000001.a,W=18:2,{phantom}".encode()
        return [passed] * (folder == b"cur") + messages(octets, folder)

    monkeypatch.setattr(module, "messages", both)
    for verify in (0, 400):
        image = look(mailbox, first, verify)
        assert names(image) == [f"cur/1700000001.a,W=18:2,{real}"]
        assert ids(image) == ["1700000001.a"]


def test_renamed_there_and_back_during_the_scan(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.add("cur/1700000001.a,W=18:2,")
    first = look(mailbox)

    def both(octets: bytes, folder: bytes, limit: int | None = None) -> list[bytes]:
        return [b"cur/1700000001.a,W=18:2,S"] * (folder == b"cur") + messages(octets, folder)

    monkeypatch.setattr(module, "messages", both)
    image = look(mailbox, first, verify=0)
    assert names(image) == ["cur/1700000001.a,W=18:2,"]


def test_two_names_of_one_file_are_two_messages(mailbox: Mailbox) -> None:
    """One that is linked twice is there twice: to leave one out would be to lose it."""
    path = mailbox.add("cur/1700000001.a:2,")
    (mailbox.path / "cur/1700000001.a:2,S").hardlink_to(path)
    first = look(mailbox)
    assert first.count == 2
    os.utime(mailbox.path / "cur")
    assert names(look(mailbox, first)) == names(first)


def test_passed_over_because_it_was_renamed_during_the_scan(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = mailbox.add("cur/1700000001.a:2,")
    mailbox.settle()
    first = look(mailbox)
    scan = messages
    looks: list[bytes] = []

    def pass_over(octets: bytes, folder: bytes, limit: int | None = None) -> list[bytes]:
        looks.append(folder)
        if len(looks) > 2:
            return scan(octets, folder, limit)
        if folder == b"cur":
            path.rename(mailbox.path / "cur" / "1700000001.a:2,S")
        return []

    monkeypatch.setattr(module, "messages", pass_over)
    (mailbox.path / "tmp" / "x").touch()
    os.utime(mailbox.path / "new")
    os.utime(mailbox.path / "cur")
    refresh = Refresh(mailbox.octets, AFFORDABLE)
    image = refresh.run(first, None)
    assert names(image) == ["cur/1700000001.a:2,S"]
    assert refresh.gone == []


def test_folders_that_never_rest_are_taken_as_they_are(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = mailbox.add_many(2)
    first = look(mailbox)
    (mailbox.path / "cur" / f"{paths[0]}:2,").unlink()
    times = iter(range(1, 1_000))
    monkeypatch.setattr(module, "changed", lambda _: Changed(next(times), 0))
    assert ids(look(mailbox, first)) == paths[1:]


# ---- sizes


def test_as_many_sizes_as_a_login_can_afford_are_counted(mailbox: Mailbox) -> None:
    for number in range(3):
        mailbox.add(f"cur/170000000{number}.a,S=5,W=5:2,", b"a\nb\nc\n")
    assert look(mailbox, verify=3).sizes().tolist() == [9, 9, 9]
    image = look(mailbox, verify=2)
    assert image.sizes().tolist() == [5, 5, 5]
    assert image.claims() == b"\1\1\1"


def test_what_claims_nothing_is_counted_however_many_there_are(mailbox: Mailbox) -> None:
    mailbox.add("cur/1700000001.a,W=5:2,", b"a\n")
    mailbox.add("cur/1700000002.b:2,", b"a\n")
    image = look(mailbox, verify=0)
    assert image.sizes().tolist() == [5, 3]
    assert image.claims() == b"\1\0"


def test_claims_stay_claims_until_they_are_counted(mailbox: Mailbox) -> None:
    mailbox.add("cur/1700000001.a,W=5:2,", b"a\n")
    mailbox.add("cur/1700000002.b,W=6:2,", b"a\n")
    first = look(mailbox, verify=0)
    (mailbox.path / "cur" / "1700000001.a,W=5:2,").unlink()
    mailbox.add("new/1700000003.c", b"a\n")
    image = look(mailbox, first)
    assert image.sizes().tolist() == [6, 3]
    assert image.claims() == b"\1\0"


def test_a_message_nobody_may_read_is_listed(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: bytes) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sizes, "wire_size", refuse)
    mailbox.add("cur/1700000001.a", b"a\n")
    assert look(mailbox).count == 1


def test_a_disk_that_fails_is_a_temporary_failure(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: bytes) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sizes, "wire_size", fail)
    mailbox.add("cur/1700000001.a", b"a\n")
    with pytest.raises(TemporaryFailure):
        look(mailbox)


def test_a_message_that_goes_while_it_is_counted_was_not_there(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = mailbox.add("new/1700000001.a")
    during_scan(monkeypatch, b"cur", path.unlink)
    assert look(mailbox).count == 0


# ---- limits


def test_a_big_folder_is_somebody_elses(mailbox: Mailbox) -> None:
    mailbox.add_many(3)
    with pytest.raises(FolderTooBig):
        Refresh(mailbox.octets, AFFORDABLE, scan_limit=2).run(None, None)
    assert Refresh(mailbox.octets, AFFORDABLE, scan_limit=3).run(None, None).count == 3


def test_a_folder_that_looks_too_big_is_not_even_begun(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = look(mailbox)
    mailbox.add_many(3)
    monkeypatch.setattr(module, "looks_bigger", lambda mailbox, folder, files: files == 5)
    # One that was emptied looks as big as ever, and is looked at again and again.
    assert Refresh(mailbox.octets, AFFORDABLE, scan_limit=5).run(known, None).count == 3
    monkeypatch.setattr(module, "messages_in_order", lambda *arguments: pytest.fail("begun"))
    with pytest.raises(FolderTooBig):
        Refresh(mailbox.octets, AFFORDABLE, scan_limit=5).run(None, None)


def test_a_maildir_whose_folders_are_links_is_none(mailbox: Mailbox) -> None:
    (mailbox.path / "cur").rmdir()
    (mailbox.path / "cur").symlink_to(mailbox.path / "new")
    with pytest.raises(PermanentFailure):
        look(mailbox)


def test_claims_are_counted_as_far_as_a_login_can_afford(mailbox: Mailbox) -> None:
    for number in range(4):
        mailbox.add(f"cur/170000000{number}.a,W=100:2,", b"Subject: x\n\n")
    mailbox.add("cur/1700000009.b:2,", b"Subject: x\n\n")
    image = Refresh(mailbox.octets, Affordable(400, 150)).run(None, None)
    # What nobody claims has to be counted, and what is counted is no claim.
    assert image.sizes().tolist() == [14, 14, 100, 100, 14]
    assert list(image.claims()) == [0, 0, 1, 1, 0]
    image = Refresh(mailbox.octets, Affordable(400, 400)).run(None, None)
    assert not image.has_claims


TIMES = st.sampled_from([b"", b"5.", b"1700000000.", b"1600000001.a", b"17000000000.", b"\n"])
_FOLDERS = [b"new/", b"cur/"]
FOLDERS = st.sampled_from(_FOLDERS)


@given(st.lists(st.tuples(FOLDERS, TIMES, st.sampled_from([b"a", b"b:2,S", b"\xff"])), max_size=8))
def test_the_fast_way_to_the_order_of_arrival_is_the_same(parts: list[tuple[bytes, ...]]) -> None:
    found = [b"".join(each) for each in parts]
    dated = [name for name in found if name[4:14].isdigit() and name[14:15] == b"."]
    for those in (found, dated):
        folders = [sorted(name for name in those if name[:4] == start) for start in _FOLDERS]
        texts = [b"\0".join((*names, b"")) for names in folders if names]
        text, parsed = module._by_arrival(texts)
        ordered = sorted(sorted(those), key=arrival)
        assert text == b"\0".join((*ordered, b""))
        assert parsed == parse_all(ordered)

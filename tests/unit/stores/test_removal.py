"""Removal takes what was marked and nothing else, and says what it cannot promise."""

import os
from array import array

import pytest

from restante.stores.image import ListingImage, Version, render
from restante.stores.removal import Removal
from unit.stores.mailboxes import Mailbox


def image(*names: str) -> ListingImage:
    octets = [name.encode() for name in names]
    ids = [b"id%d" % number for number in range(1, len(names) + 1)]
    return render(Version(3, 0, 0), octets, array("Q", [1] * len(names)), ids)


def left(mailbox: Mailbox) -> list[str]:
    return sorted(
        path.name for folder in ("new", "cur") for path in (mailbox.path / folder).iterdir()
    )


def run(mailbox: Mailbox, listing: ListingImage, *numbers: int) -> Removal:
    removal = Removal(mailbox.octets, listing, numbers)
    removal.run()
    return removal


def test_what_is_marked_goes(mailbox: Mailbox) -> None:
    for name in ("new/a", "cur/b:2,", "cur/c:2,"):
        mailbox.add(name)
    removal = run(mailbox, image("new/a", "cur/b:2,", "cur/c:2,"), 3, 1)
    assert left(mailbox) == ["b:2,"]
    assert removal.remaining == 0
    kept, changes = removal.kept()
    assert (kept.names(), kept.unique_ids()) == ([b"cur/b:2,"], [b"id2"])
    assert (changes.base, changes.first) == (3, 0)
    assert [(gone.unique_id, gone.removed) for gone in changes.gone] == [
        (b"id1", True),
        (b"id3", True),
    ]


def test_what_moved_is_found_and_goes(mailbox: Mailbox) -> None:
    listing = image(*(f"new/{number}.a" for number in range(50)))
    for number in range(50):
        mailbox.add(f"cur/{number}.a:2,S")
    assert run(mailbox, listing, *range(1, 50)).remaining == 0
    assert left(mailbox) == ["49.a:2,S"]


def test_what_is_gone_already_counts_as_removed(mailbox: Mailbox) -> None:
    mailbox.add("new/b")
    removal = run(mailbox, image("new/a", "new/b"), 1)
    assert (removal.remaining, left(mailbox)) == (0, ["b"])
    assert removal.kept()[0].unique_ids() == [b"id2"]


def test_another_message_of_the_same_name_stays(mailbox: Mailbox) -> None:
    """S1, S7: marked was the one in `new`, which is gone; the one in `cur` was never marked."""
    mailbox.add("cur/a:2,S")
    removal = run(mailbox, image("new/a", "cur/a:2,S"), 1)
    assert left(mailbox) == ["a:2,S"]
    assert removal.remaining == 0


def test_what_could_be_either_of_two_stays_and_is_reported(mailbox: Mailbox) -> None:
    mailbox.add("cur/a:2,F")
    removal = run(mailbox, image("new/a", "cur/a:2,S"), 1)
    assert left(mailbox) == ["a:2,F"]
    assert removal.remaining == 1


@pytest.mark.parametrize("kind", ["folder", "link", "fifo"])
def test_what_took_a_messages_place_stays(mailbox: Mailbox, kind: str) -> None:
    path = mailbox.path / "cur" / "a"
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(mailbox.add("tmp/elsewhere"))
    else:
        os.mkfifo(path)
    run(mailbox, image("cur/a"), 1)
    assert left(mailbox) == ["a"]


def test_a_folder_that_became_a_link_is_not_followed(mailbox: Mailbox) -> None:
    elsewhere = mailbox.directory / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a").touch()
    (mailbox.path / "cur").rmdir()
    (mailbox.path / "cur").symlink_to(elsewhere)
    removal = run(mailbox, image("cur/a"), 1)
    assert removal.remaining == 1
    assert (elsewhere / "a").exists()


def test_a_mailbox_that_is_gone_holds_nothing(mailbox: Mailbox) -> None:
    for folder in ("new", "cur", "tmp"):
        (mailbox.path / folder).rmdir()
    mailbox.path.rmdir()
    assert run(mailbox, image("cur/a"), 1).remaining == 0


def test_one_that_cannot_be_removed_leaves_the_others_to_go(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cur/a", "cur/b", "cur/c"):
        mailbox.add(name)
    unlink = os.unlink

    def refuse(path: bytes, *, dir_fd: int | None = None) -> None:
        if path == b"b":
            raise PermissionError(1, "Operation not permitted")
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    removal = run(mailbox, image("cur/a", "cur/b", "cur/c"), 1, 2, 3)
    assert (left(mailbox), removal.remaining) == (["b"], 1)
    assert isinstance(removal.cause, PermissionError)
    assert removal.kept()[0].unique_ids() == [b"id2"]


def test_without_the_disks_promise_nothing_is_promised(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2: after EIO nothing is known, fsync is not tried again, and ids may have to come back."""
    for name in ("cur/a", "cur/b"):
        mailbox.add(name)
    calls: list[int] = []

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    removal = run(mailbox, image("cur/a", "cur/b"), 1, 2)
    assert (removal.remaining, len(calls)) == (2, 1)
    assert [gone.removed for gone in removal.kept()[1].gone] == [False, False]


def test_the_folders_are_made_durable_behind_the_last_unlink(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("new/a", "cur/b"):
        mailbox.add(name)
    acts: list[str] = []
    unlink, fsync = os.unlink, os.fsync

    def record_unlink(path: bytes, *, dir_fd: int | None = None) -> None:
        acts.append("unlink")
        unlink(path, dir_fd=dir_fd)

    def record_fsync(descriptor: int) -> None:
        acts.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    monkeypatch.setattr(os, "unlink", record_unlink)
    monkeypatch.setattr(os, "fsync", record_fsync)
    run(mailbox, image("new/a", "cur/b"), 1, 2)
    assert acts == ["unlink", "unlink", "cur", "new"]
    acts.clear()
    mailbox.add("new/c")
    run(mailbox, image("new/c"), 1)
    assert acts == ["unlink", "new"]
    acts.clear()
    # Gone by other hands: who unlinked it need not have made that durable.
    run(mailbox, image("new/c"), 1)
    assert acts == ["cur", "new"]


def test_no_descriptor_is_left(mailbox: Mailbox) -> None:
    mailbox.add("cur/a")
    before = len(os.listdir("/proc/self/fd"))
    run(mailbox, image("cur/a"), 1)
    assert len(os.listdir("/proc/self/fd")) == before

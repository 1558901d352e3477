"""A message is found under its new name, and never taken for another."""

import os
from array import array

import pytest

from restante.errors import MessageVanished, TemporaryFailure
from restante.stores import whereabouts as module
from restante.stores.image import ListingImage, Version, render
from restante.stores.scan import messages
from restante.stores.whereabouts import Whereabouts
from unit.stores.mailboxes import Mailbox


def image(*names: str) -> ListingImage:
    octets = [name.encode() for name in names]
    ids = [b"%d" % number for number in range(len(names))]
    return render(Version(0, 0, 0), octets, array("Q", [1] * len(names)), ids)


def test_moved_and_renamed(mailbox: Mailbox) -> None:
    path = mailbox.add("new/1.a,S=3")
    whereabouts = Whereabouts(mailbox.octets, image("new/1.a,S=3", "new/2.b"))
    for name in ("cur/1.a,S=3:2,", "cur/1.a,S=3:2,S", "cur/1.a,S=3,W=4:2,S"):
        path = path.rename(mailbox.path / name)
        assert whereabouts.find(1) == name.encode()
    path.unlink()
    for _ in range(2):
        with pytest.raises(MessageVanished):
            whereabouts.find(1)


def test_a_delivery_is_no_message_of_the_listing(mailbox: Mailbox) -> None:
    mailbox.add("new/1.ab")
    with pytest.raises(MessageVanished):
        Whereabouts(mailbox.octets, image("new/1.a")).find(1)


def test_another_listed_message_of_the_same_name_is_not_taken(mailbox: Mailbox) -> None:
    mailbox.add("cur/1.a:2,S")
    with pytest.raises(MessageVanished):
        Whereabouts(mailbox.octets, image("new/1.a", "cur/1.a:2,S")).find(1)


def test_a_file_that_could_be_either_of_two_is_taken_for_neither(mailbox: Mailbox) -> None:
    mailbox.add("cur/1.a:2,F")
    whereabouts = Whereabouts(mailbox.octets, image("new/1.a", "cur/1.a:2,S"))
    for number in (1, 2):
        with pytest.raises(TemporaryFailure):
            whereabouts.find(number)


def test_folders_that_did_not_change_are_looked_at_once(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.add("cur/1.a:2,")
    mailbox.add("cur/2.b:2,")
    mailbox.settle()
    looked: list[bytes] = []

    def look(octets: bytes, folder: bytes) -> list[bytes]:
        looked.append(folder)
        return messages(octets, folder)

    monkeypatch.setattr(module, "messages", look)
    whereabouts = Whereabouts(mailbox.octets, image("new/1.a", "new/2.b", "new/3.c"))
    for _ in range(3):
        assert whereabouts.find(1) == b"cur/1.a:2,"
        assert whereabouts.find(2) == b"cur/2.b:2,"
        with pytest.raises(MessageVanished):
            whereabouts.find(3)
    assert looked == [b"new", b"cur"]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that would have been made."""
    made: list[float] = []
    monkeypatch.setattr("restante.stores.whereabouts.time.sleep", made.append)
    return made


def test_passed_over_by_several_looks_it_is_found_all_the_same(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    """S4: it was renamed during each of them, from behind where they were to before it."""
    mailbox.add("cur/1.a:2,S")
    calls: list[bytes] = []

    def look(octets: bytes, folder: bytes) -> list[bytes]:
        calls.append(folder)
        os.utime(octets + b"/cur")
        return [] if len(calls) <= 6 else messages(octets, folder)

    monkeypatch.setattr(module, "messages", look)
    assert Whereabouts(mailbox.octets, image("cur/1.a:2,")).find(1) == b"cur/1.a:2,S"
    assert pauses == [module.PAUSE_SECONDS] * 2


def test_patience_has_an_end(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    mailbox.add("cur/1.b:2,S")

    def look(octets: bytes, folder: bytes) -> list[bytes]:
        os.utime(octets + b"/cur")
        return messages(octets, folder)

    monkeypatch.setattr(module, "messages", look)
    whereabouts = Whereabouts(mailbox.octets, image("cur/1.a:2,", "cur/2.a:2,"))
    for number in (1, 2):
        with pytest.raises(MessageVanished):
            whereabouts.find(number)
    assert len(pauses) == module.PATIENCE


def test_folders_that_rest_need_no_patience(mailbox: Mailbox, pauses: list[float]) -> None:
    mailbox.settle()
    with pytest.raises(MessageVanished):
        Whereabouts(mailbox.octets, image("cur/1.a:2,")).find(1)
    assert pauses == []

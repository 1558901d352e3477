"""A glance tells only that nothing has changed, and of disks of this machine alone."""

import ctypes
import os
import shutil
from pathlib import Path

import pytest

from restante.stores import glance, openat2
from restante.stores.catalogue import FILE_NAME
from restante.stores.glance import is_catalogue_seen, is_local, is_seen_unchanged
from restante.stores.locks import Key, lock_key
from restante.stores.records import catalogue_stamp
from restante.stores.scan import changed
from unit.stores.mailboxes import Mailbox


def key_of(path: Path) -> Key:
    status = path.stat()
    return lock_key(status.st_dev, status.st_ino)


@pytest.fixture
def seen(mailbox: Mailbox) -> tuple[bytes, Key, int, int]:
    """What was seen of a mailbox."""
    mailbox.settle()
    return mailbox.octets, key_of(mailbox.path), *changed(mailbox.octets)


def test_what_rests_is_seen_to(seen: tuple[bytes, Key, int, int]) -> None:
    before = os.listdir("/proc/self/fd")
    assert is_seen_unchanged(*seen)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("folder", ["new", "cur"])
def test_a_change_is_seen(mailbox: Mailbox, seen: tuple[bytes, Key, int, int], folder: str) -> None:
    mailbox.add(f"{folder}/a")
    assert not is_seen_unchanged(*seen)


@pytest.mark.parametrize("folder", ["new", "cur"])
def test_a_folder_that_is_gone_or_a_link_is_seen(
    mailbox: Mailbox, seen: tuple[bytes, Key, int, int], folder: str
) -> None:
    before = os.listdir("/proc/self/fd")
    aside = mailbox.path / "aside"
    (mailbox.path / folder).rename(aside)
    assert not is_seen_unchanged(*seen)
    (mailbox.path / folder).symlink_to(aside)
    assert not is_seen_unchanged(*seen)
    assert os.listdir("/proc/self/fd") == before


def test_a_copy_in_its_place_is_seen(mailbox: Mailbox, seen: tuple[bytes, Key, int, int]) -> None:
    mailbox.path.rename(mailbox.directory / "aside")
    shutil.copytree(mailbox.directory / "aside", mailbox.path)
    mailbox.settle()
    assert changed(mailbox.octets) == seen[2:]
    assert not is_seen_unchanged(*seen)


def test_folders_that_went_to_another_mailbox_are_seen(
    mailbox: Mailbox, seen: tuple[bytes, Key, int, int]
) -> None:
    aside = mailbox.directory / "aside"
    mailbox.path.rename(aside)
    mailbox.path.mkdir()
    for folder in ("new", "cur"):
        (aside / folder).rename(mailbox.path / folder)
    assert changed(mailbox.octets) == seen[2:]
    assert not is_seen_unchanged(*seen)


def test_the_catalogue_is_seen_by_its_stamp(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert catalogue_stamp(mailbox.octets) is None, "now that is in memory"
    assert is_catalogue_seen(mailbox.octets, None)
    assert not is_catalogue_seen(mailbox.octets, (1, 2, 3))
    catalogue = mailbox.path / FILE_NAME
    catalogue.write_bytes(b"x")
    stamp = catalogue_stamp(mailbox.octets)
    before = os.listdir("/proc/self/fd")
    assert is_catalogue_seen(mailbox.octets, stamp)
    assert not is_catalogue_seen(mailbox.octets, None)
    catalogue.write_bytes(b"xx")
    assert not is_catalogue_seen(mailbox.octets, stamp)
    assert os.listdir("/proc/self/fd") == before
    monkeypatch.setattr(openat2, "_call", None)
    assert not is_catalogue_seen(mailbox.octets, catalogue_stamp(mailbox.octets))


def test_nothing_is_seen_where_the_kernel_cannot_tell(
    seen: tuple[bytes, Key, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openat2, "_call", None)
    assert not is_seen_unchanged(*seen)


def test_a_disk_of_this_machine_is_known_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_local(os.fsencode(tmp_path))
    assert not is_local(b"/proc")
    assert not is_local(os.fsencode(tmp_path / "missing"))
    monkeypatch.setattr(glance, "_LOCAL", {})
    assert not is_local(os.fsencode(tmp_path))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not is_local(os.fsencode(tmp_path))

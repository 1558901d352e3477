"""Scans see regular files alone, and tell what they prove."""

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.errors import PermanentFailure, TemporaryFailure
from restante.stores.scan import (
    COARSE_GRAIN_NS,
    GRAIN_NS,
    Changed,
    FolderTooBig,
    changed,
    looks_bigger,
    messages,
    messages_in_order,
    proven,
)
from unit.stores.mailboxes import LONG_AGO_NS, Mailbox


def test_only_files_are_messages(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    cur = mailbox.path / "cur"
    mailbox.add("cur/a")
    mailbox.add("cur/.hidden")
    mailbox.add("cur/with\nnewline")
    (cur / "folder").mkdir()
    (cur / "link").symlink_to("a")
    (cur / "dangling").symlink_to("nowhere")
    os.mkfifo(cur / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(cur)
        listener.bind("socket")
    if os.geteuid() == 0:
        os.mknod(cur / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    Path(os.fsdecode(os.fsencode(cur) + b"/\xff\xfe")).touch()
    found = sorted(messages(mailbox.octets, b"cur"))
    assert found == [b"cur/a", b"cur/with\nnewline", b"cur/\xff\xfe"]
    assert messages_in_order(mailbox.octets, b"cur").split(b"\0") == [*found, b""]


NAMES = st.lists(
    st.binary(min_size=1, max_size=3)
    | st.sampled_from([".", "..x", "/", "0", "!", "\u00e9", "\U0001f600", "\ue000"]).map(
        os.fsencode
    ),
    max_size=8,
)


@given(NAMES)
def test_in_the_order_of_their_octets(names: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        mailbox = os.fsencode(directory)
        os.mkdir(mailbox + b"/cur")
        for name in {name.translate(None, b"/\0") for name in names} - {b"", b".", b".."}:
            os.close(os.open(mailbox + b"/cur/" + name, os.O_CREAT))
        text = b"".join(name + b"\0" for name in sorted(messages(mailbox, b"cur")))
        assert messages_in_order(mailbox, b"cur") == text


def test_a_folder_that_is_not_there_is_empty(mailbox: Mailbox) -> None:
    (mailbox.path / "new").rmdir()
    assert messages(mailbox.octets, b"new") == []
    assert messages_in_order(mailbox.octets, b"new") == b""
    assert changed(mailbox.octets).new_ns == 0


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_folder_that_is_none(mailbox: Mailbox, kind: str) -> None:
    folder = mailbox.path / "cur"
    folder.rmdir()
    if kind == "file":
        folder.write_text("x")
        with pytest.raises(TemporaryFailure):
            messages(mailbox.octets, b"cur")
        with pytest.raises(TemporaryFailure):
            messages_in_order(mailbox.octets, b"cur")
    else:
        folder.symlink_to("/etc")
    with pytest.raises(PermanentFailure):
        changed(mailbox.octets)


def test_a_limit(mailbox: Mailbox) -> None:
    mailbox.add_many(5)
    assert len(messages(mailbox.octets, b"cur", 5)) == 5
    with pytest.raises(FolderTooBig):
        messages(mailbox.octets, b"cur", 4)
    assert messages_in_order(mailbox.octets, b"cur", 5).count(b"\0") == 5
    with pytest.raises(FolderTooBig):
        messages_in_order(mailbox.octets, b"cur", 4)


def test_a_folder_that_looks_bigger(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not looks_bigger(mailbox.octets, b"cur", 0)
    assert not looks_bigger(mailbox.octets, b"absent", 0)
    status = mailbox.path.stat()
    sized = os.stat_result((*status[:6], 1_065_537, *status[7:]))
    monkeypatch.setattr(os, "lstat", lambda path: sized)
    assert looks_bigger(mailbox.octets, b"cur", 10_000)
    assert not looks_bigger(mailbox.octets, b"cur", 10_001)


def test_a_young_change_proves_nothing(mailbox: Mailbox) -> None:
    mailbox.settle()
    seen = changed(mailbox.octets)
    assert seen == Changed(LONG_AGO_NS, LONG_AGO_NS)
    assert proven(seen, LONG_AGO_NS + GRAIN_NS + 1) == seen
    assert proven(seen, LONG_AGO_NS + GRAIN_NS) == Changed(0, 0)
    assert proven(seen, LONG_AGO_NS - 1) == Changed(0, 0)


def test_a_change_before_the_epoch_proves_nothing() -> None:
    seen = Changed(-1, -5_500_000_000)
    assert proven(seen, LONG_AGO_NS) == Changed(0, 0)


def test_times_kept_by_the_second_prove_less() -> None:
    second = 1_700_000_000_000_000_000
    seen = Changed(second, second)
    assert proven(seen, second + COARSE_GRAIN_NS) == Changed(0, 0)
    assert proven(seen, second + COARSE_GRAIN_NS + 1) == seen

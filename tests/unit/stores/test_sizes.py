"""Files are opened so that nothing can be waited for, and counted as they go over the wire."""

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from restante.errors import MessageVanished
from restante.stores import sizes
from restante.stores.sizes import READ_OCTETS, open_message, wire_size
from restante.testing.stores import SHAPES
from unit.stores.mailboxes import Mailbox


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape(mailbox: Mailbox, shape: str) -> None:
    stored, wire = SHAPES[shape]
    path = os.fsencode(mailbox.add("cur/a", stored))
    assert wire_size(path) == len(wire)
    descriptor, octets = open_message(path)
    os.close(descriptor)
    assert octets == len(stored)


def test_a_line_end_across_two_reads(mailbox: Mailbox) -> None:
    stored = b"x" * (READ_OCTETS - 1) + b"\r\n" + b"y\n"
    assert wire_size(os.fsencode(mailbox.add("cur/a", stored))) == len(stored) + 1


def test_a_fifo_is_no_message_and_is_not_waited_for(mailbox: Mailbox) -> None:
    path = os.fsencode(mailbox.path / "cur" / "fifo")
    os.mkfifo(path)
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(MessageVanished):
        open_message(path)
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_link_is_not_followed(mailbox: Mailbox) -> None:
    target = mailbox.add("tmp/secret")
    (mailbox.path / "cur" / "link").symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        wire_size(os.fsencode(mailbox.path / "cur" / "link"))
    with pytest.raises(MessageVanished):
        wire_size(mailbox.octets)


def test_opening_what_the_kernel_has_in_memory(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path / "message")
    (tmp_path / "message").write_bytes(b"12345")
    opened = sizes.open_ready(path)
    assert opened is not None
    os.close(opened[0])
    assert opened[1] == 5
    (tmp_path / "link").symlink_to("message")
    with pytest.raises(OSError, match="symbolic"):
        sizes.open_ready(os.fsencode(tmp_path / "link"))
    # What is not there may have to be looked for.
    with contextlib.suppress(FileNotFoundError):
        assert sizes.open_ready(path + b"x") is None
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(MessageVanished):
        sizes.open_ready(os.fsencode(tmp_path / "fifo"))


def test_what_would_be_waited_for_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "message").write_bytes(b"12345")
    path = os.fsencode(tmp_path / "message")
    monkeypatch.setattr(sizes, "open_cached", Mock(side_effect=BlockingIOError))
    assert sizes.open_ready(path) is None
    monkeypatch.setattr(sizes, "open_cached", Mock(side_effect=OSError(errno.EIO, "of the test")))
    with pytest.raises(OSError, match="of the test"):
        sizes.open_ready(path)


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "message").write_bytes(b"12345")
    path = os.fsencode(tmp_path / "message")
    os.utime(path, ns=(1, 2))
    for opened in (open_message(path), sizes.open_ready(path)):
        assert opened is not None
        assert os.read(opened[0], 10) == b"12345"
        os.close(opened[0])
        assert os.stat(path).st_atime_ns == 1


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A message that seems to be somebody else's, on a disk that notes readings seldom."""
    message = tmp_path / "message"
    message.write_bytes(b"12345")
    monkeypatch.setattr(os, "geteuid", lambda: message.stat().st_uid + 1)
    monkeypatch.setattr(sizes, "_mounts", {message.stat().st_dev: os.ST_RELATIME})
    return message


def is_ready(message: Path) -> bool:
    before = set(os.listdir("/proc/self/fd"))
    opened = sizes.open_ready(os.fsencode(message))
    if opened is not None:
        assert opened[1] == 5
        os.close(opened[0])
    assert set(os.listdir("/proc/self/fd")) == before
    return opened is not None


def test_a_reading_that_will_be_noted_is_not_ready(others: Path) -> None:
    os.utime(others, ns=(1, 2))
    assert not is_ready(others)
    # It is opened all the same where waiting is allowed.
    os.close(open_message(os.fsencode(others))[0])


def test_a_reading_like_one_that_was_noted_is_ready(others: Path) -> None:
    now = time.time_ns()
    # Behind the change that setting it is.
    os.utime(others, ns=(now + 10**9, now - 10**9))
    assert is_ready(others)
    os.utime(others, ns=(now + 10**9, now + 2 * 10**9))
    assert not is_ready(others)


def test_a_reading_is_noted_once_a_day(others: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    os.utime(others, ns=(now + 10**9, now))
    monkeypatch.setattr(time, "time_ns", lambda: now + 86_400 * 10**9)
    assert not is_ready(others)


@pytest.mark.parametrize(
    ("mounted", "ready"), [(os.ST_NOATIME, True), (os.ST_RDONLY, True), (0, False)]
)
def test_how_a_disk_is_mounted_says_what_is_noted(
    others: Path, monkeypatch: pytest.MonkeyPatch, mounted: int, ready: bool
) -> None:
    now = time.time_ns()
    os.utime(others, ns=(now + 10**9, now) if mounted == 0 else (1, 2))
    monkeypatch.setattr(sizes, "_mounts", {})
    monkeypatch.setattr(os, "fstatvfs", lambda descriptor: Mock(f_flag=mounted))
    assert is_ready(others) is ready


def test_what_the_kernel_refuses_to_spare_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "message").write_bytes(b"12345")
    os.utime(tmp_path / "message", ns=(1, 2))
    monkeypatch.setattr(fcntl, "fcntl", Mock(side_effect=PermissionError))
    monkeypatch.setattr(sizes, "_mounted", lambda *_: os.ST_RELATIME)
    assert not is_ready(tmp_path / "message")


def test_devices_are_not_remembered_without_end(
    others: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "_mounts", dict.fromkeys(range(-2_000, -1_000), 0))
    monkeypatch.setattr(sizes, "_DEVICES", 1_000)
    is_ready(others)
    assert len(sizes._mounts) == 1

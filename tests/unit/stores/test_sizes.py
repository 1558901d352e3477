"""Files are opened so that nothing can be waited for, and counted as they go over the wire."""

import contextlib
import errno
import os
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
    for error in (BlockingIOError, PermissionError):
        monkeypatch.setattr(sizes, "open_cached", Mock(side_effect=error))
        assert sizes.open_ready(path) is None
    monkeypatch.setattr(sizes, "open_cached", Mock(side_effect=OSError(errno.EIO, "of the test")))
    with pytest.raises(OSError, match="of the test"):
        sizes.open_ready(path)


def test_reading_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "message").write_bytes(b"12345")
    path = os.fsencode(tmp_path / "message")
    os.utime(path, ns=(1, 2))
    for opened in (open_message(path), sizes.open_ready(path)):
        assert opened is not None
        assert os.read(opened[0], 10) == b"12345"
        os.close(opened[0])
        assert os.stat(path).st_atime_ns == 1
    os_open, flags = os.open, []

    def refuse(path: bytes, how: int) -> int:
        flags.append(how)
        if how & os.O_NOATIME:
            raise PermissionError
        return os_open(path, how)

    monkeypatch.setattr(os, "open", refuse)
    os.close(open_message(path)[0])
    assert flags == [sizes.OPEN_FLAGS | os.O_NOATIME, sizes.OPEN_FLAGS]

"""Files are opened so that nothing can be waited for, and counted as they go over the wire."""

import os

import pytest

from restante.errors import MessageVanished
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

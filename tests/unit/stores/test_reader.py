"""Reading a file: whole, from the page cache or not, and never a bare LF on the wire."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.errors import MessageVanished, TemporaryFailure
from restante.stores import reader as reading
from restante.stores.reader import FileReader
from restante.testing.stores import read, read_ready
from unit.stores.mailboxes import Mailbox

WIRE_LIKE = b"Subject: x\r\n\r\nbody\r\n"
LIAR = b"Subject: x\n\n.\nbody\n"


def vanished() -> bytes:
    raise MessageVanished


def make(
    path: Path,
    wire_size: int = -1,
    *,
    counted: bool = True,
    report: Callable[[int], None] | None = None,
    find_again: Callable[[], bytes] = vanished,
) -> FileReader:
    octets = os.fsencode(path)
    return FileReader(
        octets, find_again, wire_size, bytearray(8_192), counted=counted, report=report
    )


@pytest.mark.parametrize("octets", [1, 2, 3, 8_192, 100_000])
def test_octets_come_whole(mailbox: Mailbox, octets: int) -> None:
    path = mailbox.add("cur/a", LIAR + WIRE_LIKE + b"\r")
    wire = LIAR.replace(b"\n", b"\r\n") + WIRE_LIKE + b"\r\r\n"
    assert read(make(path), octets) == wire
    assert read_ready(make(path), octets) == wire


def test_a_size_that_was_counted_spares_the_look_at_the_lines(mailbox: Mailbox) -> None:
    path = mailbox.add("cur/a", WIRE_LIKE)
    reports: list[int] = []
    assert read(make(path, len(WIRE_LIKE), report=reports.append)) == WIRE_LIKE
    assert reports == []


@pytest.mark.parametrize("ready", [True, False])
def test_a_claim_never_lets_a_bare_lf_out(mailbox: Mailbox, ready: bool) -> None:
    path = mailbox.add("cur/a", LIAR)
    reports: list[int] = []
    reader = make(path, len(LIAR), counted=False, report=reports.append)
    wire = (read_ready if ready else read)(reader)
    assert wire == LIAR.replace(b"\n", b"\r\n")
    assert reports == [len(wire)]


def test_a_claim_that_is_right_is_reported_as_well(mailbox: Mailbox) -> None:
    path = mailbox.add("cur/a", WIRE_LIKE)
    reports: list[int] = []
    read(make(path, len(WIRE_LIKE), counted=False, report=reports.append))
    assert reports == [len(WIRE_LIKE)]


def test_a_file_that_is_another_now_is_reported(mailbox: Mailbox) -> None:
    path = mailbox.add("cur/a", LIAR)
    reports: list[int] = []
    read(make(path, 5, report=reports.append))
    assert reports == [len(LIAR) + 4]


def test_half_a_message_is_not_reported(mailbox: Mailbox) -> None:
    path = mailbox.add("cur/a", LIAR)
    reports: list[int] = []
    reader = make(path, counted=False, report=reports.append)
    reader.read(4)
    reader.close()
    assert reports == []


def test_what_has_to_be_waited_for_is_said(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = mailbox.add("cur/a", LIAR)
    for number in (errno.EAGAIN, errno.EOPNOTSUPP, errno.EINVAL):

        def fail(*arguments: object, number: int = number) -> int:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "preadv", fail)
        reader = make(path)
        assert reader.read_ready(100) is None
        assert reader.read(100) == LIAR.replace(b"\n", b"\r\n")
        reader.close()


def test_without_the_kernels_help_everything_is_waited_for(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_NOWAIT", 0)
    reader = make(mailbox.add("cur/a", LIAR))
    assert reader.read_ready(100) is None
    assert read(reader) == LIAR.replace(b"\n", b"\r\n")


def test_a_file_that_was_renamed_is_found_where_waiting_is_allowed(mailbox: Mailbox) -> None:
    now = os.fsencode(mailbox.add("cur/a:2,S", LIAR))
    reader = make(mailbox.path / "new" / "a", find_again=lambda: now)
    assert reader.read_ready(100) is None
    assert read(reader) == LIAR.replace(b"\n", b"\r\n")


def test_a_file_that_is_renamed_while_it_is_looked_for_is_not_gone(mailbox: Mailbox) -> None:
    names = [mailbox.path / "cur" / "a:2,S", mailbox.add("cur/a:2,RS", LIAR)]
    reader = make(mailbox.path / "new" / "a", find_again=lambda: os.fsencode(names.pop(0)))
    assert read(reader) == LIAR.replace(b"\n", b"\r\n")


def test_a_file_that_never_rests_cannot_be_read_now(mailbox: Mailbox) -> None:
    now = os.fsencode(mailbox.path / "cur" / "a:2,S")
    reader = make(mailbox.path / "new" / "a", find_again=lambda: now)
    with pytest.raises(TemporaryFailure):
        reader.read(100)
    reader.close()


def test_a_file_that_is_gone(mailbox: Mailbox) -> None:
    reader = make(mailbox.path / "cur" / "a")
    assert reader.read_ready(100) is None
    with pytest.raises(MessageVanished):
        reader.read(100)
    reader.close()


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_took_a_files_place_is_no_message(mailbox: Mailbox, kind: str) -> None:
    path = mailbox.path / "cur" / "a"
    os.mkfifo(path) if kind == "fifo" else path.mkdir()
    with pytest.raises(MessageVanished):
        make(path).read_ready(100)


def test_a_link_that_took_a_files_place_is_not_followed(mailbox: Mailbox) -> None:
    target = mailbox.add("tmp/secret", b"secret\n")
    path = mailbox.path / "cur" / "a"
    path.symlink_to(target)
    with pytest.raises(TemporaryFailure):
        read(make(path))


def test_a_file_cut_short_is_no_whole_message(mailbox: Mailbox) -> None:
    path = mailbox.add("cur/a", b"x" * 100)
    reader = make(path)
    assert reader.read(10) == b"x" * 10
    os.truncate(path, 10)
    with pytest.raises(TemporaryFailure):
        reader.read(10)
    reader.close()


def test_what_is_added_meanwhile_is_not_sent(mailbox: Mailbox) -> None:
    path = mailbox.add("cur/a", b"x\n")
    reader = make(path)
    assert reader.read(1) == b"x"
    path.write_bytes(b"x\nmore\n")
    assert b"".join(iter(lambda: reader.read(10), b"")) == b"\r\n"
    reader.close()


def test_a_disk_that_fails_is_a_temporary_failure(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", fail)
    reader = make(mailbox.add("cur/a"))
    with pytest.raises(TemporaryFailure):
        reader.read(10)
    reader.close()


# ---- closing may wait as well


def open_files(path: Path) -> int:
    """Count the descriptors of a file that this process has."""
    links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return sum(os.readlink(link).startswith(str(path)) for link in links if os.path.lexists(link))


def closers(monkeypatch: pytest.MonkeyPatch, reader: FileReader) -> list[threading.Thread]:
    """Close a reader's file and return the threads that did it."""
    seen: list[threading.Thread] = []
    os_close, closed = os.close, threading.Event()

    def close(descriptor: int) -> None:
        os_close(descriptor)
        seen.append(threading.current_thread())
        closed.set()

    with monkeypatch.context() as patched:
        patched.setattr(os, "close", close)
        reader.close()
        assert closed.wait(20)
    return seen


def test_a_message_that_comes_at_once_is_not_held_open(mailbox: Mailbox) -> None:
    path = mailbox.add("cur/a", WIRE_LIKE)
    reader = make(path, len(WIRE_LIKE))
    assert reader.read_ready(8_192) == WIRE_LIKE
    assert not open_files(path)
    path.unlink()
    assert reader.read_ready(8_192) == b""
    reader.close()


def test_what_was_waited_for_is_closed_where_waiting_is_allowed(mailbox: Mailbox) -> None:
    path = mailbox.add("cur/a", WIRE_LIKE)
    reader = make(path, len(WIRE_LIKE))
    assert reader.read(5) == WIRE_LIKE[:5]
    assert open_files(path)
    assert reader.read(100) == WIRE_LIKE[5:]
    assert not open_files(path)
    assert reader.read(5) == b""


def test_a_file_that_is_gone_is_closed_elsewhere(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last to close it removes its octets from the disk."""
    path = mailbox.add("cur/a", WIRE_LIKE)
    there, gone = make(path, len(WIRE_LIKE)), make(path, len(WIRE_LIKE))
    for reader in (there, gone):
        assert reader.read_ready(5) == WIRE_LIKE[:5]
    assert closers(monkeypatch, there) == [threading.current_thread()]
    path.unlink()
    assert closers(monkeypatch, gone) != [threading.current_thread()]
    assert not open_files(path)


def test_a_server_is_never_asked_at_once(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mailbox.add("cur/a", WIRE_LIKE)
    reader = FileReader(
        os.fsencode(path), vanished, len(WIRE_LIKE), bytearray(8_192), counted=True, local=False
    )
    assert reader.read_ready(8_192) is None
    assert not open_files(path)
    assert reader.read(5) == WIRE_LIKE[:5]
    assert reader.read_ready(5) is None
    assert closers(monkeypatch, reader) != [threading.current_thread()]


def test_without_another_thread_it_is_closed_all_the_same(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    path = mailbox.add("cur/a", WIRE_LIKE)
    reader = make(path, len(WIRE_LIKE))
    assert reader.read_ready(5) == WIRE_LIKE[:5]
    path.unlink()
    monkeypatch.setattr(threading.Thread, "start", fail)
    assert closers(monkeypatch, reader) == [threading.current_thread()]

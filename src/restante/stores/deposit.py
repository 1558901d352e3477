"""Deliveries into a Maildir: written to `tmp`, made durable, then moved to `new`."""

import os
import socket
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import BinaryIO

from restante.errors import TemporaryFailure

CHUNK_OCTETS = 1_048_576
_deliveries = count(1)


def deposit(mailbox: Path, message: BinaryIO, clock_ns: Callable[[], int] = time.time_ns) -> bytes:
    """Store a message durably and return its file name.

    Delivering takes no lock and needs none: nobody sees a message before it is whole.

    Raises:
        TemporaryFailure: it was not stored.
    """
    try:
        for folder in ("tmp", "new", "cur"):
            (mailbox / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        return _deliver(mailbox, message, _unique_name(clock_ns()))
    except OSError as error:
        raise TemporaryFailure("the message could not be stored") from error


def _deliver(mailbox: Path, message: BinaryIO, unique: str) -> bytes:
    temporary = mailbox / "tmp" / unique
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            octets, wire_octets = _copy(message, descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        name = f"{unique},S={octets},W={wire_octets}"
        # A link would fail where the name is taken; a rename would put the mail there to death.
        os.link(temporary, mailbox / "new" / name)
    finally:
        temporary.unlink(missing_ok=True)
    synchronise(mailbox / "new")
    return name.encode()


def _copy(message: BinaryIO, descriptor: int) -> tuple[int, int]:
    """Copy a message and return its octets as stored and as on the wire."""
    octets = wire_octets = 0
    last = b""
    while data := message.read(CHUNK_OCTETS):
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        octets += len(data)
        bare = data.count(b"\n") - data.count(b"\r\n")
        if last == b"\r" and data.startswith(b"\n"):
            bare -= 1
        wire_octets += len(data) + bare
        last = data[-1:]
    return octets, wire_octets + (2 if last not in (b"", b"\n") else 0)


def synchronise(folder: Path) -> None:
    """Make what was done to a folder's names survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unique_name(now_ns: int) -> str:
    host = socket.gethostname().replace("/", "\\057").replace(":", "\\072").replace(",", "\\054")
    seconds, nanoseconds = divmod(now_ns, 1_000_000_000)
    sequence = next(_deliveries)
    return f"{seconds}.M{nanoseconds // 1000:06d}P{os.getpid()}Q{sequence}.{host}"

"""Deliveries into a Maildir: written to `tmp`, made durable, then linked into `new`."""

import os
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from restante.errors import TemporaryFailure
from restante.stores.wire import WireCounter

CHUNK_OCTETS = 1_048_576
_HOST_CHARACTERS = 24
"""The unique name becomes the unique-id, which has 70 octets at the most."""
_deliveries = count(1)


def deposit(mailbox: Path, message: BinaryIO, clock_ns: Callable[[], int] = time.time_ns) -> bytes:
    """Store a message durably and return its file name.

    Delivering takes no lock and needs none: nobody sees a message before it is whole.

    Raises:
        TemporaryFailure: it was not stored.
    """
    try:
        for folder in ("tmp", "new", "cur"):
            _make_folder(mailbox / folder)
        return _deliver(mailbox, message, _unique_name(clock_ns()))
    except OSError as error:
        raise TemporaryFailure("the message could not be stored") from error


def _make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing; they survive a power cut."""
    if path.is_dir():
        return
    _make_folder(path.parent)
    # Somebody else may deliver the first message at the same time.
    path.mkdir(mode=0o700, exist_ok=True)
    synchronise(path.parent)


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
        _publish(temporary, mailbox / "new", name)
    finally:
        with suppress(OSError):
            temporary.unlink()
    return name.encode()


def _publish(temporary: Path, folder: Path, name: str) -> None:
    # A link fails where the name is taken; a rename would put the mail there to death.
    os.link(temporary, folder / name)
    try:
        synchronise(folder)
    except OSError:
        # Who is told that it was not stored will send it again.
        with suppress(OSError):
            (folder / name).unlink()
        raise


def _copy(message: BinaryIO, descriptor: int) -> tuple[int, int]:
    """Copy a message and return its octets as stored and as on the wire."""
    octets = 0
    counter = WireCounter()
    while data := message.read(CHUNK_OCTETS):
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        octets += len(data)
        counter.feed(data)
    return octets, counter.octets


def synchronise(folder: Path) -> None:
    """Make what was done to a folder's names survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unique_name(now_ns: int) -> str:
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:_HOST_CHARACTERS]
    seconds, nanoseconds = divmod(now_ns, 1_000_000_000)
    sequence = next(_deliveries)
    return f"{seconds}.M{nanoseconds // 1000:06d}P{os.getpid()}Q{sequence}.{host}"

"""Maildirs as mail transfer agents leave them: plain names or names that tell the sizes."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from benchmarks.mail.messages import Message

_FIRST_SECOND = 1_760_000_000
_SIZED_INFO = ":2,S"


def create_maildir(directory: Path) -> Path:
    """Create an empty Maildir."""
    for part in ("tmp", "new", "cur"):
        (directory / part).mkdir(parents=True)
    return directory


def deliver_plainly(directory: Path, messages: Iterable[Message]) -> None:
    """Deliver into `new` under names that Postfix would give."""
    for message in messages:
        _deliver(directory, "new", f"{_unique(message.index)}.mx.example.org", message)


def store_sized(directory: Path, messages: Iterable[Message]) -> None:
    """Store in `cur`, as read, under names that tell the file's size and the one on the wire."""
    for message in messages:
        _deliver(directory, "cur", sized_name(message) + _SIZED_INFO, message)


def deliver_sized(directory: Path, message: Message) -> None:
    """Deliver one message into `new` under a name that tells its sizes."""
    _deliver(directory, "new", sized_name(message), message)


def sized_name(message: Message) -> str:
    """Return the unique name of a message, its sizes told."""
    sizes = f"S={len(message.stored)},W={message.octets()}"
    return f"{_unique(message.index)}.mx.example.org,{sizes}"


def chown_maildir(directory: Path, user: str) -> None:
    """Give the directories, and the one that holds them, to the user who reads mail."""
    for path in (directory.parent, directory, *(entry for entry in directory.iterdir())):
        shutil.chown(path, user)


def _unique(index: int) -> str:
    return f"{_FIRST_SECOND + index}.Vfe01I{index + 4096:x}M{index % 1_000_000:06d}"


def _deliver(directory: Path, into: str, name: str, message: Message) -> None:
    written = directory / "tmp" / name.partition(",")[0]
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(descriptor, message.stored)
    finally:
        os.close(descriptor)
    os.rename(written, directory / into / name)

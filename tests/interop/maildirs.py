"""Maildirs filled as different programs fill them, and what is left in them."""

from collections.abc import Iterable
from pathlib import Path

from interop.messages import Message

FIRST_SECONDS = 1_700_000_000
FLAGS = ("", "S", "RS", "FRS")


def make(maildir: Path) -> Path:
    """Make the three folders of a Maildir."""
    for folder in ("tmp", "new", "cur"):
        (maildir / folder).mkdir(parents=True)
    return maildir


def fill(maildir: Path, messages: Iterable[Message]) -> Path:
    """Make a Maildir of messages: in both folders, with and without sizes and flags in the names.

    A maildrop shows them in the order given, because the seconds in their names go up.
    """
    make(maildir)
    for index, message in enumerate(messages):
        (maildir / _place(index, message)).write_bytes(message.stored)
    return maildir


def _place(index: int, message: Message) -> str:
    name = f"{FIRST_SECONDS + index}.M{index:06}P{7_000 + index}.host.example.org"
    if index % 4 in (1, 3):
        name += f",S={len(message.stored)}"
    if index % 4 in (2, 3):
        name += f",W={len(message.wire)}"
    if index % 2:
        return f"new/{name}"
    return f"cur/{name}:2,{FLAGS[index // 2 % len(FLAGS)]}"


def files(maildir: Path) -> list[Path]:
    """Return the files of all messages in the order of their names' seconds."""
    found = [*(maildir / "new").iterdir(), *(maildir / "cur").iterdir()]
    return sorted(found, key=lambda path: path.name)


def collected(maildir: Path) -> list[bytes]:
    """Return the octets of all messages that another program put into a Maildir, unordered."""
    return [path.read_bytes() for path in files(maildir)]


def unique_part(path: Path) -> str:
    """Return the part of a message's file name that no program changes."""
    return path.name.partition(":")[0].partition(",")[0]

"""The stores that peers read, as delivery agents fill them: Maildirs and mbox files."""

import itertools
import os
from pathlib import Path

from restante.examine.outcome import NotTried

UID = 21_000
"""Of the user whom all mail belongs to, who is nobody outside a room."""
FIRST_SECONDS = 1_700_000_000
POSTMARK = b"From sender@example.org Tue Nov 14 22:13:20 2023\n"
_serial = itertools.count(1)


def make_maildir(maildir: Path) -> Path:
    """Make the folders of a Maildir."""
    for folder in ("tmp", "new", "cur"):
        (maildir / folder).mkdir(parents=True)
    return maildir


def own(path: Path) -> None:
    """Give a folder and all in it to the user whom all mail belongs to."""
    for entry in (path, *path.rglob("*")):
        os.chown(entry, UID, UID)


def deliver_lf(maildir: Path, octets: bytes) -> None:
    """Deliver for a server to which a CR before an LF is one octet more of the line.

    Raises:
        NotTried: such a Maildir does not hold this message.
    """
    if b"\r\n" in octets:
        raise NotTried(
            "lines end in LF in this server's Maildirs: this message would be another one there"
        )
    deliver(maildir, octets)


def deliver(maildir: Path, octets: bytes) -> None:
    """Deliver as the Maildir rules say: write into tmp, move to new.

    The seconds of name and file go up, because some servers sort by these and some by those.
    """
    number = next(_serial)
    name = f"{FIRST_SECONDS + number}.M{number:06}P1Q{number}.fixture"
    path = maildir / "tmp" / name
    path.write_bytes(octets)
    os.chown(path, UID, UID)
    os.utime(path, (FIRST_SECONDS + number, FIRST_SECONDS + number))
    path.rename(maildir / "new" / name)


def as_mbox(octets: bytes) -> bytes:
    """Return a message as a delivery agent appends it to an mbox.

    Raises:
        NotTried: an mbox would not tell this message from a similar one.
    """
    if b"\r" in octets:
        raise NotTried("an mbox has no line ends but LF: this message would be another one there")
    if not octets.endswith(b"\n"):
        raise NotTried("an mbox holds whole lines: this message's last one has no end")
    if b"\n\n" not in octets:
        raise NotTried("in an mbox a blank line ends every message: this one has none")
    if b"\nFrom " in octets:
        raise NotTried("an mbox cannot hold a line that begins with From")
    return POSTMARK + octets + b"\n"

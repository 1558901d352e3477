"""Scans: what lies in the two folders of a Maildir, and when that was last changed.

Only regular files are messages: links, pipes, sockets, devices and folders that somebody planted
are never opened. `new` is looked at before `cur`, because programs move files from the one to the
other: what is seen in both was moved in between, and counts where it went.
"""

import os
import stat
import time
from bisect import bisect_left
from itertools import islice
from typing import AnyStr, NamedTuple

from restante.errors import PermanentFailure, TemporaryFailure

FOLDERS = (b"new", b"cur")
GRAIN_NS = 30_000_000
"""A change this young may share its time with another one that is still to come."""
COARSE_GRAIN_NS = 2_100_000_000
"""The same, where times are kept by the second."""


class Changed(NamedTuple):
    """When the two folders were last changed, in nanoseconds; 0 where one is not there."""

    new_ns: int
    cur_ns: int


def changed(mailbox: bytes) -> Changed:
    """Look when the folders were last changed.

    Raises:
        OSError: that cannot be seen.
        PermanentFailure: one of them is no folder.
    """
    return Changed(_changed(mailbox + b"/new"), _changed(mailbox + b"/cur"))


def _changed(path: bytes) -> int:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return 0
    if not stat.S_ISDIR(status.st_mode):
        raise PermanentFailure(reason="new and cur are folders in a maildir")
    return status.st_mtime_ns


def proven(seen: Changed, scanned_at_ns: int) -> Changed:
    """Return the times that prove something: 0 for a folder that may change unseen."""
    return Changed(
        proven_ns(seen.new_ns, scanned_at_ns),
        proven_ns(seen.cur_ns, scanned_at_ns),
    )


def proven_ns(changed_ns: int, scanned_at_ns: int) -> int:
    """Return a time of change if it proves something, else 0."""
    grain = COARSE_GRAIN_NS if changed_ns % 1_000_000_000 == 0 else GRAIN_NS
    # A time before the epoch is no time of any change, and no image holds it.
    return changed_ns if 0 < changed_ns < scanned_at_ns - grain else 0


_FOLDER_OCTETS = 65_536
"""More than an empty folder takes, on any file system."""
_ENTRY_OCTETS = 100
"""More than it takes for a file that is named as mail is."""


class FolderTooBig(Exception):
    """A folder with more entries than the scan was to look at."""


def messages(mailbox: bytes, folder: bytes, limit: int | None = None) -> list[bytes]:
    """Return the files of one folder as `folder/name`, in no order.

    Raises:
        TemporaryFailure: it cannot be read.
        FolderTooBig: it has more than `limit` of them.
    """
    prefix = folder + b"/"
    found = _names(mailbox + b"/" + folder, limit)
    return [prefix + name for name in found if name[0] != 0x2E]


def messages_in_order(mailbox: bytes, folder: bytes, limit: int | None = None) -> bytes:
    """Return the same as one text, a NUL behind each, in the order of their octets.

    Raises: as `messages`.
    """
    found = _names(os.fsdecode(mailbox + b"/" + folder), limit)
    # Text is sorted much faster than octets; all that begins with a dot is then in one place.
    found.sort()
    del found[bisect_left(found, ".") : bisect_left(found, "/")]
    if not found:
        return b""
    start = os.fsdecode(folder) + "/"
    text = start + f"\0{start}".join(found) + "\0"
    if text.isascii():
        return text.encode("ascii")
    # What stands for an octet that is no text is not where that octet is.
    octets = sorted(os.fsencode(start + name) for name in found)
    return b"\0".join((*octets, b""))


def looks_bigger(mailbox: bytes, folder: bytes, files: int) -> bool:
    """Say whether a folder by its own size holds more files than that, or once did.

    False: that has to be seen by counting.
    """
    try:
        octets = os.lstat(mailbox + b"/" + folder).st_size
    except OSError:
        return False
    return octets > _FOLDER_OCTETS + files * _ENTRY_OCTETS


def _names(path: AnyStr, limit: int | None) -> list[AnyStr]:
    """Return the names of the files of one folder, in no order."""
    try:
        with os.scandir(path) as entries:
            found = [
                entry.name
                for entry in islice(entries, limit)
                if entry.is_file(follow_symlinks=False)
            ]
            if limit is not None and next(entries, None) is not None:
                raise FolderTooBig
            return found
    except FileNotFoundError:
        return []
    except OSError as error:
        raise TemporaryFailure from error


def clock_ns() -> int:
    """Return the time that file systems take theirs from."""
    return time.time_ns()

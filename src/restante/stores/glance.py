"""Glances: what can be seen of a Maildir without waiting for any disk.

A path is walked by what the kernel has in memory, and a folder that was opened so stays there:
what is asked of its descriptor, a file system on a disk of this machine answers from memory. One
that asks a server may do so even then, so no glance is taken there: which they are is known by
name, and what is not known by name counts as one of them.
"""

import ctypes
import os
import platform

from restante.stores.catalogue import catalogue_path
from restante.stores.locks import Key, lock_key
from restante.stores.openat2 import NO_XDEV, how, open_cached
from restante.stores.records import Stamp, stamp_of

_FOLDER_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = how(_FOLDER_FLAGS)
_FILE = how(os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
_NEIGHBOUR = how(_FOLDER_FLAGS, NO_XDEV)

_LOCAL = {
    0xEF53: "ext2, ext3, ext4",
    0x58465342: "xfs",
    0x9123683E: "btrfs",
    0x01021994: "tmpfs",
    0x858458F6: "ramfs",
    0x794C7630: "overlayfs",
    0xF2F52010: "f2fs",
    0x2FC12FC1: "zfs",
    0xCA451A4E: "bcachefs",
    0x3153464A: "jfs",
    0x52654973: "reiserfs",
}
"""File systems that ask nobody but a disk of this machine, by their magic number."""
_STATFS_OCTETS = 256
"""More than a struct statfs of any kind of machine; its first field is the magic number."""
_Magic = ctypes.c_uint32 if platform.machine() == "s390x" else ctypes.c_ulong


def is_seen_unchanged(mailbox: bytes, key: Key, new_ns: int, cur_ns: int) -> bool:
    """Say whether a path is seen to lead to a Maildir, whose folders were last changed then.

    For one on a local file system. False: it does not, or that cannot be told without waiting.
    Both folders are held while they are asked, so that nothing is forgotten in between, and the
    mailbox with them: what is remembered of a folder includes the way to it.
    """
    new = cur = -1
    try:
        new = open_cached(mailbox + b"/new", _FOLDER)
        cur = open_cached(b"../cur", _NEIGHBOUR, new)
        if os.fstat(new).st_mtime_ns != new_ns or os.fstat(cur).st_mtime_ns != cur_ns:
            return False
        # A copy has the times of what it replaced.
        status = os.stat(b"..", dir_fd=cur)
        return lock_key(status.st_dev, status.st_ino) == key
    except OSError:
        return False
    finally:
        if cur >= 0:
            os.close(cur)
        if new >= 0:
            os.close(new)


def is_catalogue_seen(mailbox: bytes, stamp: Stamp | None) -> bool:
    """Say whether the catalogue of a mailbox on a local file system is seen to be as it was then.

    False: it is not, or that cannot be told without waiting.
    """
    try:
        descriptor = open_cached(catalogue_path(mailbox), _FILE)
    except FileNotFoundError:
        return stamp is None
    except OSError:
        return False
    try:
        return stamp_of(os.fstat(descriptor)) == stamp
    finally:
        os.close(descriptor)


def is_local(path: bytes) -> bool:
    """Say whether a path lies on a file system that asks nobody but a disk of this machine."""
    status = ctypes.create_string_buffer(_STATFS_OCTETS)
    try:
        failed = ctypes.CDLL(None).statfs(path, status)
    except (OSError, AttributeError):
        return False
    return not failed and (_Magic.from_buffer(status).value & 0xFFFFFFFF) in _LOCAL

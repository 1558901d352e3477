"""Privileges: becoming somebody with fewer, for good, and what no process of ours should have."""

import ctypes
import os
import pwd
import resource
from pathlib import Path

from restante.errors import ConfigurationError

_PR_SET_DUMPABLE = 4


def look_up(user: str, key: str) -> pwd.struct_passwd:
    """Return the entry of a user.

    Raises:
        ConfigurationError: there is none of that name.
    """
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise ConfigurationError(f"{key}: there is no user {user!r}") from None


def become(user: str) -> None:
    """Give up being root for good.

    Raises:
        PermissionError: it could be taken back.
    """
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.initgroups(user, entry.pw_gid)
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    if entry.pw_uid != 0 and 0 in os.getresuid():
        raise PermissionError("privileges could not be dropped")


def keep_secrets_in() -> None:
    """Leave no core and let no other process of this user look inside (threats, promise 5)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def raise_descriptor_limit() -> None:
    """Take as many descriptors as we may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def make_directory(path: Path, mode: int, owner: str | None) -> None:
    """Make a directory of the state directory, for the role that works there."""
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    path.chmod(mode)
    if owner is not None and os.geteuid() == 0:
        entry = pwd.getpwnam(owner)
        os.chown(path, entry.pw_uid, entry.pw_gid)

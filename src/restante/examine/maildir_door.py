"""The door into a Maildir: files put in by its rules, and the same files taken out again.

It may run as root on a folder that belongs to somebody else, so no link is followed and no file
is touched that is not the suite's own.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import ClassVar

from restante.examine.doors import Door
from restante.examine.outcome import NotTried

_FOLDERS = ("tmp", "new", "cur")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class MaildirDoor(Door):
    """A Maildir that lies where the suite can write."""

    exact: ClassVar[bool] = True
    prompt: ClassVar[bool] = True
    takes_out: ClassVar[bool] = True

    def __init__(self, path: Path) -> None:
        """Open its folders, raising OSError where they are not to be had."""
        self._path = path
        self._serial = 0
        self._ours: set[str] = set()
        self._folders: dict[str, int] = {}
        try:
            for name in _FOLDERS:
                self._folders[name] = os.open(path / name, _FOLDER)
        except OSError:
            self.close()
            raise

    def check(self) -> None:
        """Put a file into tmp and remove it."""
        try:
            name = self._write(b"")
            os.unlink(name, dir_fd=self._folders["tmp"])
        except OSError as error:
            raise NotTried(self._told(error)) from error

    def deliver(self, octets: bytes) -> None:
        """Write into tmp and rename into new."""
        try:
            name = self._write(octets)
            self._ours.add(name)
            tmp, new = self._folders["tmp"], self._folders["new"]
            os.rename(name, name, src_dir_fd=tmp, dst_dir_fd=new)
        except OSError as error:
            raise NotTried(self._told(error)) from error

    def take_out(self) -> bool:
        """Remove the files that were put in, wherever the server has moved them by now."""
        try:
            for folder in self._folders.values():
                for name in os.listdir(folder):
                    if name.partition(":")[0] in self._ours:
                        with contextlib.suppress(FileNotFoundError):
                            os.unlink(name, dir_fd=folder)
        except OSError as error:
            raise NotTried(self._told(error)) from error
        self._ours.clear()
        return True

    def close(self) -> None:
        """Close the folders."""
        for descriptor in self._folders.values():
            os.close(descriptor)
        self._folders.clear()

    def _write(self, octets: bytes) -> str:
        """Write a file into tmp, as readable as its folder is, and return its name."""
        self._serial += 1
        name = f"{int(time.time())}.M{self._serial:06}P{os.getpid()}Q{self._serial}.examine"
        owner = os.stat(self._folders["new"])
        descriptor = os.open(name, _NEW_FILE, 0o600, dir_fd=self._folders["tmp"])
        with os.fdopen(descriptor, "wb") as file:
            if os.geteuid() == 0:
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            os.fchmod(descriptor, 0o600 | owner.st_mode & 0o066)
            file.write(octets)
        return name

    def _told(self, error: OSError) -> str:
        return f"the Maildir {os.fspath(self._path)!a}: {error.strerror or error}"

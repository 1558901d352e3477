"""Small disks in files, mounted by loop devices, for tests of what happens when one fails."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import require

MKFS = {"ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q", "-f")}


class LoopDisk:
    """One file system in a file, mounted or not."""

    def __init__(self, directory: Path, kind: str, mebioctets: int, *options: str) -> None:
        self.kind = kind
        self.image = directory / f"{kind}.image"
        self.path = directory / kind
        self.path.mkdir()
        with self.image.open("wb") as file:
            file.truncate(mebioctets << 20)
        program, *flags = MKFS[kind]
        run(require(program), *flags, *options, str(self.image))
        self._mounted = False

    def mount(self) -> None:
        """Mount it, replaying its journal."""
        run("mount", "-o", "loop", str(self.image), str(self.path))
        self._mounted = True

    def remount(self, how: str) -> None:
        """Make it read-only (`ro`) or writable again (`rw`)."""
        run("mount", "-o", f"remount,{how}", str(self.path))

    def cut_power(self) -> None:
        """Stop all writing at once; what is not on the disk by now is lost."""
        run(require("xfs_io"), "-x", "-c", "shutdown", str(self.path))
        self.unmount()

    def unmount(self) -> None:
        """Unmount it."""
        if self._mounted:
            run("umount", str(self.path))
            self._mounted = False


@contextmanager
def mounted(directory: Path, kind: str, mebioctets: int, *options: str) -> Iterator[LoopDisk]:
    """Make and mount a disk for as long as a test takes."""
    if os.geteuid() != 0:
        pytest.skip("mounting a disk takes root")
    disk = LoopDisk(directory, kind, mebioctets, *options)
    try:
        disk.mount()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no loop device can be mounted here: {error.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        disk.unmount()


@contextmanager
def memory_disk(directory: Path, options: str) -> Iterator[Path]:
    """Mount a file system in memory."""
    if os.geteuid() != 0:
        pytest.skip("mounting a disk takes root")
    path = directory / "memory"
    path.mkdir()
    try:
        run("mount", "-t", "tmpfs", "-o", options, "restante-test", str(path))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no file system in memory can be mounted here: {error.stderr.decode()}")
    try:
        yield path
    finally:
        run("umount", str(path))


def run(*arguments: str) -> None:
    """Run a program of the system."""
    subprocess.run(arguments, check=True, capture_output=True, timeout=60)

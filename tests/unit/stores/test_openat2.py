"""What is in memory is opened, and a kernel that cannot tell is not asked."""

import ctypes
import errno
import os
from pathlib import Path

import pytest

from restante.stores import openat2
from restante.stores.openat2 import NO_XDEV, how, open_cached

FOLDER = how(os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def test_what_is_in_memory_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = open_cached(os.fsencode(tmp_path / "a"), FOLDER)
    other = open_cached(b"../b", FOLDER, one)
    assert os.path.samestat(os.fstat(other), os.stat(tmp_path / "b"))
    assert not os.get_inheritable(other)
    os.close(one)
    os.close(other)


def test_what_is_not_there_or_is_something_else_is_said(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").touch()
    assert not (tmp_path / "missing").exists(), "now that is in memory"
    with pytest.raises(FileNotFoundError):
        open_cached(os.fsencode(tmp_path / "missing"), FOLDER)
    for name in ("link", "file"):
        with pytest.raises(NotADirectoryError):
            open_cached(os.fsencode(tmp_path / name), FOLDER)


def test_a_mount_is_not_crossed() -> None:
    os.close(open_cached(b"/proc", FOLDER))
    with pytest.raises(OSError, match=r"cross-device|temporarily unavailable"):
        open_cached(b"/proc", how(os.O_PATH | os.O_CLOEXEC, NO_XDEV))


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EACCES])
def test_a_kernel_that_cannot_tell_is_as_if_nothing_were_in_memory(
    monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """Whatever it says: a sandbox chooses that."""

    def refuse(*arguments: object) -> int:
        ctypes.set_errno(error)
        return -1

    class Library:
        syscall = staticmethod(refuse)

    monkeypatch.setattr(ctypes, "PyDLL", lambda *_, **__: Library)
    monkeypatch.setattr(openat2, "_call", openat2._system_call())
    with pytest.raises(BlockingIOError):
        open_cached(b"/", FOLDER)
    monkeypatch.setattr(ctypes, "PyDLL", lambda *_, **__: object())
    assert openat2._system_call() is None

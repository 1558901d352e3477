"""Mounts tell which device a path lies on without a look at it."""

import os
from pathlib import Path

import pytest

from restante.stores import mounts as module
from restante.stores.mounts import Mounts

LIST = rb"""1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
2 1 0:5 / /var/vmail rw - tmpfs none rw
3 2 0:60 / /var/vmail/a\040disk\134 rw master:1 - nfs4 server:/mail rw
4 3 8:17 /sub /var/vmail/twice rw - xfs /dev/sdb1 rw
5 4 8:18 / /var/vmail/twice rw - xfs /dev/sdb2 rw
"""


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mounts:
    """Mounts as a text says them."""
    (tmp_path / "list").write_bytes(LIST)
    monkeypatch.setattr(module, "LIST", str(tmp_path / "list"))
    return Mounts()


@pytest.mark.parametrize(
    ("path", "device"),
    [
        (b"/", (8, 1)),
        (b"/var", (8, 1)),
        (b"/var/vmail-old/x", (8, 1)),
        (b"/var/vmail", (0, 5)),
        (b"/var/vmail/example.org/alice/Maildir", (0, 5)),
        (b"/var/vmail/a disk\\/alice", (0, 60)),
        (b"/var/vmail/twice/alice", (8, 18)),
    ],
)
def test_the_nearest_mount_counts(listed: Mounts, path: bytes, device: tuple[int, int]) -> None:
    assert listed.device(path) == os.makedev(*device)
    listed.close()
    listed.close()


def test_the_mounts_of_this_machine() -> None:
    mounts = Mounts()
    assert mounts.device(b"/proc/self/status") == os.stat("/proc").st_dev
    assert mounts.device(b"/dev/null") == os.stat("/dev").st_dev
    mounts.close()


def test_a_path_that_leads_nowhere_absolute_is_on_no_device(listed: Mounts) -> None:
    listed._devices.clear()
    assert listed.device(b"/var") == 0
    assert listed.device(b"relative") == 0


@pytest.mark.parametrize(
    "line",
    [
        b"6 1 0:70 / /home/mallory/a\rb rw - fuse mallory rw\n",
        b"6 1 0:70 / /home/mallory/a rw - fuse mal\r7 1 0:71 / /var/vmail rw\n",
        b"6 1 0:70 / /home/mallory/a rw - fuse mal\x0b7\x85\xff rw\n",
        b"\n",
        b"6 1 0:70\n",
        b"6 1 0:99999999999999999999 / /home/mallory rw - fuse mallory rw\n",
    ],
)
def test_a_mount_of_a_user_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    (tmp_path / "list").write_bytes(LIST + line)
    monkeypatch.setattr(module, "LIST", str(tmp_path / "list"))
    mounts = Mounts()
    assert mounts.device(b"/var/vmail/alice") == os.makedev(0, 5)
    mounts.close()


def test_a_system_without_a_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "LIST", str(tmp_path / "missing"))
    mounts = Mounts()
    assert mounts.device(b"/var") == 0
    mounts.close()

"""Files of keys: made once, whole, and for their owner alone."""

import os
import stat
import threading
from pathlib import Path

import pytest

from restante.auth.key_file import KEY_OCTETS, UnusableKey, make_key, read_key
from unit.auth.scene import PATIENCE_SECONDS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.key"


def test_a_key_is_made_once(path: Path) -> None:
    make_key(path)
    key = read_key(path, "it")
    make_key(path)
    assert read_key(path, "it") == key
    assert len(key.reveal()) == KEY_OCTETS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_nobody_else_can_read_it_whatever_the_mask(path: Path) -> None:
    mask = os.umask(0)
    try:
        make_key(path)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_of_many_who_make_it_at_once_all_have_the_same(path: Path) -> None:
    start = threading.Barrier(8)
    keys: list[bytes] = []

    def make() -> None:
        start.wait(PATIENCE_SECONDS)
        make_key(path)
        keys.append(read_key(path, "it").reveal())

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_failure_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        make_key(path)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "octets", [b"", b"ab" * KEY_OCTETS, b"ab" * KEY_OCTETS + b"\n\n", b"zz" * KEY_OCTETS + b"\n"]
)
def test_what_is_no_key_is_told_without_it(path: Path, octets: bytes) -> None:
    path.write_bytes(octets)
    with pytest.raises(UnusableKey, match="it is damaged") as caught:
        read_key(path, "it")
    assert caught.value.__context__ is None


def test_a_link_is_not_followed(path: Path) -> None:
    other = path.with_name("other")
    make_key(other)
    path.symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        read_key(path, "it")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o777])
def test_a_key_that_others_can_get_at_is_none(path: Path, mode: int) -> None:
    make_key(path)
    path.chmod(mode)
    with pytest.raises(UnusableKey, match="its mode has to be 600"):
        read_key(path, "it")
    path.chmod(0o400)
    assert len(read_key(path, "it").reveal()) == KEY_OCTETS

"""A file is read whole, however big it is, and as far as it goes."""

import mmap
import os
from pathlib import Path

import pytest

from restante.stores import pages
from restante.stores.pages import BIG_OCTETS, read_whole


def read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        # Wherever it was read or written last.
        os.lseek(descriptor, 3, os.SEEK_SET)
        return bytes(read_whole(descriptor))
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("octets", [0, 1, BIG_OCTETS - 1, BIG_OCTETS, BIG_OCTETS + 4_097])
def test_all_of_it(tmp_path: Path, octets: int) -> None:
    stored = bytes(range(251)) * (octets // 251 + 1)
    path = tmp_path / "file"
    path.write_bytes(stored[:octets])
    assert read(path) == stored[:octets]


def test_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is cut meanwhile ends where it ends by then."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    monkeypatch.setattr(pages, "BIG_OCTETS", 10)
    whole = os.preadv

    def some(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        got = whole(descriptor, [buffers[0][:40]], offset)
        os.truncate(path, 70)
        return got

    monkeypatch.setattr(os, "preadv", some)
    assert read(path) == b"x" * 70


def test_a_system_without_big_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory(mmap.mmap):
        def madvise(self, option: int, start: int = 0, length: int = 0) -> None:
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(mmap, "mmap", Memory)
    path = tmp_path / "file"
    path.write_bytes(b"x" * BIG_OCTETS)
    assert read(path) == b"x" * BIG_OCTETS

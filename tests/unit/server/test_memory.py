"""A worker's memory: what is there at its start is never looked at again, and comes back."""

import ctypes
import gc
import os
import threading
from pathlib import Path

import pytest

from restante.server import memory


def test_what_is_there_is_never_collected_again() -> None:
    before = gc.get_threshold()
    try:
        memory.settle()
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold()[0] > 10_000
        assert 0 < threading.stack_size() < 1 << 20
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
        threading.stack_size(0)


def test_large_buffers_stay_with_the_process() -> None:
    """Freed and made anew they fault in no page; in a process of its own, as it lasts."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            memory.settle()
            gc.unfreeze()
            faults = [_faults(100) for _ in range(2)][-1]
            status = 0 if faults < 100 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_many_buffers_took_stays_until_it_is_given_back() -> None:
    """In a process of its own, as it lasts."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            memory.settle()
            gc.unfreeze()
            before = _resident_octets()
            for _ in range(2):
                held = [b"x" * 100_000 + bytes([number]) for number in range(256)]
                held.clear()
            kept = _resident_octets() - before
            memory.give_back()
            left = _resident_octets() - before
            status = 0 if left < 4_000_000 < 20_000_000 < kept else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _resident_octets() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _faults(buffers: int) -> int:
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(buffers):
        bytearray(b"x" * 500_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_another_libc_keeps_its_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: None) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    before = gc.get_threshold()
    try:
        memory.settle()
        memory.give_back()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)

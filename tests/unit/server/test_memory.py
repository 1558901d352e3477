"""A worker's memory: what is there at its start is never looked at again, and comes back."""

import ctypes
import gc
import os
import subprocess
import sys
import threading

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


MANY_BUFFERS = """
import gc, os
from restante.server import memory

def resident_octets():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

memory.settle()
gc.unfreeze()
before = resident_octets()
for _ in range(2):
    held = [b"x" * 100_000 + bytes([number]) for number in range(256)]
    held.clear()
kept = resident_octets() - before
memory.give_back()
print(kept, resident_octets() - before)
"""


def test_what_many_buffers_took_stays_until_it_is_given_back() -> None:
    """In an interpreter of its own: what other tests have left of the heap would serve as well."""
    command = [sys.executable, "-c", MANY_BUFFERS]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    kept, left = map(int, done.stdout.split())
    assert left < 4_000_000 < 20_000_000 < kept


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

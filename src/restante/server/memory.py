"""How a worker's memory is had and given back.

glibc maps large buffers anew each time and faults them in page by page; with thresholds above the
size of a chunk they stay with the process, which saved a quarter of the CPU of a drain. What one
drain has kept ready stays for the next one, too: to fault it in takes twice as long as to fill it.
What nobody needs any more is given back now and then. The garbage collector looks at what exists
after start-up once and never again. Threads that wait for a disk may be many, and get stacks of a
size that no huge page is made for. Heaps of their own they do not get: tables grow in whichever
thread adds to them, and what each left behind in another heap was a twentieth of what ten thousand
idle sessions take.
"""

import ctypes
import gc
import threading

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8
_LARGE_OCTETS = 4 * 1024 * 1024
_FREE_OCTETS = 128 * 1024 * 1024
"""Free memory that stays until it is asked to be given back."""
_STACK_OCTETS = 512 * 1024


def settle() -> None:
    """Set the allocator and the collector for a long life of many short sessions."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        # Another libc: it keeps its own ways.
        pass
    else:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_OCTETS)
        mallopt(_M_TRIM_THRESHOLD, _FREE_OCTETS)
        mallopt(_M_TOP_PAD, 256 * 1024)
        mallopt(_M_ARENA_MAX, 1)
    threading.stack_size(_STACK_OCTETS)
    gc.collect()
    gc.freeze()
    # Sessions leave few cycles behind: looking for them every 700 objects costs a login more.
    gc.set_threshold(20_000, 20, 50)


def give_back() -> None:
    """Give memory that is free to the system: a matter of milliseconds, for now and then."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    trim(0)

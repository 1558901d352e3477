"""Files that are read whole, a big one into memory of big pages where the system has them.

Memory that nobody had yet is given page by page, when it is first touched; to be given the four
thousand small pages of a big listing takes several times longer than to read it.
"""

import mmap
import os
from contextlib import suppress

from restante.maildrop import Buffer

BIG_OCTETS = 4 * 1024 * 1024
"""Two big pages, where those have their usual size; less lies anywhere."""


def read_whole(descriptor: int) -> Buffer:
    """Return what a file holds, as far as it goes now.

    Raises:
        OSError: it cannot be read, or there is no memory for it.
    """
    octets = os.fstat(descriptor).st_size
    if octets < BIG_OCTETS:
        os.lseek(descriptor, 0, os.SEEK_SET)
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.readall()
    memory = mmap.mmap(-1, octets, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):
        memory.madvise(mmap.MADV_HUGEPAGE)
    view = memoryview(memory)
    filled = 0
    while filled < octets and (more := os.preadv(descriptor, [view[filled:]], filled)):
        filled += more
    return view[:filled]

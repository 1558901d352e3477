"""Mounts: which device a path lies on, told without looking at the path itself.

The kernel's list of mounts is read again when it says that it has changed. What a link on the way
leads to is not known here.
"""

import os
import re
import select
from itertools import chain

LIST = "/proc/self/mountinfo"
_LINE = re.compile(rb"^\d+ \d+ (\d{1,9}):(\d{1,9}) [^ \n]+ ([^ \n]+) ", re.MULTILINE)
"""proc_pid_mountinfo(5): device and mount point, in which a user who may mount can put any octet
that the kernel does not escape, a carriage return among them."""
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mounts:
    """The mounts that this process sees."""

    def __init__(self) -> None:
        self._devices: dict[bytes, int] = {}
        self.readings = 0
        """Of the list, so many; whenever it has changed, a number may stand for another device."""
        self._poll = select.poll()
        try:
            self._descriptor = os.open(LIST, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            # No list, no difference: everything is in one place.
            self._descriptor = -1
        else:
            self._poll.register(self._descriptor, select.POLLPRI)
            self._read()

    def device(self, path: bytes) -> int:
        """Return the device that is mounted where an absolute path leads; 0: who knows."""
        if self._poll.poll(0):
            self._read()
        devices = self._devices
        while path not in devices:
            shorter = path.rpartition(b"/")[0] or b"/"
            if shorter == path:
                return 0
            path = shorter
        return devices[path]

    def close(self) -> None:
        """Close the list; may be called twice."""
        if self._descriptor >= 0:
            self._poll.unregister(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self) -> None:
        self.readings += 1
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        pieces = iter(lambda: os.read(self._descriptor, 65_536), b"")
        # What is mounted over something comes behind it.
        self._devices = dict(map(_parse, _LINE.findall(b"".join(chain(pieces)))))


def _parse(line: tuple[bytes, bytes, bytes]) -> tuple[bytes, int]:
    major, minor, point = line
    unescaped = _ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), point)
    return unescaped, os.makedev(int(major), int(minor))

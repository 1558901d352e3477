"""What a server's whole process tree has used: CPU time since its start, and the processes alive.

A control group counts every process that was ever in the tree, to the nanosecond or microsecond,
those that lived for one session included. Where no group can be made, `/proc` is summed: of each
descendant alive its own ticks and those of the children it has waited for.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

_MOUNTS = Path("/proc/self/mounts")
_JOIN = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


class CpuAccount(Protocol):
    """A ledger of the CPU time of one process tree."""

    how: str

    def wrap(self, command: list[str]) -> list[str]:
        """Return the command line that runs the command inside the account."""
        ...

    def seconds(self, root: int) -> float:
        """Return user and system seconds used so far by the tree below process root."""
        ...

    def processes(self, root: int) -> list[int]:
        """Return the processes alive in the tree."""
        ...

    def close(self) -> None:
        """Remove what the account left in the system."""
        ...


class CgroupAccount:
    """A ledger kept by the kernel in a control group of its own, version 2 or cpuacct."""

    def __init__(self, directory: Path, unified: bool) -> None:
        self._directory = directory
        self._unified = unified
        self.how = f"control group, {'cpu.stat' if unified else 'cpuacct.usage'}"
        directory.mkdir()

    def wrap(self, command: list[str]) -> list[str]:
        """Return the command line that joins the group and becomes the command."""
        return ["/bin/sh", "-c", _JOIN, str(self._directory), *command]

    def seconds(self, root: int) -> float:
        """Return user and system seconds of everything that ever ran in the group."""
        if self._unified:
            first = (self._directory / "cpu.stat").read_text("ascii").split("\n", 1)[0]
            return int(first.removeprefix("usage_usec ")) / 1e6
        return int((self._directory / "cpuacct.usage").read_text("ascii")) / 1e9

    def processes(self, root: int) -> list[int]:
        """Return the processes alive in the group."""
        return [int(line) for line in (self._directory / "cgroup.procs").read_text().split()]

    def close(self) -> None:
        """Remove the group, which must be empty."""
        self._directory.rmdir()


class ProcAccount:
    """A ledger read from `/proc`, in clock ticks."""

    how = "/proc/PID/stat of all descendants, waited-for children included"

    def wrap(self, command: list[str]) -> list[str]:
        """Return the command as it is."""
        return command

    def seconds(self, root: int) -> float:
        """Return the ticks of the tree, as seconds."""
        ticks = 0
        for process in self.processes(root):
            fields = _stat_fields(process)
            ticks += sum(int(value) for value in fields[11:15])
        return ticks / os.sysconf("SC_CLK_TCK")

    def processes(self, root: int) -> list[int]:
        """Return root and all its descendants."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (fields := _stat_fields(int(entry.name))):
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
        found = [root]
        for process in found:
            found.extend(parents.get(process, ()))
        return found

    def close(self) -> None:
        """Do nothing: nothing was made."""


def open_account(name: str) -> CpuAccount:
    """Return the most exact account this machine allows."""
    for directory, unified in _group_mounts():
        try:
            return CgroupAccount(directory / f"restante-benchmark-{os.getpid()}-{name}", unified)
        except OSError:
            continue
    return ProcAccount()


def _group_mounts() -> Iterator[tuple[Path, bool]]:
    mounts = [line.split(" ") for line in _MOUNTS.read_text().splitlines()]
    for _, where, kind, flags, *_ in mounts:
        if kind == "cgroup" and "cpuacct" in flags.split(","):
            yield Path(where), False
    for _, where, kind, *_ in mounts:
        if kind == "cgroup2":
            yield Path(where), True


def _stat_fields(process: int) -> list[str]:
    """Return the fields of a process behind its name, none when it has gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(") ")[2].split(" ")

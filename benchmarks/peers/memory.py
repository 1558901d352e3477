"""What a process tree keeps in memory, each shared page counted once in all."""

from collections.abc import Iterable
from pathlib import Path


def proportional_octets(processes: Iterable[int]) -> int:
    """Return the sum of the proportional set sizes of the processes."""
    return sum(_proportional_octets_of(process) for process in processes)


def _proportional_octets_of(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended since it was listed
        return 0
    kibibytes = next((line.split()[1] for line in lines if line.startswith("Pss:")), "0")
    return int(kibibytes) * 1024

"""Alternating runs: each work by one server, then by the other, in turns that change who begins."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.peers.peer import Peer
from benchmarks.works.work import Work

BARE = "by itself"
"""The name of the samples of a work's bare part, beside those of servers."""
_BARE_UNITS = 10


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one server."""

    cpu_seconds: float
    wall_seconds: float
    units: float

    def per_unit(self) -> float:
        """Return CPU seconds per unit of work."""
        return self.cpu_seconds / self.units


@dataclass(slots=True)
class Result:
    """All runs of one work."""

    work: Work
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def cpu_per_unit(self, name: str) -> float:
        """Return the median of CPU seconds per unit of a server."""
        return median(sample.per_unit() for sample in self.samples[name])

    def wall_per_unit(self, name: str) -> float:
        """Return the median of elapsed seconds per unit of a server."""
        return median(sample.wall_seconds / sample.units for sample in self.samples[name])

    def ratio(self, ours: str, theirs: str) -> float:
        """Return our CPU time as a part of theirs."""
        return self.cpu_per_unit(ours) / self.cpu_per_unit(theirs)

    def judged_ratio(self, ours: str, theirs: str) -> float:
        """Return the ratio that the work's target is for."""
        return self.ratio(ours, BARE if BARE in self.samples else theirs)


def compare(work: Work, peers: Sequence[Peer], runs: int, tell: Callable[[str], None]) -> Result:
    """Run one work on all servers in turns."""
    result = Result(work, {peer.name: [] for peer in peers})
    for peer in peers:
        work.warm(peer)
    for run in range(runs):
        in_turn = peers if run % 2 == 0 else list(reversed(peers))
        for peer in in_turn:
            work.before_run(peer, run)
            sample = _measure(work, peer, run)
            result.samples[peer.name].append(sample)
            tell(f"{work.key} {peer.name}: {sample.per_unit() * 1e3:.3f} ms per {work.unit}")
        if (bare := _measure_bare(work)) is not None:
            result.samples.setdefault(BARE, []).append(bare)
            tell(f"{work.key} {BARE}: {bare.per_unit() * 1e3:.3f} ms per {work.unit}")
    return result


def _measure_bare(work: Work) -> Sample | None:
    before = time.perf_counter()
    parts = [work.bare() for _ in range(_BARE_UNITS)]
    seconds = [part for part in parts if part is not None]
    if not seconds:
        return None
    return Sample(sum(seconds), time.perf_counter() - before, len(seconds))


def _measure(work: Work, peer: Peer, run: int) -> Sample:
    peer.settle()
    cpu_before, before = peer.cpu_seconds(), time.perf_counter()
    units = work.run(peer, run)
    wall_seconds = time.perf_counter() - before
    peer.settle()
    return Sample(peer.cpu_seconds() - cpu_before, wall_seconds, units)

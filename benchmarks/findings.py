"""Everything one benchmark found, in one value: what the table, the page and the JSON show."""

from dataclasses import dataclass, field
from typing import Any

from benchmarks.measure import Result
from benchmarks.works.idle import Holding
from benchmarks.works.latency import Latency, median_latency


@dataclass(slots=True)
class Findings:
    """The figures of two servers, ours and theirs, and what they were measured on."""

    ours: str
    theirs: str
    facts: dict[str, str]
    judged: bool = True
    """Whether the targets apply: not to a server held against itself, nor to short runs."""
    results: list[Result] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    latencies: dict[str, list[Latency]] = field(default_factory=dict)

    def missed(self) -> list[str]:
        """Name every target that was missed."""
        if not self.judged:
            return []
        works = [
            result.work.key
            for result in self.results
            if result.work.target is not None
            and result.judged_ratio(self.ours, self.theirs) > result.work.target
        ]
        idle = [
            f"idle {'TLS' if holding.over_tls else 'clear'} {holding.connections}"
            for holding in self.holdings
            if holding.name == self.ours and holding.octets_each > holding.target_octets()
        ]
        return works + idle

    def as_json(self) -> dict[str, Any]:
        """Return everything in a form that JSON can hold, each single run included."""
        return {
            "facts": self.facts,
            "works": {result.work.key: self._work_as_json(result) for result in self.results},
            "idle": [_holding_as_json(holding) for holding in self.holdings],
            "latency": {
                name: [_latency_as_json(latency) for latency in latencies]
                for name, latencies in self.latencies.items()
            },
        }

    def latency_medians(self) -> list[Latency]:
        """Return the medians of each server's runs."""
        return [median_latency(latencies) for latencies in self.latencies.values() if latencies]

    def _work_as_json(self, result: Result) -> dict[str, Any]:
        return {
            "title": result.work.title,
            "unit": result.work.unit,
            "at_most": result.work.target,
            "ratio": round(result.ratio(self.ours, self.theirs), 4),
            "judged_ratio": round(result.judged_ratio(self.ours, self.theirs), 4),
            "cpu_microseconds_per_unit": {
                name: [round(sample.per_unit() * 1e6, 1) for sample in samples]
                for name, samples in result.samples.items()
            },
        }


def _holding_as_json(holding: Holding) -> dict[str, Any]:
    return {
        "server": holding.name,
        "tls": holding.over_tls,
        "connections": holding.connections,
        "octets_each": round(holding.octets_each),
    }


def _latency_as_json(latency: Latency) -> dict[str, Any]:
    return {
        "logins": latency.logins,
        "median_ms": round(latency.median_seconds * 1e3, 3),
        "p99_ms": round(latency.p99_seconds * 1e3, 3),
        "longest_ms": round(latency.longest_seconds * 1e3, 3),
    }

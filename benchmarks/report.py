"""The tables, as text that reads the same on a terminal and on the documentation's page."""

from collections.abc import Iterable, Sequence

from benchmarks.findings import Findings
from benchmarks.measure import BARE, Result


def render_tables(findings: Findings) -> str:
    """Return all tables as Markdown with aligned columns."""
    parts = ["## CPU time", "", *_works(findings)]
    if bare := [result for result in findings.results if BARE in result.samples]:
        parts += ["", "## CPU time beside what no server can spare", "", *_bare(findings, bare)]
    if findings.holdings:
        parts += ["", "## Memory of an idle, authenticated connection", "", *_holdings(findings)]
    if findings.latencies:
        parts += ["", "## Latency of logins", "", *_latencies(findings)]
    return "\n".join(parts) + "\n"


def render_facts(findings: Findings) -> str:
    """Return what the figures were measured on, as a table."""
    return "\n".join(_table(("what", "which"), findings.facts.items())) + "\n"


def render_variants(results: list[Result]) -> str:
    """Return a table of several servers, a row for each, a column for each work."""
    names = list(results[0].samples)
    head = ["", *(f"{result.work.key}, per {result.work.unit}" for result in results)]
    rows = [[name, *(_duration(result.cpu_per_unit(name)) for result in results)] for name in names]
    return "\n".join(_table(head, rows)) + "\n"


def _works(findings: Findings) -> list[str]:
    head = ("work", "per", findings.theirs, findings.ours, "ratio", "at most", "")
    results = [result for result in findings.results if BARE not in result.samples]
    return _table(head, [_work(findings, result) for result in results])


def _bare(findings: Findings, results: list[Result]) -> list[str]:
    head = ("work", "per", BARE, findings.theirs, findings.ours, "over it", "at most", "")
    return _table(head, [_bare_work(findings, result) for result in results])


def _bare_work(findings: Findings, result: Result) -> tuple[str, ...]:
    work, per, *rest = _work(findings, result)
    return work, per, _duration(result.cpu_per_unit(BARE)), *rest


def _work(findings: Findings, result: Result) -> tuple[str, ...]:
    ratio = result.judged_ratio(findings.ours, findings.theirs)
    target = result.work.target if findings.judged else None
    return (
        result.work.title,
        result.work.unit,
        _duration(result.cpu_per_unit(findings.theirs)),
        _duration(result.cpu_per_unit(findings.ours)),
        f"{ratio:.3f}",
        "" if target is None else f"{target:g}",
        "" if target is None else _verdict(ratio <= target),
    )


def _holdings(findings: Findings) -> list[str]:
    head = ("server", "transport", "connections", "each", "at most", "")
    rows: list[tuple[str, ...]] = []
    for holding in findings.holdings:
        ours = findings.judged and holding.name == findings.ours
        target = holding.target_octets()
        rows.append(
            (
                holding.name,
                "TLS" if holding.over_tls else "clear",
                f"{holding.connections:,}",
                f"{holding.octets_each / 1024:.2f} KiB",
                f"{target // 1024} KiB" if ours else "",
                _verdict(holding.octets_each <= target) if ours else "",
            )
        )
    return _table(head, rows)


def _latencies(findings: Findings) -> list[str]:
    rows = [
        (
            latency.name,
            f"{latency.logins:,}",
            _duration(latency.median_seconds),
            _duration(latency.p99_seconds),
            _duration(latency.longest_seconds),
        )
        for latency in findings.latency_medians()
    ]
    return _table(("server", "logins", "median", "p99", "longest"), rows)


def _verdict(holds: bool) -> str:
    return "holds" if holds else "missed"


def _duration(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rendered = [_line(line, widths) for line in lines]
    return [rendered[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *rendered[1:]]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return (
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        + " |"
    )

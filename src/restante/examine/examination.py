"""An examination: the server as it showed itself, and what was found case by case.

What the server said stands here as it came, every octet one character, secrets apart: the reports
see to it that nothing of it does harm where it is shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from restante.examine.case import Case, Finding
from restante.examine.judge import Judge
from restante.examine.target import Target, Tls


@dataclass(frozen=True, slots=True)
class Server:
    """The server under examination; `implementation` is what CAPA announces, or empty."""

    host: str
    port: int
    tls: Tls
    greeting: str
    implementation: str
    tls_version: str | None


@dataclass(frozen=True, slots=True)
class Examination:
    """One run of the suite.

    `capabilities` are those seen in "clear", under "tls" and in the "transaction" state; `started`
    is a moment in ISO 8601, `seconds` how long it all took.
    """

    server: Server
    capabilities: Mapping[str, Mapping[str, tuple[str, ...]]]
    findings: tuple[Finding, ...]
    seconds: float
    started: str


Progress = Callable[[Case, Finding | None], None]


def examine(target: Target, cases: Iterable[Case], progress: Progress) -> Examination:
    """Try the cases in turn, telling before and after each."""
    began = time.monotonic()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    endpoint = target.endpoints[0]
    judge = Judge(target)
    findings = []
    for case in cases:
        progress(case, None)
        findings.append(judge.try_case(case))
        progress(case, findings[-1])
    return Examination(
        server=Server(endpoint.host, endpoint.port, endpoint.tls, "", "", None),
        capabilities={},
        findings=tuple(findings),
        seconds=time.monotonic() - began,
        started=started,
    )

"""An examination: the server as it showed itself, and what was found case by case.

What the server said stands here as it came, every octet one character, secrets apart: the reports
see to it that nothing of it does harm where it is shown.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from restante.examine.case import Case, Finding, Start, Verdict
from restante.examine.judge import Judge
from restante.examine.outcome import NotTried, Postponed
from restante.examine.target import Target, Tls

Announced = Mapping[str, tuple[str, ...]]


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
    is a moment in ISO 8601, `seconds` how long it all took. It is not `complete` where the time
    was up or the server gone before the last case.
    """

    server: Server
    capabilities: Mapping[str, Announced]
    findings: tuple[Finding, ...]
    seconds: float
    started: str
    complete: bool = True


Progress = Callable[[Case, Finding | None], None]
FAILURES_BORNE = 3
"""How many cases in a row may find no session before the rest is given up."""


def examine(
    target: Target,
    cases: Iterable[Case],
    progress: Progress,
    *,
    server: Server | None = None,
    capabilities: Mapping[str, Announced] | None = None,
) -> Examination:
    """Try the cases, telling before and after each.

    They are tried in the order that is kindest to the server, and stand in their own order in the
    result. `server` and `capabilities` are what the first look found; see `first_look.py`.
    """
    began = time.monotonic()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    in_order = tuple(cases)
    run = _Run(target, progress)
    findings = run.try_all(in_order)
    return Examination(
        server=server or _unseen(target),
        capabilities=capabilities or {},
        findings=tuple(findings[id(case)] for case in in_order),
        seconds=time.monotonic() - began,
        started=started,
        complete=not run.cut_short,
    )


def kindest_order(cases: Sequence[Case]) -> list[Case]:
    """Return the cases so that the maildrop is filled as seldom as may be.

    Those that only read come before those that may remove, and a maildrop that lacks some messages
    before the one that has them too, so that where nothing can be taken out there is still
    something to add to. Last come those that need no mail and log in by themselves: many show
    credentials that are refused, and a server may be slower after that.
    """
    wanted = {case.mail for case in cases if case.mail is not None}
    continued = {mail: sum(other[: len(mail)] == mail for other in wanted) for mail in wanted}
    in_order = sorted(
        wanted, key=lambda mail: (len(mail), -continued[mail], [each.name for each in mail])
    )
    rank = {mail: number for number, mail in enumerate(in_order)}

    def place(case: Case) -> tuple[bool, bool, int]:
        by_itself = case.mail is None and case.start is not Start.TRANSACTION
        return by_itself, case.scratch, -1 if case.mail is None else rank[case.mail]

    return sorted(cases, key=place)


PAUSES_SECONDS = (0.0, 2.0, 15.0)
"""After so many failures in a row: a limit on connections may have been met."""


class _Run:
    """The cases on their way through the judge."""

    def __init__(self, target: Target, progress: Progress) -> None:
        self._judge = Judge(target)
        self._pace = target.pace
        self._slow = target.slow
        self._progress = progress
        self._findings: dict[int, Finding] = {}

    def try_all(self, cases: Sequence[Case]) -> Mapping[int, Finding]:
        """Try what guesses at no password, then what was put off, and last what takes long."""
        ordered = kindest_order(cases)
        slow = [case for case in cases if case.vigil is not None and self._slow]
        vigils = {case.vigil for case in slow}
        for guesses_wait in (True, False):
            self._pace.guesses_wait = guesses_wait
            for case in ordered:
                if id(case) not in self._findings and case.vigil not in vigils:
                    self._try(case)
        self._try_together(slow)
        return self._findings

    @property
    def cut_short(self) -> bool:
        """Tell whether cases were left out that there was no time or no server for."""
        return self._pace.over or self._judge.failures >= FAILURES_BORNE

    def _try(self, case: Case) -> None:
        """Try one case, unless the server is gone or the case has to wait."""
        self._progress(case, None)
        try:
            finding = self._judge.try_case(case) if self._bears() else self._given_up(case)
        except Postponed:
            return
        self._findings[id(case)] = finding
        self._progress(case, finding)

    def _try_together(self, cases: Sequence[Case]) -> None:
        """Try the cases that wait for minutes, all at once."""
        for case in cases:
            self._progress(case, None)
        findings = self._judge.try_together(cases) if self._bears() else map(self._given_up, cases)
        for finding in findings:
            self._findings[id(finding.case)] = finding
            self._progress(finding.case, finding)

    def _bears(self) -> bool:
        """Tell whether the server may be asked once more, after a pause where it just failed."""
        failures = self._judge.failures
        if 0 < failures < FAILURES_BORNE:
            with contextlib.suppress(NotTried):
                self._pace.pause(PAUSES_SECONDS[failures])
        return failures < FAILURES_BORNE

    def _given_up(self, case: Case) -> Finding:
        why = f"{FAILURES_BORNE} cases in a row found no session, so that no more were tried"
        return Finding(case, Verdict.NOT_TRIED, why, ())


def _unseen(target: Target) -> Server:
    """Return what is known of a server that was not looked at."""
    endpoint = target.endpoints[0]
    return Server(endpoint.host, endpoint.port, endpoint.tls, "", "", None)

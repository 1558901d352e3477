"""One vigil on its way, and the cases that are judged by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from restante.examine.case import Case, Finding
from restante.examine.outcome import Outcome
from restante.examine.record import Record
from restante.examine.redaction import Redaction
from restante.examine.stage import Stage
from restante.examine.vigil import Watching


class Setting(Protocol):
    """What a watch needs of the judge."""

    redaction: Redaction

    def set(self, case: Case, record: Record) -> AbstractContextManager[Stage]:
        """Yield the stage of a case, or raise what keeps it from there."""

    def finding(
        self, case: Case, record: Record, play: Callable[[], None], seconds: float | None = None
    ) -> Finding:
        """Return what a case found."""


class Watch:
    """The cases of one vigil, from its beginning to their verdicts.

    It is kept on behalf of the case that asks for most, and of the next one where the needs of
    that cannot be met: somebody whose mail may not be touched still has a session.
    """

    def __init__(self, judge: Setting, cases: Sequence[Case]) -> None:
        self._judge = judge
        self._cases = cases
        self._record = Record(judge.redaction)
        self._stage: Stage | None = None
        self._not_set: dict[int, Exception] = {}
        self._seconds = 0.0

    def keep(self) -> Watching:
        """Watch; what goes wrong is kept for the judgement."""
        began = time.monotonic()
        for case in sorted(self._cases, key=_demands, reverse=True):
            yield from self._watch(case)
            if id(case) not in self._not_set:
                break
        self._seconds = time.monotonic() - began

    def _watch(self, case: Case) -> Watching:
        """Watch on the stage of one case."""
        assert case.vigil is not None
        try:
            with self._judge.set(case, self._record) as stage:
                self._stage = stage
                yield from case.vigil.keep(stage)
        except (Outcome, OSError, ValueError, LookupError, RecursionError) as failure:
            if self._stage is None:
                self._not_set[id(case)] = failure
            else:
                self._stage.seen.failure = failure

    def findings(self) -> list[Finding]:
        """Judge each case by what was seen."""
        return [self._finding(case) for case in self._cases]

    def _finding(self, case: Case) -> Finding:
        def play() -> None:
            if self._stage is None or id(case) in self._not_set:
                raise self._not_set[id(case)]
            for step in case.steps:
                step.perform(self._stage)

        return self._judge.finding(case, self._record, play, self._seconds)


def _demands(case: Case) -> tuple[bool, bool]:
    return case.mail is not None, case.scratch

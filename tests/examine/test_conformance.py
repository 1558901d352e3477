"""Every black-box case against the running server: none may depart, each difference is recorded."""

from __future__ import annotations

import pytest

from examine.recorded import ABSENT, DECIDED, NOT_OFFERED, why_absent
from restante.examine.case import Case, Finding, Verdict
from restante.examine.judge import Judge
from restante.examine.suite import CASES


def told(finding: Finding) -> str:
    """Return the finding as a failing test shows it."""
    lines = [
        f"{said.connection} {said.speaker} {said.octets[:200]!r}" for said in finding.dialogue[-40:]
    ]
    return "\n".join([f"{finding.case.name}: {finding.case.title}", finding.why, *lines])


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_server_conforms(case: Case, judge: Judge) -> None:
    finding = judge.try_case(case)
    due = Verdict.PASSES
    if case.vigil is not None:
        due = Verdict.NOT_TRIED  # it would take half an hour
    elif case.name in DECIDED:
        due = Verdict.DIFFERS
    elif why_absent(case):
        due = Verdict.NOT_APPLICABLE
    assert finding.verdict is due, told(finding)


def test_what_is_recorded_is_in_the_suite() -> None:
    names = {case.name for case in CASES}
    wanted = {capability for case in CASES for capability in case.capabilities}
    assert {*DECIDED, *ABSENT} <= names
    assert set(NOT_OFFERED) <= wanted

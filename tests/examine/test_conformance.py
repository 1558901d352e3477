"""Every black-box case against the running server: none may depart, each difference is recorded."""

from __future__ import annotations

import pytest

from restante.examine.case import Case, Finding, Verdict
from restante.examine.judge import Judge
from restante.examine.suite import CASES

DECIDED: dict[str, str] = {
    "9325-S-06": "a name no certificate has is served with the default one: clients that connect"
    " by address or by an alias would otherwise be shut out",
}
"""Cases that differ by a recorded decision, with the decision."""

ABSENT: dict[str, str] = {}
"""Cases about what the server does not offer, with the reason."""


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
    if case.name in DECIDED:
        due = Verdict.DIFFERS
    elif case.name in ABSENT:
        due = Verdict.NOT_APPLICABLE
    assert finding.verdict is due, told(finding)

"""Every black-box case against the running server: none may depart, each difference is recorded."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from examine.recorded import (
    ABSENT,
    BESIDE_PASSWORDS,
    DECIDED,
    DIGEST_CAPABILITIES,
    NOT_OFFERED,
    UNTRIED,
    why_absent,
)
from examine.unseen import UNSEEN
from restante.examine.case import Case, Finding, Verdict
from restante.examine.judge import Judge
from restante.examine.rfc6856 import CASES as MODES
from restante.examine.suite import CASES

ITEMS = Path(__file__).parents[2] / "docs" / "reference" / "conformance"


def told(finding: Finding) -> str:
    """Return the finding as a failing test shows it."""
    lines = [
        f"{said.connection} {said.speaker} {said.octets[:200]!r}" for said in finding.dialogue[-40:]
    ]
    return "\n".join([f"{finding.case.name}: {finding.case.title}", finding.why, *lines])


def about_digests(case: Case) -> bool:
    """Say whether a case is about APOP or CRAM-MD5."""
    return not DIGEST_CAPABILITIES.isdisjoint(case.capabilities)


def held(finding: Finding) -> None:
    """Hold a finding to what is recorded."""
    case, due = finding.case, Verdict.PASSES
    if case.vigil is not None or case.name in UNTRIED:
        due = Verdict.NOT_TRIED  # a vigil would take half an hour
    elif case.name in DECIDED:
        due = Verdict.DIFFERS
    elif why_absent(case):
        due = Verdict.NOT_APPLICABLE
    assert finding.verdict is due, told(finding)


def about_surrogates(case: Case) -> bool:
    """Say whether a case is about what stands in place of a message."""
    return case.id.startswith("6858-")


OTHERS = [case for case in CASES if not (about_digests(case) or about_surrogates(case))]
WITH_SURROGATES = [case for case in CASES if about_surrogates(case) or case in MODES]
WITH_DIGESTS = [case for case in CASES if about_digests(case)]
ALONE = [case for case in WITH_DIGESTS if case.name not in BESIDE_PASSWORDS]
BESIDE = [case for case in WITH_DIGESTS if case.name in BESIDE_PASSWORDS]


@pytest.mark.parametrize("case", OTHERS, ids=[case.name for case in OTHERS])
def test_the_server_conforms(case: Case, judge: Judge) -> None:
    held(judge.try_case(case))


@pytest.mark.parametrize("case", WITH_SURROGATES, ids=[case.name for case in WITH_SURROGATES])
def test_surrogates_conform(case: Case, judge_of_surrogates: Judge) -> None:
    held(judge_of_surrogates.try_case(case))


@pytest.mark.parametrize("case", ALONE, ids=[case.name for case in ALONE])
def test_digests_conform_where_they_are_alone(case: Case, judge_of_digests: Judge) -> None:
    held(judge_of_digests.try_case(case))


@pytest.mark.parametrize("case", BESIDE, ids=[case.name for case in BESIDE])
def test_digests_conform_beside_passwords(case: Case, judge_of_everything: Judge) -> None:
    held(judge_of_everything.try_case(case))


def test_what_is_recorded_is_in_the_suite() -> None:
    names = {case.name for case in CASES}
    wanted = {capability for case in CASES for capability in case.capabilities}
    assert {*DECIDED, *ABSENT, *UNTRIED, *BESIDE_PASSWORDS} <= names
    assert set(NOT_OFFERED) <= wanted


def test_every_item_about_a_server_has_a_case_or_a_reason() -> None:
    tried = {id_ for case in CASES for id_ in case.ids}
    items = {
        id_ for path in ITEMS.glob("*.toml") for id_ in tomllib.loads(path.read_text())["items"]
    }
    servers = {id_ for id_ in items if "-S-" in id_ or id_.startswith("TG-")}
    assert len(servers) > 300
    assert servers - tried == set(UNSEEN)

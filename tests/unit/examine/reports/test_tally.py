"""Verdicts in words, by document, counted."""

from __future__ import annotations

import pytest

from restante.examine.case import Finding, Level, Verdict
from restante.examine.reports.tally import (
    COLUMNS,
    Kind,
    by_document,
    count,
    document_of,
    kind_of,
    number_of,
    total,
)
from restante.examine.suite import CASES
from unit.examine.reports.sample import FINDINGS, case_of


@pytest.mark.parametrize(
    ("verdict", "level", "words"),
    [
        (Verdict.PASSES, Level.MUST, "passes"),
        (Verdict.DEPARTS, Level.MUST, "departs (MUST)"),
        (Verdict.DEPARTS, Level.SHOULD, "departs (SHOULD)"),
        (Verdict.DIFFERS, Level.MUST, "differs"),
        (Verdict.NOT_APPLICABLE, Level.MUST, "not applicable"),
        (Verdict.NOT_TRIED, Level.MAY, "could not be tried"),
    ],
)
def test_a_verdict_has_words(verdict: Verdict, level: Level, words: str) -> None:
    assert kind_of(Finding(case_of(1, level), verdict, "", ())).value == words


def test_every_kind_has_a_column() -> None:
    assert set(COLUMNS) == set(Kind)
    assert [kind for kind in Kind if kind.departs] == [Kind.DEPARTS_SHOULD, Kind.DEPARTS_MUST]


@pytest.mark.parametrize(
    ("source", "document"),
    [
        ("RFC 1939 §5 (STAT, LIST)", "RFC 1939"),
        ("RFC 2449 §7, §9", "RFC 2449"),
        ("TCP/IP Guide, Transaction State; RFC 1939 §10", "TCP/IP Guide"),
    ],
)
def test_a_source_belongs_to_the_document_it_names_first(source: str, document: str) -> None:
    assert document_of(source) == document


def test_every_case_belongs_to_a_document_with_a_short_name() -> None:
    assert all(0 < len(document_of(case.source)) <= 20 for case in CASES)


def test_findings_are_sorted_by_document_in_their_order() -> None:
    sorted_out = by_document(FINDINGS)
    assert {document: len(found) for document, found in sorted_out.items()} == {
        "RFC 1939": 4,
        "RFC 2449": 1,
        "TCP/IP Guide": 1,
    }
    assert list(sorted_out) == ["RFC 1939", "RFC 2449", "TCP/IP Guide"]


def test_counts_are_told_in_words() -> None:
    assert total(count(FINDINGS[:3])) == "passes: 1, departs (MUST): 1, departs (SHOULD): 1"
    assert total(count([])) == "no case"


def test_a_single_case_is_one() -> None:
    assert [number_of(FINDINGS[:n]) for n in range(3)] == ["0 cases", "1 case", "2 cases"]

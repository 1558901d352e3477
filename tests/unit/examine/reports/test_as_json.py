"""The report for programs has the shape that is promised, and everything in it."""

from __future__ import annotations

import json

from hypothesis import given

from restante.examine.examination import Examination
from restante.examine.reports.as_json import as_json
from unit.examine.reports.sample import GOLDEN, SAMPLE, examinations

KEYS = {"id", "title", "source", "level", "verdict", "why", "dialogue"}


def test_the_report_reads_like_the_example() -> None:
    told = json.dumps(as_json(SAMPLE), indent=2, ensure_ascii=False) + "\n"
    assert told == (GOLDEN / "report.json").read_text()


def test_there_are_three_keys() -> None:
    assert list(as_json(SAMPLE)) == ["server", "capabilities", "cases"]


def test_each_case_has_its_keys_and_what_it_has_besides() -> None:
    cases = as_json(SAMPLE)["cases"]
    assert [set(case) - KEYS for case in cases] == [
        {"also"},
        set(),
        {"variant"},
        set(),
        set(),
        {"variant"},
    ]
    assert [case["verdict"] for case in cases] == [
        "passes",
        "departs",
        "departs",
        "differs",
        "not_applicable",
        "not_tried",
    ]
    assert {case["level"] for case in cases} == {"must", "should", "may", "inferred"}


@given(examinations)
def test_the_report_is_json_whatever_came(examination: Examination) -> None:
    told = as_json(examination)
    encoded = json.dumps(told, ensure_ascii=False)
    assert json.loads(encoded) == told
    assert encoded.replace("§", "").isprintable()
    assert all(set(case) >= KEYS for case in told["cases"])


@given(examinations)
def test_every_octet_that_was_recorded_is_there(examination: Examination) -> None:
    for case, finding in zip(as_json(examination)["cases"], examination.findings, strict=True):
        for told, said in zip(case["dialogue"], finding.dialogue, strict=True):
            octets = told["text"].encode().decode("unicode_escape").encode("latin-1")
            assert (octets, told["left_out"]) == (said.octets, said.left_out)

"""The report for CI is XML whatever a server says, and what its readers expect."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given

from restante.examine.examination import Examination
from restante.examine.reports.junit import as_junit
from unit.examine.reports.sample import GOLDEN, SAMPLE, examinations

from conftest import require

SCHEMA = Path(__file__).with_name("junit.xsd")


def test_the_report_reads_like_the_example() -> None:
    assert as_junit(SAMPLE) == (GOLDEN / "report.xml").read_text()


def test_the_report_is_valid_by_the_schema() -> None:
    command = [require("xmllint"), "--noout", "--schema", str(SCHEMA), "-"]
    done = subprocess.run(
        command, input=as_junit(SAMPLE), capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr


def test_each_verdict_is_told_in_the_words_of_junit() -> None:
    root = ElementTree.fromstring(as_junit(SAMPLE))
    told = {}
    for case in root.iter("testcase"):
        children = [(child.tag, child.get("type")) for child in case]
        told[case.attrib["name"].partition(":")[0]] = children
    assert told == {
        "1939-S-36": [],
        "1939-S-84": [("failure", "MUST")],
        "1939-S-12/long": [("failure", "SHOULD")],
        "1939-S-40": [("system-out", None)],
        "1939-S-70": [("skipped", None)],
        "1939-S-111/reset": [("skipped", None)],
    }


def test_the_counts_add_up() -> None:
    root = ElementTree.fromstring(as_junit(SAMPLE))
    assert root.attrib | {"name": ""} == {
        "name": "",
        "tests": "6",
        "failures": "2",
        "errors": "0",
        "skipped": "2",
        "time": "1.500",
    }
    for key in ("tests", "failures", "errors", "skipped"):
        assert sum(int(suite.attrib[key]) for suite in root) == int(root.attrib[key])
    for suite in root:
        assert len(suite.findall("testcase")) == int(suite.attrib["tests"])


def test_the_time_is_told_where_it_is_known() -> None:
    root = ElementTree.fromstring(as_junit(SAMPLE))
    times = [case.get("time") for case in root.iter("testcase")]
    assert times == ["0.062", "0.500", "0.125", None, "0.250", "0.031"]


@given(examinations)
def test_the_report_is_xml_whatever_came(examination: Examination) -> None:
    told = as_junit(examination)
    root = ElementTree.fromstring(told)
    assert len(list(root.iter("testcase"))) == len(examination.findings)
    assert told.replace("\n", "").replace("§", "").replace("…", "").isascii()
    assert told == as_junit(examination)

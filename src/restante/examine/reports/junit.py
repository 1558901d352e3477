"""The report for CI: JUnit XML, as Jenkins, GitLab, GitHub's reporters and others read it.

A departure is a failure, of type "MUST" or "SHOULD"; what does not apply or could not be tried is
skipped; a difference passes, with what differs in its output. What is shown is printable ASCII
(`shown.py`), so that no octet of a server's makes it anything but XML 1.0.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from restante.examine.case import Finding
from restante.examine.examination import Examination
from restante.examine.reports.shown import address_of, cleaned, lines_of
from restante.examine.reports.tally import LEVELS, Kind, by_document, count, kind_of

_SKIPPED = (Kind.NOT_APPLICABLE, Kind.NOT_TRIED)


def as_junit(examination: Examination) -> str:
    """Return an examination as an XML document."""
    server = examination.server
    root = Element("testsuites", {"name": f"restante examine {address_of(server)}"})
    _count(root, examination.findings, examination.seconds)
    for document, findings in by_document(examination.findings).items():
        suite = SubElement(root, "testsuite", {"name": cleaned(document)})
        _count(suite, findings, sum(finding.seconds or 0 for finding in findings))
        suite.set("timestamp", cleaned(examination.started))
        for finding in findings:
            _add_case(suite, document, finding)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, "unicode") + "\n"


def _count(element: Element, findings: tuple[Finding, ...] | list[Finding], seconds: float) -> None:
    """Say how many cases there are and what became of them."""
    counts = count(findings)
    element.set("tests", str(len(findings)))
    element.set("failures", str(sum(counts[kind] for kind in Kind if kind.departs)))
    element.set("errors", "0")
    element.set("skipped", str(sum(counts[kind] for kind in _SKIPPED)))
    element.set("time", f"{seconds:.3f}")


def _add_case(suite: Element, document: str, finding: Finding) -> None:
    case, kind = finding.case, kind_of(finding)
    name = f"{cleaned(case.name)}: {cleaned(case.title)}"
    # Readers split a class name at its last dot into a package and a class.
    element = SubElement(suite, "testcase", {"classname": f"pop3.{cleaned(document)}"})
    element.set("name", name)
    if finding.seconds is not None:
        element.set("time", f"{finding.seconds:.3f}")
    why = cleaned(finding.why)
    if kind in _SKIPPED:
        SubElement(element, "skipped", {"message": f"{kind.value}: {why}"})
    elif kind.departs:
        level = "MUST" if kind is Kind.DEPARTS_MUST else "SHOULD"
        failure = SubElement(element, "failure", {"message": why, "type": level})
        failure.text = _told(finding)
    elif kind is Kind.DIFFERS:
        SubElement(element, "system-out").text = f"differs: {_told(finding)}"


def _told(finding: Finding) -> str:
    """Return why, by what rule, and the dialogue."""
    case = finding.case
    rows = [cleaned(finding.why), f"{cleaned(case.source)}: {LEVELS[case.level]}", ""]
    rows += [f"{line.who} {line.text}{line.end}" for line in lines_of(finding.dialogue)]
    return "\n".join(rows)

"""The verdicts of an examination, in the words people read, sorted and counted by document."""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from restante.examine.case import Finding, Level, Verdict

_RFC = re.compile(r"RFC \d+")


class Kind(enum.Enum):
    """A verdict as people read it, a departure by how firm the rule is; the worst come last."""

    PASSES = "passes"
    NOT_APPLICABLE = "not applicable"
    NOT_TRIED = "could not be tried"
    DIFFERS = "differs"
    DEPARTS_SHOULD = "departs (SHOULD)"
    DEPARTS_MUST = "departs (MUST)"

    @property
    def departs(self) -> bool:
        """Tell whether a rule is broken."""
        return self in (Kind.DEPARTS_MUST, Kind.DEPARTS_SHOULD)


COLUMNS = (
    Kind.PASSES,
    Kind.DEPARTS_MUST,
    Kind.DEPARTS_SHOULD,
    Kind.DIFFERS,
    Kind.NOT_APPLICABLE,
    Kind.NOT_TRIED,
)
"""The order in which tables and totals show them."""

CUT_SHORT = "The examination ended before its last case; what was not tried says why."

LEVELS = {
    Level.MUST: "MUST",
    Level.SHOULD: "SHOULD",
    Level.MAY: "MAY",
    Level.INFERRED: "inferred",
}


def kind_of(finding: Finding) -> Kind:
    """Return the verdict as people read it."""
    if finding.verdict is not Verdict.DEPARTS:
        return Kind[finding.verdict.name]
    return Kind.DEPARTS_MUST if finding.case.level is Level.MUST else Kind.DEPARTS_SHOULD


def document_of(source: str) -> str:
    """Return the document a source names first."""
    rfc = _RFC.match(source)
    return rfc[0] if rfc else re.split("[,;]", source)[0]


def by_document(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Return the findings of each document, in the order of the suite."""
    sorted_out: dict[str, list[Finding]] = {}
    for finding in findings:
        sorted_out.setdefault(document_of(finding.case.source), []).append(finding)
    return sorted_out


def count(findings: Iterable[Finding]) -> Counter[Kind]:
    """Return how many findings there are of each kind."""
    return Counter(map(kind_of, findings))


def total(counts: Counter[Kind]) -> str:
    """Return the counts in words, those of nothing left out."""
    told = [f"{kind.value}: {counts[kind]}" for kind in COLUMNS if counts[kind]]
    return ", ".join(told) or "no case"


def number_of(findings: Sequence[Finding]) -> str:
    """Return how many cases there are, in words."""
    return f"{len(findings):,} case{'s' * (len(findings) != 1)}"

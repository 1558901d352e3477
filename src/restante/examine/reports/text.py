"""The report for the terminal: a line for a case that passes, the dialogue where one does not.

Colours only where somebody looks, and not against `NO_COLOR`; lines as wide as the terminal.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from restante.examine.case import Finding
from restante.examine.examination import Examination
from restante.examine.reports.shown import (
    Line,
    address_of,
    cleaned,
    escaped_text,
    lines_of,
    tls_of,
)
from restante.examine.reports.tally import (
    COLUMNS,
    CUT_SHORT,
    LEVELS,
    Kind,
    by_document,
    count,
    kind_of,
    number_of,
    total,
)

PLAIN_WIDTH = 80
_NARROWEST, _WIDEST = 40, 120
_TABLE_WIDTH = 80
_VERDICT = 18
_COLOURS = {
    Kind.PASSES: "32",
    Kind.DEPARTS_MUST: "1;31",
    Kind.DEPARTS_SHOULD: "31",
    Kind.DIFFERS: "33",
    Kind.NOT_APPLICABLE: "2",
    Kind.NOT_TRIED: "35",
}
_TOKEN = re.compile(r"\\x..|\\.|.")
_HEADS = ("passes", "departs (MUST)", "departs (SHOULD)", "differs", "not applicable", "not tried")


@dataclass(frozen=True, slots=True)
class Paper:
    """What is written on: its width, and whether it takes colours."""

    out: TextIO
    width: int
    colours: bool

    def write(self, line: str = "") -> None:
        """Write one line, in escapes what the encoding of the stream does not have."""
        encoding = self.out.encoding or "utf-8"
        told = line.rstrip()
        if encoding.lower().replace("-", "") != "utf8":
            told = told.replace("§", "section ").replace("…", "...")
            told = told.encode(encoding, "backslashreplace").decode(encoding)
        self.out.write(told + "\n")

    def paint(self, text: str, kind: Kind) -> str:
        """Return text in the colour of a verdict."""
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self.colours else text


def paper_of(out: TextIO) -> Paper:
    """Return what a stream is like to write on."""
    if not out.isatty():
        return Paper(out, PLAIN_WIDTH, colours=False)
    try:
        columns = os.get_terminal_size(out.fileno()).columns
    except OSError:
        columns = PLAIN_WIDTH
    colours = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    # A terminal that does not know its width says 0.
    width = min(max(columns or PLAIN_WIDTH, _NARROWEST), _WIDEST)
    return Paper(out, width, colours)


def write_case(finding: Finding, out: TextIO, *, verbose: bool = False) -> None:
    """Write what one case found; the dialogue where it departs or differs, or when asked for."""
    paper = paper_of(out)
    kind = kind_of(finding)
    _write_head(finding, kind, paper)
    if kind is Kind.PASSES and not verbose:
        return
    case = finding.case
    if kind.departs or kind is Kind.DIFFERS or verbose:
        _write_prose(f"{cleaned(case.source)}: {LEVELS[case.level]}", paper)
    _write_prose(cleaned(finding.why), paper)
    if kind.departs or kind is Kind.DIFFERS or verbose:
        for line in lines_of(finding.dialogue):
            for row in _folded(line, paper.width):
                paper.write(row)
        paper.write()


def write_summary(examination: Examination, out: TextIO) -> None:
    """Write who was examined, the verdicts by document, and once more what departs."""
    paper = paper_of(out)
    server = examination.server
    paper.write()
    _write_prose(f"{address_of(server)}, {tls_of(server)}", paper, indent="")
    if server.implementation:
        _write_prose(f"announced as {escaped_text(server.implementation, 200)}", paper, indent="")
    paper.write()
    documents = by_document(examination.findings)
    counts = {document: count(findings) for document, findings in documents.items()}
    _write_counts({**counts, "all": count(examination.findings)}, paper)
    departures = [finding for finding in examination.findings if kind_of(finding).departs]
    if departures:
        paper.write()
        paper.write("Departures:")
        for finding in departures:
            _write_head(finding, kind_of(finding), paper)
    paper.write()
    told = total(count(examination.findings))
    cases = number_of(examination.findings)
    _write_prose(f"{cases} in {examination.seconds:.1f} s: {told}.", paper, indent="")
    if not examination.complete:
        _write_prose(CUT_SHORT, paper, indent="")


def _write_head(finding: Finding, kind: Kind, paper: Paper) -> None:
    """Write the verdict, the id and the title, folded below the id."""
    name, title = cleaned(finding.case.name), cleaned(finding.case.title)
    room = paper.width - _VERDICT - 2
    first, *rest = textwrap.wrap(f"{name}  {title}", room, break_on_hyphens=False)
    paper.write(f"{paper.paint(kind.value.ljust(_VERDICT), kind)}  {first}")
    for line in rest:
        paper.write(" " * (_VERDICT + 2) + line)


def _write_prose(text: str, paper: Paper, indent: str = "    ") -> None:
    for line in textwrap.wrap(
        text, paper.width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    ):
        paper.write(line)


def _folded(line: Line, width: int) -> Iterator[str]:
    """Yield one line of a dialogue in as many rows as it takes, no escape torn."""
    lead = f"      {line.who} "
    row = lead
    for token in _TOKEN.findall(line.text + line.end):
        if len(row) + len(token) > width:
            yield row
            row = " " * len(lead)
        row += token
    yield row


def _write_counts(counts: dict[str, Counter[Kind]], paper: Paper) -> None:
    """Write the table of verdicts, or where there is no room for one a sentence per document."""
    if paper.width < _TABLE_WIDTH:
        for document, kinds in counts.items():
            _write_prose(f"{cleaned(document)}: {total(kinds)}", paper, indent="")
        return
    heads = [head.partition(" ") for head in _HEADS]
    paper.write(" " * 20 + "".join(first.rjust(10) for first, _, _ in heads))
    paper.write(" " * 20 + "".join(second.rjust(10) for _, _, second in heads))
    for document, kinds in counts.items():
        numbers = (
            paper.paint(str(kinds[kind]).rjust(10), kind) if kinds[kind] else "-".rjust(10)
            for kind in COLUMNS
        )
        paper.write(cleaned(document)[:20].ljust(20) + "".join(numbers))

"""The page of the documentation, written whole from what was found."""

from pathlib import Path

from benchmarks.findings import Findings
from benchmarks.report import render_facts, render_tables

_PAGE = Path(__file__).parents[1] / "docs" / "reference" / "benchmarks.md"


def write_page(findings: Findings) -> None:
    """Write the page."""
    _PAGE.write_text(render_tables(findings) + render_facts(findings))

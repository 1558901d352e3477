"""What `restante examine` shows: the line of progress, the cases, the files it was asked for."""

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

import click

from restante.cli.failures import CANNOT_CREATE, CommandFailed
from restante.cli.options import print_json
from restante.examine.case import Case, Finding
from restante.examine.examination import Examination
from restante.examine.reports.text import write_case


class ProgressLine:
    """One line on a terminal, written anew again and again; nothing where there is none."""

    def __init__(self, total: int, out: TextIO) -> None:
        self._total = total
        self._done = 0
        self._out = out
        self._shown = out.isatty()

    def show(self, case: Case) -> None:
        """Say which case is on."""
        if not self._shown:
            return
        width = shutil.get_terminal_size().columns - 1
        text = f"{self._done + 1}/{self._total} {case.name}: {case.title}"
        self._write("\r" + text[: max(width, 1)] + "\x1b[K")

    def done(self) -> None:
        """Count a case."""
        self._done += 1

    def clear(self) -> None:
        """Leave the line empty for what comes next."""
        if self._shown:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._out.write(text.encode("ascii", "replace").decode())
        self._out.flush()


class Telling:
    """What is told while the cases are tried."""

    def __init__(self, total: int, *, quiet: bool, verbose: bool) -> None:
        self.line = ProgressLine(total, sys.stderr)
        self._quiet = quiet
        self._verbose = verbose

    def __call__(self, case: Case, finding: Finding | None) -> None:
        """Tell that a case begins, or what it found."""
        if finding is None:
            self.line.show(case)
            return
        self.line.done()
        if not self._quiet:
            self.line.clear()
            write_case(finding, sys.stdout, verbose=self._verbose)
            sys.stdout.flush()


class ReportFile:
    """A file that a report goes into; whether it can be written is known before the first case."""

    def __init__(self, path: Path, render: Callable[[Examination], str]) -> None:
        self._path = path
        self._render = render
        self._written = path.exists()

    def __enter__(self) -> "ReportFile":
        try:
            with self._path.open("a"):
                return self
        except OSError as error:
            raise self._failed(error) from error

    def write(self, examination: Examination) -> None:
        """Write the report."""
        try:
            self._path.write_text(self._render(examination), encoding="utf-8")
        except OSError as error:
            raise self._failed(error) from error
        self._written = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._written:
            self._path.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> CommandFailed:
        return CommandFailed(CANNOT_CREATE, f"{self._path}: {error.strerror}")


def show_list(cases: Sequence[Case], *, as_json: bool) -> None:
    """Say which cases there are."""
    if as_json:
        print_json([_in_json(case) for case in cases])
        return
    width = max(len(case.name) for case in cases)
    for case in cases:
        click.echo(f"{case.name:{width}}  {case.level.value:8}  {case.title} ({case.source})")


def _in_json(case: Case) -> dict[str, object]:
    """Return a case as the JSON of an examination has it, before anything was found."""
    told = {"id": case.id, "title": case.title, "source": case.source, "level": case.level.value}
    told |= {"variant": case.variant} if case.variant else {}
    return {**told, "also": list(case.also)} if case.also else {**told}

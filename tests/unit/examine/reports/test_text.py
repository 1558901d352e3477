"""The report for the terminal."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import termios
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.examine.case import Finding
from restante.examine.examination import Examination
from restante.examine.reports.tally import CUT_SHORT
from restante.examine.reports.text import write_case, write_summary
from unit.examine.reports.sample import FINDINGS, GOLDEN, SAMPLE, examinations, findings


def written(examination: Examination, *, verbose: bool = False) -> str:
    out = StringIO()
    for finding in examination.findings:
        write_case(finding, out, verbose=verbose)
    write_summary(examination, out)
    return out.getvalue()


class Screen(StringIO):
    """A terminal of a given width, whose descriptor is that of a real one."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.leader, self.follower = os.openpty()
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self.follower, termios.TIOCSWINSZ, size)

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.follower

    def release(self) -> None:
        os.close(self.leader)
        os.close(self.follower)

    @property
    def lines(self) -> list[str]:
        return re.sub(r"\x1b\[[0-9;]*m", "", self.getvalue()).split("\n")


@pytest.fixture(params=[20, 40, 60, 80, 100, 500])
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen(request.param)
    screen.columns = request.param  # type: ignore[attr-defined]
    yield screen
    screen.release()


def test_the_report_reads_like_the_example() -> None:
    assert written(SAMPLE) == (GOLDEN / "report.txt").read_text()


def test_a_case_that_passes_takes_one_line() -> None:
    out = StringIO()
    write_case(FINDINGS[0], out)
    assert out.getvalue() == "passes              1939-S-36  QUIT before the login is answered\n"


def test_verbose_shows_the_dialogue_of_a_case_that_passes() -> None:
    out = StringIO()
    write_case(FINDINGS[0], out, verbose=True)
    assert r"      C: QUIT\r\n" in out.getvalue().splitlines()


def test_no_line_is_longer_than_the_terminal(screen: Screen) -> None:
    for finding in FINDINGS:
        write_case(finding, screen, verbose=True)
    write_summary(SAMPLE, screen)
    width = max(40, min(screen.columns, 120))  # type: ignore[attr-defined]
    assert max(map(len, screen.lines)) <= width


def test_colours_are_for_terminals(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    write_case(FINDINGS[1], screen)
    assert screen.getvalue().startswith("\x1b[1;31mdeparts (MUST)")
    before = len(screen.getvalue())
    monkeypatch.setenv("NO_COLOR", "1")
    write_case(FINDINGS[1], screen)
    write_summary(SAMPLE, screen)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    write_case(FINDINGS[1], screen)
    assert "\x1b" not in screen.getvalue()[before:]


def test_a_terminal_that_cannot_be_asked_has_a_usual_width(monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    monkeypatch.setattr(out, "isatty", lambda: True)
    monkeypatch.setattr(out, "fileno", lambda: -1)
    write_case(FINDINGS[1], out)
    assert max(len(line) for line in out.getvalue().splitlines()) <= 100


def test_an_examination_that_was_cut_short_says_so() -> None:
    assert written(replace(SAMPLE, complete=False)).endswith(f"\n{CUT_SHORT}\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_encoding_will_do(encoding: str) -> None:
    octets = BytesIO()
    out = TextIOWrapper(octets, encoding=encoding)
    write_case(FINDINGS[2], out)
    out.flush()
    told = octets.getvalue().decode(encoding)
    assert ("§5" if encoding == "utf-8" else "section 5") in told
    assert ("… 5," if encoding == "utf-8" else "... 5,") in told


def test_an_escape_is_never_torn() -> None:
    out = StringIO()
    write_case(FINDINGS[1], out)
    for line in out.getvalue().splitlines():
        assert not re.search(r"(?<!\\)(\\\\)*\\(x.?)?$", line), line


@given(examinations, st.booleans())
def test_nothing_a_server_says_moves_the_terminal(examination: Examination, verbose: bool) -> None:
    told = written(examination, verbose=verbose)
    rest = told.replace("\n", "").replace("§", "").replace("…", "")
    assert rest.isascii()
    assert rest.isprintable()


@given(findings)
def test_the_same_finding_is_told_the_same_way(finding: Finding) -> None:
    first, second = StringIO(), StringIO()
    write_case(finding, first)
    write_case(finding, second)
    assert first.getvalue() == second.getvalue()

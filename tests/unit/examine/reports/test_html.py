"""The report for people stands alone, holds no danger, and can be read by everybody."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings

from restante import __version__
from restante.examine.examination import Examination
from restante.examine.reports.html import CLASSES, as_html
from restante.examine.reports.html_style import DARK, LIGHT, SHAPES
from restante.examine.reports.tally import CUT_SHORT, Kind
from restante.examine.suite import CASES
from unit.examine.reports.sample import FINDINGS, SAMPLE, examinations

from conftest import require

VOID = {"meta", "path", "circle", "rect", "use"}
KNOWN = VOID | {
    *("html", "head", "title", "style", "body", "main", "header", "footer", "section", "article"),
    *("h1", "h2", "h3", "p", "dl", "dt", "dd", "ul", "ol", "li", "a", "span", "strong", "code"),
    *("time", "div", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("details", "summary", "svg", "symbol"),
}


class Page(HTMLParser):
    """The page as a parser sees it: its elements in order, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.told: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.told.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.told).split())

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(as_html(SAMPLE))


def test_the_page_loads_nothing_and_runs_nothing(page: Page) -> None:
    told = as_html(SAMPLE)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|src=|<script|<link|\son[a-z]+=", told)
    assert all((a["href"] or "").startswith("#") for tag in ("a", "use") for a in page.all(tag))
    assert not any("style" in attributes for _, attributes in page.elements)


def test_the_policy_allows_its_own_style_sheet_alone(page: Page) -> None:
    policy = next(m for m in page.all("meta") if m.get("http-equiv"))["content"] or ""
    style = re.findall("<style>(.*?)</style>", as_html(SAMPLE), re.S)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert len(style) == 1
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_markup_of_a_server_is_text(page: Page) -> None:
    assert "<script>alert('&\")</script> ]]>" in page.text
    assert {tag for tag, _ in page.elements} <= KNOWN


def test_the_heading_says_who_was_examined_when_and_with_what_result(page: Page) -> None:
    expected = (
        "pop.example.org:995 announced as Acme POP3 2.1 greeting +OK ready transport"
        " TLS from the start, TLSv1.3 examined 2026-11-24 20:12 UTC extent 6 cases in 1.5 s"
        " 1 passes 1 departs (MUST) 1 departs (SHOULD)"
    )
    assert expected in page.text


def test_departures_come_first_and_in_full(page: Page) -> None:
    text = page.text
    places = [text.rindex(finding.why) for finding in FINDINGS]
    assert places[1] < places[2] < text.index("All other cases") < places[0] < places[3]
    assert text.index("Departures") < places[1]
    assert sum(1 for _ in page.all("article")) == 2
    assert sum(1 for _ in page.all("details")) == 4


def test_without_departures_the_page_says_so() -> None:
    clean = Examination(SAMPLE.server, {}, FINDINGS[:1], 1.0, "yesterday <b>")
    text = Page(as_html(clean)).text
    assert "No case that was tried departs from a MUST or a SHOULD." in text
    assert "examined yesterday <b>" in text
    assert "What CAPA announces" not in text


def test_an_examination_that_was_cut_short_says_so(page: Page) -> None:
    assert CUT_SHORT not in page.text
    assert CUT_SHORT in Page(as_html(replace(SAMPLE, complete=False))).text


def test_the_foot_names_the_program_and_its_suite(page: Page) -> None:
    assert page.text.endswith(
        f"Restante {__version__}, whose suite has {len(CASES)} cases, 6 of them in this report."
    )


def test_what_is_announced_stands_in_a_table(page: Page) -> None:
    assert "capability under TLS after login TOP yes yes SASL PLAIN SCRAM-SHA-256 no" in page.text


def test_a_verdict_is_told_by_word_and_shape(page: Page) -> None:
    assert set(CLASSES) == set(Kind)
    assert set(CLASSES.values()) == set(SHAPES)
    assert len(set(SHAPES.values())) == len(SHAPES)
    for kind in Kind:
        assert page.text.count(kind.value) >= 3


def test_headings_go_down_one_step_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_headed_rows_and_columns(page: Page) -> None:
    tables = sum(1 for _ in page.all("table"))
    assert tables == sum(1 for _ in page.all("caption")) == 2
    assert {attributes.get("scope") for attributes in page.all("th")} == {"col", "row"}


def test_every_link_leads_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag in ("a", "use"):
        assert all((a["href"] or "")[1:] in ids for a in page.all(tag))


def luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "raised"])
@pytest.mark.parametrize("ink", sorted(set(LIGHT) - {"ground", "raised", "line"}))
def test_every_colour_has_the_contrast_of_wcag_aa(
    colours: dict[str, str], ground: str, ink: str
) -> None:
    darker, lighter = sorted((luminance(colours[ink]), luminance(colours[ground])))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@given(examinations)
@settings(max_examples=60)
def test_the_page_is_whole_whatever_came(examination: Examination) -> None:
    told = as_html(examination)
    page = Page(told)
    assert {tag for tag, _ in page.elements} <= KNOWN
    assert told.replace("\n", "").replace("§", "").replace("…", "").isascii()
    assert told == as_html(examination)


def test_a_validator_finds_nothing() -> None:
    done = subprocess.run(
        [require("tidy"), "-q", "-e"],
        input=as_html(SAMPLE),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (done.returncode, done.stderr) == (0, "")

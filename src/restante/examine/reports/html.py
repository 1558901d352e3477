"""The report for people: one HTML file that needs nothing else, to be shown around.

No script, no font, no picture from elsewhere, and a content policy that allows none; what a
server said is in printable ASCII (`shown.py`) and escaped besides. It names no host but the one
that was examined.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape

from restante import __version__
from restante.examine.case import Finding
from restante.examine.examination import Examination
from restante.examine.reports.html_style import SHAPES, style_sheet
from restante.examine.reports.shown import (
    Line,
    address_of,
    announced,
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
)
from restante.examine.suite import CASES

CLASSES = {
    Kind.PASSES: "passes",
    Kind.DEPARTS_MUST: "must",
    Kind.DEPARTS_SHOULD: "should",
    Kind.DIFFERS: "differs",
    Kind.NOT_APPLICABLE: "absent",
    Kind.NOT_TRIED: "untried",
}
_SPEAKERS = {"C": ("client", "c"), "S": ("server", "s"), "*": ("event", "n"), "…": ("…", "n")}
_STATES = {"clear": "in clear", "tls": "under TLS", "transaction": "after login"}
_BAR = 700


def as_html(examination: Examination) -> str:
    """Return an examination as a page."""
    departing = [f for f in examination.findings if kind_of(f).departs]
    body = [
        *_heading(examination),
        *_totals(count(examination.findings)),
        *_table(examination),
        *_departures(departing),
        *_rest(examination),
        *_capabilities(examination),
        *_foot(examination),
    ]
    return "\n".join(
        [
            *_head(examination),
            "<body>",
            _shapes(),
            "<main>",
            *body,
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _head(examination: Examination) -> Iterator[str]:
    style = style_sheet()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>POP3 conformance of {escape(address_of(examination.server))}</title>"
    yield f"<style>{style}</style>\n</head>"


def _shapes() -> str:
    """Return the shapes of the verdicts, for every place where one is used."""
    symbols = "".join(
        f'<symbol id="shape-{name}" viewBox="0 0 16 16">{shape}</symbol>'
        for name, shape in SHAPES.items()
    )
    return f'<svg width="0" height="0" aria-hidden="true">{symbols}</svg>'


def _heading(examination: Examination) -> Iterator[str]:
    server = examination.server
    yield "<header>"
    yield '<p class="kicker">POP3 conformance</p>'
    yield f"<h1>{escape(address_of(server))}</h1>"
    yield '<dl class="facts">'
    implementation = escaped_text(server.implementation, 200) or "nothing"
    yield f"<dt>announced as</dt><dd>{escape(implementation)}</dd>"
    yield f"<dt>greeting</dt><dd><code>{escape(escaped_text(server.greeting, 600))}</code></dd>"
    yield f"<dt>transport</dt><dd>{escape(tls_of(server))}</dd>"
    yield f"<dt>examined</dt><dd>{_moment(examination.started)}</dd>"
    cases = f"{number_of(examination.findings)} in {examination.seconds:.1f} s"
    yield f"<dt>extent</dt><dd>{cases}</dd>"
    yield "</dl>"
    if not examination.complete:
        yield f"<p><strong>{CUT_SHORT}</strong></p>"
    yield "</header>"


def _moment(started: str) -> str:
    """Return when the examination began, as people write it."""
    machine = escape(cleaned(started, 60))
    try:
        moment = datetime.fromisoformat(started)
    except ValueError:
        return machine
    return f'<time datetime="{machine}">{moment:%Y-%m-%d %H:%M %Z}</time>'.replace(" <", "<")


def _totals(counts: Counter[Kind]) -> Iterator[str]:
    yield '<ul class="totals" aria-label="Verdicts">'
    for kind in COLUMNS:
        empty = "" if counts[kind] else ' class="none"'
        yield f"<li{empty}><strong>{counts[kind]}</strong> {_verdict(kind)}</li>"
    yield "</ul>"


def _verdict(kind: Kind) -> str:
    """Return a verdict by shape, word and colour."""
    name = CLASSES[kind]
    shape = f'<svg class="mark" aria-hidden="true"><use href="#shape-{name}"/></svg>'
    return f'<span class="kind {name}">{shape}{kind.value}</span>'


def _table(examination: Examination) -> Iterator[str]:
    yield '<h2 id="documents">By document</h2>'
    yield '<div class="scroll" tabindex="0" role="region" aria-labelledby="documents">\n<table>'
    yield "<caption>Verdicts on the cases of each document</caption>"
    heads = "".join(f'<th scope="col">{_verdict(kind)}</th>' for kind in COLUMNS)
    yield f'<thead><tr><th scope="col">document</th>{heads}<th scope="col">all</th></tr></thead>'
    yield "<tbody>"
    for document, findings in by_document(examination.findings).items():
        name = escape(cleaned(document))
        yield _row(f'<a href="#{_anchor(document)}">{name}</a>', count(findings))
    yield f"</tbody>\n<tfoot>{_row('all', count(examination.findings))}</tfoot>"
    yield "</table>\n</div>"


def _row(head: str, counts: Counter[Kind]) -> str:
    cells = "".join(
        f"<td>{counts[kind]}</td>" if counts[kind] else '<td class="nothing">0</td>'
        for kind in COLUMNS
    )
    return f'<tr><th scope="row">{head}{_bar(counts)}</th>{cells}<td>{counts.total()}</td></tr>'


def _bar(counts: Counter[Kind]) -> str:
    """Return the verdicts as parts of a bar; the numbers beside it say the same."""
    parts = []
    done = 0
    for kind in COLUMNS:
        start = _BAR * done // max(counts.total(), 1)
        done += counts[kind]
        width = _BAR * done // max(counts.total(), 1) - start
        if width:
            name = CLASSES[kind]
            parts.append(f'<rect class="{name}" x="{start}" width="{width}" height="60"/>')
    box = f'viewBox="0 0 {_BAR} 60" preserveAspectRatio="none"'
    return f'<svg class="bar" aria-hidden="true" {box}>{"".join(parts)}</svg>'


def _departures(departing: Iterable[Finding]) -> Iterator[str]:
    yield '<h2 id="departures">Departures</h2>'
    worst_first = sorted(departing, key=lambda f: kind_of(f) is not Kind.DEPARTS_MUST)
    if not worst_first:
        yield "<p>No case that was tried departs from a MUST or a SHOULD.</p>"
    for finding in worst_first:
        kind = kind_of(finding)
        yield f'<article class="departure {CLASSES[kind]}">'
        title = escape(cleaned(finding.case.title))
        yield f"<h3>{title} {_id(finding)}</h3>"
        yield f"<p>{_verdict(kind)}</p>"
        yield from _evidence(finding)
        yield "</article>"


def _rest(examination: Examination) -> Iterator[str]:
    yield '<h2 id="cases">All other cases</h2>'
    for document, findings in by_document(examination.findings).items():
        name = escape(cleaned(document))
        yield f'<section id="{_anchor(document)}">\n<h3>{name}</h3>'
        others = [finding for finding in findings if not kind_of(finding).departs]
        if not others:
            yield "<p>None.</p>"
        for finding in others:
            title = escape(cleaned(finding.case.title))
            verdict = _verdict(kind_of(finding))
            yield f"<details><summary>{verdict}<span>{title}</span>{_id(finding)}</summary><div>"
            yield from _evidence(finding)
            yield "</div></details>"
        yield "</section>"


def _id(finding: Finding) -> str:
    return f'<code class="id">{escape(cleaned(finding.case.name))}</code>'


def _evidence(finding: Finding) -> Iterator[str]:
    """Yield the rule, why the verdict is what it is, and the dialogue."""
    case = finding.case
    yield f'<p class="rule">{escape(cleaned(case.source))}, {LEVELS[case.level]}</p>'
    yield f'<p class="why">{escape(cleaned(finding.why))}</p>'
    lines = list(lines_of(finding.dialogue))
    if not lines:
        return
    several = " several" if any(line.connection for line in lines) else ""
    yield f'<ol class="dialogue{several}" aria-label="Dialogue">'
    yield from map(_said, lines)
    yield "</ol>"


def _said(line: Line) -> str:
    """Return one line of a dialogue, its end paler than the rest."""
    who, letter = _SPEAKERS[line.speaker]
    number = f"{line.connection} " if line.connection else ""
    end = f'<span class="end">{line.end}</span>' if line.end else ""
    return (
        f'<li class="says-{letter}"><span class="who">{number}{who}</span>'
        f"<code>{escape(line.text)}{end}</code></li>"
    )


def _capabilities(examination: Examination) -> Iterator[str]:
    seen = announced(examination.capabilities)
    if not seen:
        return
    yield '<h2 id="capabilities">Capabilities</h2>'
    yield '<div class="scroll" tabindex="0" role="region" aria-labelledby="capabilities">'
    yield '<table class="words">'
    yield "<caption>What CAPA announces, by state</caption>"
    heads = "".join(f'<th scope="col">{escape(_STATES.get(w, w))}</th>' for w in seen)
    yield f'<thead><tr><th scope="col">capability</th>{heads}</tr></thead>\n<tbody>'
    for tag in dict.fromkeys(tag for listed in seen.values() for tag in listed):
        cells = "".join(
            f"<td>{escape(' '.join(listed[tag])) or 'yes'}</td>" if tag in listed else "<td>no</td>"
            for listed in seen.values()
        )
        yield f'<tr><th scope="row"><code>{escape(tag)}</code></th>{cells}</tr>'
    yield "</tbody>\n</table>\n</div>"


def _foot(examination: Examination) -> Iterator[str]:
    tried = len(examination.findings)
    part = "" if tried == len(CASES) else f", {tried} of them in this report"
    yield f"<footer>Restante {__version__}, whose suite has {len(CASES)} cases{part}.</footer>"


def _anchor(document: str) -> str:
    """Return the name of a document in links: letters, digits and hyphens."""
    return "doc-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in document.lower())

"""The page on verdicts, rendered from the record of a run."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from examine.recorded import DECIDED
from interop.peers.roster import Peer
from interop.peers.verdicts import QUICK_SECONDS, Verdicts
from restante.examine.case import Case, Level

DOCUMENT = re.compile(r"RFC \d+|TCP/IP Guide")
ABSENT = "in use"
"""The document of what no document tells."""
MARKS = {
    "passes": "·",
    "departs": "D",
    "differs": "d",
    "not_applicable": "–",
    "not_tried": "?",
}

INTRODUCTION = """\
# Verdicts

What the cases of [`restante examine`](cli.md) find of POP3 servers: Restante, and those that Debian
ships and that can be started without a service manager. The page is made by

    sudo make verdicts

which unpacks the packages (`packaging/peer-packages.sh`), starts every server on loopback with mail
and accounts of its own, plays all {count} cases against each and writes down what was found
(`tests/interop/peers`). CI plays those that take less than {quick:g} s again and compares.

A verdict is about one behaviour of one version with one configuration; those stand below. *Departs*
means that the server did otherwise than a MUST or a SHOULD of the source; where the source has no
such word, the level is that of [the conformance list](conformance.md). *Differs* means that it
did otherwise where the sources leave the choice or only imply the answer. *Not applicable* is what
a server does not announce. *Not tried* is what could not be brought about: a kind of port that a
server does not have, a message that its store cannot hold, a case that compares times.
"""

STORES = """\
## What was set up

Each server runs in mount and process namespaces of its own with the files of its Debian package
unpacked over `/usr` and `/etc`, its own list of users, and a certificate made for the run. Settings
that are not named are the package's.
"""

UNSTARTED = """\
No other POP3 server is in Debian 12: `perdition` is a proxy, and xmail, teapop, cubic, qpopper and
Apache James are not packaged. On PyPI there are honeypots and test servers without mail beside
Twisted; what was looked at there serves no maildrop, and not all of it was looked at.
"""


def render(runs: Sequence[Verdicts], cases: Sequence[Case], peers: Iterable[type[Peer]]) -> str:
    """Return the page."""
    about = {peer.name: peer for peer in peers}
    by_name = {case.name: case for case in cases}
    parts = [
        INTRODUCTION.format(count=len(cases), quick=QUICK_SECONDS),
        _summary(runs, by_name),
        _documents(runs, by_name),
        STORES,
        _settings(runs, about),
        UNSTARTED,
        *(_section(run, by_name, about[run.peer].unsteady) for run in runs),
        _matrix(runs, by_name),
    ]
    return "\n".join(parts)


def _summary(runs: Sequence[Verdicts], cases: dict[str, Case]) -> str:
    lines = [
        "| server | passes | departs (MUST) | departs (SHOULD) | differs | not applicable "
        "| not tried |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for run in runs:
        count = Counter(found.verdict for found in run.cases.values())
        must = sum(
            found.verdict == "departs" and cases[name].level is not Level.SHOULD
            for name, found in run.cases.items()
        )
        lines.append(
            f"| [{run.peer}](#{_anchor(run.peer)}) | {count['passes']} | {must} |"
            f" {count['departs'] - must} | {count['differs']} | {count['not_applicable']} |"
            f" {count['not_tried']} |"
        )
    return "\n".join(lines) + "\n"


def _documents(runs: Sequence[Verdicts], cases: dict[str, Case]) -> str:
    lines = [
        "## By document",
        "",
        "Passes / departs / differs, of the cases that apply and could be tried.",
        "",
        "| document | cases | " + " | ".join(run.peer for run in runs) + " |",
        "|---|--:|" + "---|" * len(runs),
    ]
    documents: dict[str, list[str]] = {}
    for case in cases.values():
        documents.setdefault(_document(case), []).append(case.name)
    for document, names in sorted(documents.items(), key=lambda item: _order(item[0])):
        cells = []
        for run in runs:
            count = Counter(run.cases[name].verdict for name in names if name in run.cases)
            told = [count[verdict] for verdict in ("passes", "departs", "differs")]
            cells.append(" / ".join(map(str, told)) if any(told) else "–")
        lines.append(f"| {document} | {len(names)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _settings(runs: Sequence[Verdicts], about: dict[str, type[Peer]]) -> str:
    lines = ["| server | package | version | set up with |", "|---|---|---|---|"]
    for run in runs:
        peer = about[run.peer]
        lines.append(f"| {run.peer} | {peer.package} | {run.version} | {peer.serves} |")
    return "\n".join(lines) + "\n"


def _section(run: Verdicts, cases: dict[str, Case], unsteady: tuple[str, ...]) -> str:
    lines = [f"## {run.peer}", ""]
    for verdict, heading in (("departs", "Departs"), ("differs", "Differs")):
        names = [name for name, found in run.cases.items() if found.verdict == verdict]
        if not names:
            lines += [f"{heading}: nowhere.", ""]
            continue
        lines += [f"{heading}:", ""]
        for name in names:
            lines += _item(cases[name], run)
        lines.append("")
    if unsteady:
        patterns = ", ".join(f"`{pattern}`" for pattern in unsteady)
        lines += [f"Come out otherwise from run to run: {patterns}.", ""]
    untried = Counter(f.why for f in run.cases.values() if f.verdict == "not_tried")
    if untried:
        lines += ["Not tried:", ""]
        lines += [f"* {count} × {_plain(why)}" for why, count in sorted(untried.items())]
        lines.append("")
    return "\n".join(lines)


def _item(case: Case, run: Verdicts) -> list[str]:
    why = run.cases[case.name].why
    if run.peer == "Restante":
        why = f"{why}: {DECIDED.get(case.name, '')}"
    level = f" ({case.level.value.upper()})" if run.cases[case.name].verdict == "departs" else ""
    text = f"`{case.name}`{level}, {case.source}: {_plain(case.title)}. *{_plain(why)}*"
    return textwrap.wrap(
        text,
        100,
        initial_indent="* ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _matrix(runs: Sequence[Verdicts], cases: dict[str, Case]) -> str:
    lines = [
        "## Case by case",
        "",
        "Every case that some server departs or differs in: D departs, d differs, · passes,"
        " – not applicable, ? not tried.",
        "",
        "| case | source | level | " + " | ".join(run.peer for run in runs) + " |",
        "|---|---|---|" + ":-:|" * len(runs),
    ]
    for case in cases.values():
        verdicts = [run.cases[case.name].verdict for run in runs if case.name in run.cases]
        if {"departs", "differs"} & set(verdicts):
            marks = " | ".join(MARKS[verdict] for verdict in verdicts)
            level = case.level.value
            lines.append(
                f"| `{case.name}` {_plain(case.title)} | {case.source} | {level} | {marks} |"
            )
    return "\n".join(lines) + "\n"


def _document(case: Case) -> str:
    found = DOCUMENT.match(case.source)
    return found[0] if found else ABSENT


def _order(document: str) -> tuple[bool, int, str]:
    number = re.search(r"\d+", document)
    return not document.startswith("RFC"), int(number[0]) if number else 0, document


def _plain(text: str) -> str:
    """Return text in which nothing is markup, and a second space is seen."""
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", text.replace("  ", " \N{NO-BREAK SPACE}"))


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")

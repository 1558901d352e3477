"""Writes `docs/reference/interop.md` from a run of the interop tests.

    python docs/generate_interop.py            runs the tests and writes the page (as root)
    python docs/generate_interop.py --check    fails when the page does not tell what the tests say

What stands on the page is what the tests say of themselves (`tests/interop/record.py`); a test that
did not pass keeps the page from being written. Versions are those that the run found.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "interop.md"
TESTS = (
    "tests/interop",
    *(f"--ignore=tests/interop/{name}.py" for name in ("test_page", "test_peers")),
)
ROLES = ("client", "proxy", "deliverer", "oracle")
"""In the order of the page."""
RECORD = "RESTANTE_INTEROP_RECORD"
RUN_SECONDS = 900
COLLECT_SECONDS = 120
VERSIONS = re.compile(r"(?m)^(\| [^|\n]+ \| [^|\n]+ \| )[^|\n]+(?= \|)")

INTRODUCTION = """\
# Interop

What Restante was shown to do with the programs that Debian ships. This page is made by

    sudo .venv/bin/python docs/generate_interop.py

which runs `tests/interop` and writes down what those tests say of themselves, and only when all of
them have passed; CI runs the same tests. `packaging/test-packages.sh` installs the programs.

Each client talks to a running `restante serve`, and what it has collected is compared octet for
octet with what RFC 1939 makes of the files in the Maildir. Certificates are verified. Where a
program does otherwise than the RFCs or than Restante, that stands below as a departure, and a test
proves it.
"""

MAIL = """\
## The mail

Every file of the e-mail test data of CPython's own test package (`libpython3.11-testsuite`), the
pictures and sounds among them as they are, and messages made by hand. They lie in `new` and in
`cur`, under names with and without `,S=` and `,W=`. Made by hand are:

{made}
"""


class NotShown(Exception):
    """Tests that did not pass, so that there is nothing to write down."""


@dataclass(slots=True)
class Shown:
    """What one test shows, over all its variants."""

    text: str
    variants: list[list[str]] = field(default_factory=list)
    """For each of its parameters, the values it ran with."""

    def add(self, variant: str) -> None:
        """Take a variant in."""
        for position, value in enumerate(variant.split("-") if variant else ()):
            if position == len(self.variants):
                self.variants.append([])
            if value not in self.variants[position]:
                self.variants[position].append(value)

    def line(self) -> str:
        """Return the line of the page."""
        variants = "; ".join(", ".join(values) for values in self.variants)
        return f"* {self.text}" + (f" *({variants})*" if variants else "")


@dataclass(slots=True)
class Section:
    """What was shown of one peer."""

    name: str
    role: str
    tests: int = 0
    shown: dict[str, Shown] = field(default_factory=dict)
    departures: dict[str, None] = field(default_factory=dict)

    def add(self, row: dict[str, Any]) -> None:
        """Take a test in."""
        self.tests += 1
        self.shown.setdefault(row["test"], Shown(row["shows"])).add(row["variant"])
        self.departures.update(dict.fromkeys(row["departures"]))

    def render(self) -> str:
        """Return its part of the page."""
        lines = [f"## {self.name}", "", *(shown.line() for shown in self.shown.values())]
        if self.departures:
            lines += ["", "Departures:", "", *(f"* {text}" for text in self.departures)]
        return "\n".join(lines) + "\n"


def record(*options: str, seconds: int) -> dict[str, Any]:
    """Run pytest over the interop tests and return what they recorded.

    Raises:
        NotShown: not all of them passed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.json"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *TESTS]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=_environment(path),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode != 0 or not path.exists():
            raise NotShown(done.stdout + done.stderr)
        recorded: dict[str, Any] = json.loads(path.read_text())
    if recorded["missing"]:
        raise NotShown("these tests did not pass:\n" + "\n".join(recorded["missing"]))
    return recorded


def _environment(path: Path) -> dict[str, str]:
    # A run of its own, even where another run of pytest has started it.
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    return kept | {RECORD: str(path)}


def render(recorded: dict[str, Any]) -> str:
    """Return the page."""
    sections: dict[str, Section] = {}
    for row in sorted(recorded["rows"], key=lambda row: ROLES.index(row["role"])):
        sections.setdefault(row["peer"], Section(row["peer"], row["role"])).add(row)
    table = ["| peer | here as | version | tests passed | departures |", "|---|---|---|---|---|"]
    for name, section in sections.items():
        version = recorded["versions"].get(name, "not run")
        counts = f"{section.tests} | {len(section.departures) or 'none'}"
        table.append(f"| {name} | {section.role} | {version} | {counts} |")
    mail = MAIL.format(made=textwrap.fill(", ".join(recorded["made"]) + ".", 100))
    parts = (INTRODUCTION, "\n".join(table) + "\n", mail)
    return "\n".join((*parts, *(section.render() for section in sections.values())))


def without_versions(page: str) -> str:
    """Return a page as it is on every machine."""
    return VERSIONS.sub(r"\1…", page)


def is_true() -> bool:
    """Say whether the page tells what the tests say, versions apart."""
    told = render(record("--collect-only", seconds=COLLECT_SECONDS))
    return PAGE.exists() and without_versions(PAGE.read_text()) == without_versions(told)


def main(arguments: list[str]) -> int:
    """Write the page, or compare it with what the tests say."""
    try:
        if "--check" not in arguments:
            PAGE.write_text(render(record(seconds=RUN_SECONDS)))
            return 0
        if is_true():
            return 0
    except NotShown as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{PAGE.name} is stale: run python docs/generate_interop.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""What the interop tests say about themselves, for docs/reference/interop.md.

A module names its peer as `PEER`; the first paragraph of a test's docstring is what the test
exercises; `departs` names what the peer does otherwise, and a test that carries it proves it.
"""

import inspect
import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from interop.messages import HARD, LONG_LINE

RECORD = "RESTANTE_INTEROP_RECORD"
"""Names the file that a run leaves its record in; set by docs/generate_interop.py."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody else's program that mail goes through."""

    name: str
    role: str
    """What it does here: a client, a deliverer, an oracle."""
    package: str
    """The Debian package that its version is told of."""
    told: str = ""
    """The version, where no package tells it."""

    def version(self) -> str:
        """Return the version that was found on this machine."""
        if self.told:
            return self.told
        asked = ["dpkg-query", "-W", "-f", "${Version}", self.package]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
        return told.stdout.strip() or "not Debian's"


def departs(*departures: str) -> pytest.MarkDecorator:
    """Mark a test that proves how its peer departs from the RFCs, or from Restante."""
    return pytest.mark.departs(*departures)


@dataclass(frozen=True, slots=True)
class Row:
    """One test: what it shows of which peer."""

    peer: str
    role: str
    test: str
    variant: str
    shows: str
    departures: tuple[str, ...]


def row(item: pytest.Item) -> Row | None:
    """Return what a test says about itself; None for one that says nothing of a peer."""
    if not isinstance(item, pytest.Function):
        return None
    peer = getattr(item.module, "PEER", None)
    if not isinstance(peer, Peer):
        return None
    shows = " ".join((inspect.getdoc(item.function) or "").partition("\n\n")[0].split())
    assert shows, f"{item.nodeid} does not say what it exercises"
    departures = tuple(text for mark in item.iter_markers("departs") for text in mark.args)
    variant = item.callspec.id if hasattr(item, "callspec") else ""
    return Row(peer.name, peer.role, item.originalname, variant, shows, departures)


class Recorder:
    """The record of one run: the rows of tests, as they passed or as they stand there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, Row] = {}
        self._versions: dict[str, str] = {}
        self._passed: set[str] = set()

    def expect(self, items: list[pytest.Item], *, run: bool) -> None:
        """Take note of the tests that are there; without a run they all count."""
        for item in items:
            said = row(item)
            if said is None:
                continue
            self._rows[item.nodeid] = said
            if not run:
                self._passed.add(item.nodeid)
            elif isinstance(item, pytest.Function) and said.peer not in self._versions:
                self._versions[said.peer] = item.module.PEER.version()

    def passed(self, nodeid: str) -> None:
        """Take note that a test has passed."""
        self._passed.add(nodeid)

    def write(self) -> None:
        """Write the record."""
        rows = [asdict(said) for nodeid, said in self._rows.items() if nodeid in self._passed]
        missing = [nodeid for nodeid in self._rows if nodeid not in self._passed]
        made = [message.name for message in (*HARD, LONG_LINE)]
        content = {
            "rows": rows,
            "versions": self._versions,
            "missing": missing,
            "made": made,
        }
        self._path.write_text(json.dumps(content, indent=1))


def recorder() -> Recorder | None:
    """Return a recorder where a record is asked for."""
    path = os.environ.get(RECORD)
    return None if path is None else Recorder(Path(path))

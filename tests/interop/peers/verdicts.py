"""Playing the suite against a peer, and the record of what it found.

`recorded.json` holds what stands on the page: by it a run of some cases can be compared with a run
of all, and a change of a peer or of the suite comes to light. How long a case took stands there as
well, so that a short run can leave out what takes long.
"""

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from interop.peers.roster import Peer
from interop.service import open_folder
from restante.examine.case import Case, Finding
from restante.examine.examination import examine
from restante.examine.pace import Pace
from restante.examine.suite import CASES

RECORD = Path(__file__).with_name("recorded.json")
QUICK_SECONDS = 1.0
"""What a case of the short run may have taken."""
RUN_SECONDS = 900.0
"""What one peer may take for all cases: a server that hangs at each does not hang the run."""
VOLATILE = re.compile(
    r"SESSIONID=<[^>]*>|<[^<>@ ]*\d{6}[^<>@ ]*@[^>]*>|\b1[6-9]\d{8}\b|\b[0-9a-f]{16,}\b"
)
"""What differs from run to run: times, identifiers, digests."""
WHY_LENGTH = 240
WAITING_SECONDS = 7200.0
"""What a peer may take for the cases that wait for minutes, all of them side by side."""
AT_ONCE = 3
"""How many peers run side by side: mostly the judge waits for them."""


@dataclass(frozen=True, slots=True)
class Found:
    """The verdict on one case, why, and how long it took to find."""

    verdict: str
    why: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was found of one peer."""

    peer: str
    version: str
    seconds: float
    cases: Mapping[str, Found] = field(default_factory=dict)


def play(
    peer: type[Peer],
    cases: Sequence[Case],
    run_seconds: float = RUN_SECONDS,
    *,
    slow: bool = False,
) -> Verdicts:
    """Start a peer, play the cases and end it."""
    began = time.monotonic()
    with open_folder("peer") as folder, peer(folder / "room") as running:
        (folder / "room").chmod(0o755)
        watch = _Watch()
        target = replace(running.target(), pace=Pace(run_seconds), timing=False, slow=slow)
        examination = examine(target, cases, watch.tell)
    found = {
        finding.case.name: Found(
            finding.verdict.value,
            finding.why,
            (finding.seconds or 0.0) if slow else watch.taken[finding.case.name],
        )
        for finding in examination.findings
    }
    return Verdicts(peer.name, peer.version(), time.monotonic() - began, found)


def play_all(peers: Iterable[type[Peer]], cases: Sequence[Case]) -> list[Verdicts]:
    """Play the cases against each peer, some of them side by side."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda peer: play(peer, cases), peers))


class _Watch:
    """How long each case takes."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}
        self._began = 0.0

    def tell(self, case: Case, finding: Finding | None) -> None:
        """Take note of the beginning or the end of a case."""
        now = time.monotonic()
        if finding is None:
            self._began = now
            self.taken.setdefault(case.name, 0.0)
        else:
            self.taken[case.name] += now - self._began


def fill_in(records: Sequence[Verdicts], peers: Iterable[type[Peer]]) -> list[Verdicts]:
    """Play the cases that are new to the record and leave out those that are gone."""
    known = {name for record in records for name in record.cases}
    new = [case for case in CASES if case.name not in known]
    filled = []
    for record, played in zip(records, play_all(peers, new), strict=True):
        both = {**record.cases, **played.cases}
        filled.append(replace(record, cases={c.name: both[c.name] for c in CASES}))
    return filled


def wait(records: Sequence[Verdicts], peers: Iterable[type[Peer]]) -> list[Verdicts]:
    """Play the cases that wait for minutes against all peers side by side, beside the record."""
    cases = [case for case in CASES if case.vigil is not None]
    with ThreadPoolExecutor(len(records)) as pool:
        played = pool.map(lambda peer: play(peer, cases, WAITING_SECONDS, slow=True), peers)
        return [
            replace(record, cases={**record.cases, **waited.cases})
            for record, waited in zip(records, played, strict=True)
        ]


def keep_waited(runs: Sequence[Verdicts], records: Sequence[Verdicts]) -> list[Verdicts]:
    """Return runs that waited for nothing with what was waited for in an earlier one."""
    waited = {case.name for case in CASES if case.vigil is not None}
    return [
        replace(
            run,
            cases={n: record.cases.get(n, f) if n in waited else f for n, f in run.cases.items()},
        )
        for run, record in zip(runs, records, strict=True)
    ]


def save(runs: Iterable[Verdicts], path: Path = RECORD) -> None:
    """Write the record, a line for each case."""
    rows = []
    for run in runs:
        head = {"peer": run.peer, "version": run.version, "seconds": round(run.seconds)}
        cases = [
            json.dumps([name, found.verdict, round(found.seconds, 1), *_reason(found)])
            for name, found in run.cases.items()
        ]
        rows.append(f'{json.dumps(head)[:-1]}, "cases": [\n' + ",\n".join(cases) + "\n]}")
    path.write_text("[\n" + ",\n".join(rows) + "\n]\n")


def load(path: Path = RECORD) -> list[Verdicts]:
    """Read the record."""
    return [
        Verdicts(
            row["peer"],
            row["version"],
            row["seconds"],
            {
                name: Found(verdict, "".join(why), seconds)
                for name, verdict, seconds, *why in row["cases"]
            },
        )
        for row in json.loads(path.read_text())
    ]


def _reason(found: Found) -> list[str]:
    if found.verdict not in ("departs", "differs", "not_tried"):
        return []
    return [VOLATILE.sub("…", found.why)[:WHY_LENGTH]]

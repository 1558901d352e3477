"""The suite against other servers: what takes no time is played again and compared with the record.

The record is that of the page (docs/reference/verdicts.md), which `make verdicts` makes from a run
of all cases. What does not come out as recorded gets a second try on a machine that may be busy.
"""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from interop.conftest import needs_root
from interop.peers.popa3d import Popa3d
from interop.peers.roster import PEERS, Peer
from interop.peers.verdicts import AT_ONCE, QUICK_SECONDS, Verdicts, load, play
from interop.service import open_folder
from restante.examine.case import Case
from restante.examine.suite import CASES

RUN_SECONDS = 200.0
OTHERS = tuple(peer for peer in PEERS if peer.name != "Restante")
"""Restante itself is judged by tests/examine."""

Play = Callable[[type[Peer]], list[str]]


def quick(peer: type[Peer], record: Verdicts) -> list[Case]:
    """Return the cases that take no time with this peer and come out the same every time."""
    known = record.cases
    return [
        case
        for case in CASES
        if case.name in known
        and known[case.name].seconds < QUICK_SECONDS
        and not any(fnmatchcase(case.name, pattern) for pattern in peer.unsteady)
    ]


def otherwise(record: Verdicts, played: Verdicts) -> dict[str, str]:
    """Return what comes out other than recorded."""
    return {
        name: f"{name}: {found.verdict}, not {record.cases[name].verdict}: {found.why}"
        for name, found in played.cases.items()
        if found.verdict != record.cases[name].verdict
    }


def compare(peer: type[Peer], record: Verdicts) -> list[str]:
    """Play the quick cases, and once more those that come out other than recorded."""
    changed = otherwise(record, play(peer, quick(peer, record), RUN_SECONDS))
    if changed:
        again = [case for case in CASES if case.name in changed]
        changed = otherwise(record, play(peer, again, RUN_SECONDS))
    return list(changed.values())


@pytest.fixture(scope="module")
def results() -> dict[str, Future[list[str]]]:
    """What comes out otherwise, by peer; some of them are played side by side."""
    needs_root()
    records = {record.peer: record for record in load()}
    there = [peer for peer in OTHERS if peer.is_there()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {peer.name: pool.submit(compare, peer, records[peer.name]) for peer in there}


@pytest.mark.parametrize("peer", OTHERS, ids=[peer.name for peer in OTHERS])
def test_a_peer_does_what_is_recorded(
    peer: type[Peer], results: dict[str, Future[list[str]]]
) -> None:
    if peer.name not in results:
        if os.environ.get("CI"):
            pytest.fail(f"{peer.package} is not there")
        pytest.skip(f"{peer.package} is not there: see packaging/peer-packages.sh")
    assert results[peer.name].result() == []


def test_a_room_leaves_nothing_behind() -> None:
    needs_root()
    if not Popa3d.is_there():
        pytest.skip("popa3d is not there: see packaging/peer-packages.sh")
    with open_folder("room") as folder:
        users = Path("/etc/passwd").read_bytes()
        with Popa3d(folder / "room") as room:
            account = room.target().accounts.provide([], password=None, scratch=True, turn=0)
            room.enter("id", account.name)
            assert room.answers()
        assert not room.answers()
        assert Path("/etc/passwd").read_bytes() == users
        assert str(folder) not in Path("/proc/self/mounts").read_text()
        shutil.rmtree(folder / "room")


def test_a_room_closes_when_whoever_opened_it_is_gone() -> None:
    needs_root()
    if not Popa3d.is_there():
        pytest.skip("popa3d is not there: see packaging/peer-packages.sh")
    with open_folder("room") as folder, Popa3d(folder / "room") as room:
        process = room.process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0
        assert not room.answers()

"""How long logins take while others drain and somebody opens a cold, huge maildrop.

Both servers get the same offered load: logins at a fixed rate, messages collected at a fixed rate,
and one opening of the huge maildrop, which the server has never seen, a third of the way in.
"""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from multiprocessing.process import BaseProcess
from statistics import median, quantiles

from benchmarks.load.collecting import Door, look_into
from benchmarks.load.logins import Target
from benchmarks.load.offered import offer_logins
from benchmarks.load.pacing import collect_paced
from benchmarks.peers.peer import Peer, PeerFailed
from benchmarks.stage import Stage
from benchmarks.works.logins import brief_visits

_HUGE_USER = "latency-huge"
_PROCESSES = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the logins of one run took, in seconds."""

    name: str
    logins: int
    median_seconds: float
    p99_seconds: float
    longest_seconds: float


def furnish_latency(stage: Stage, peer: Peer) -> None:
    """Give accounts to who logs in, to who drains, and to the owner of the huge maildrop."""
    peer.add_accounts([*_login_users(stage), *_draining_users(stage), _HUGE_USER])
    for user in _login_users(stage):
        peer.place_maildir(user, stage.few_pattern)
    for user in _draining_users(stage):
        peer.place_maildir(user, stage.mixed_pattern)
    peer.place_maildir(_HUGE_USER, stage.huge_pattern)


def compare_latency(
    stage: Stage, peers: list[Peer], tell: Callable[[str], None]
) -> dict[str, list[Latency]]:
    """Measure all servers in turns; they are stopped before and after."""
    found: dict[str, list[Latency]] = {peer.name: [] for peer in peers}
    for _ in range(stage.scale.latency_runs):
        for peer in peers:
            peer.reset_indexes(_HUGE_USER)
            peer.start()
            try:
                latency = _measure(stage, peer)
            finally:
                peer.stop()
            tell(f"latency {latency}")
            found[peer.name].append(latency)
    return found


def median_latency(latencies: list[Latency]) -> Latency:
    """Return the medians of several runs."""
    return Latency(
        latencies[0].name,
        round(median(latency.logins for latency in latencies)),
        median(latency.median_seconds for latency in latencies),
        median(latency.p99_seconds for latency in latencies),
        median(latency.longest_seconds for latency in latencies),
    )


def _measure(stage: Stage, peer: Peer) -> Latency:
    scale, target = stage.scale, Target(peer.port)
    visits = brief_visits(stage, _login_users(stage))
    offer_logins(target, cycle(visits), scale.logins_per_second, scale.latency_seconds / 10)
    stage.huge.count(), stage.mixed.count()  # made before the fork, shared by it
    others = [
        _PROCESSES.Process(target=_drain_paced, args=(stage, peer.port)),
        _PROCESSES.Process(target=_open_cold, args=(stage, peer.port)),
    ]
    for process in others:
        process.start()
    taken = offer_logins(target, cycle(visits), scale.logins_per_second, scale.latency_seconds)
    _await(others)
    cuts = quantiles(taken, n=100)
    return Latency(peer.name, len(taken), median(taken), cuts[98], max(taken))


def _drain_paced(stage: Stage, port: int) -> None:
    doors = [Door(port, user) for user in _draining_users(stage)]
    scale = stage.scale
    collect_paced(doors, stage.mixed, scale.messages_per_second, scale.latency_seconds)


def _open_cold(stage: Stage, port: int) -> None:
    time.sleep(stage.scale.latency_seconds / 3)
    look_into(Door(port, _HUGE_USER), stage.huge, [1])


def _await(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise PeerFailed("the load beside the logins failed; its message is above")


def _login_users(stage: Stage) -> list[str]:
    return [f"latency{index:04d}" for index in range(stage.scale.latency_accounts)]


def _draining_users(stage: Stage) -> list[str]:
    return [f"latency-drain{index}" for index in range(stage.scale.draining_sessions)]

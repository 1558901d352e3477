"""What is played, in which order: CPU works on one pair of servers, then memory, then latency."""

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.findings import Findings
from benchmarks.load.collecting import Door
from benchmarks.machine import describe_machine
from benchmarks.measure import compare
from benchmarks.peers.dovecot import DovecotPeer
from benchmarks.peers.peer import Peer, PeerFailed
from benchmarks.peers.restante import RestantePeer
from benchmarks.stage import Stage
from benchmarks.works.drain import Drain, TlsDrain
from benchmarks.works.huge import HugeDelivered, HugeRestarted, HugeUnknown, HugeWarm
from benchmarks.works.idle import furnish_idle, weigh_held
from benchmarks.works.latency import compare_latency, furnish_latency
from benchmarks.works.logins import Logins, TlsLogins
from benchmarks.works.proofs import ColdLogins, ScramLogins
from benchmarks.works.work import Work

WORKS: tuple[type[Work], ...] = (
    Logins,
    TlsLogins,
    ScramLogins,
    ColdLogins,
    Drain,
    TlsDrain,
    HugeWarm,
    HugeRestarted,
    HugeDelivered,
    HugeUnknown,
)
MEMORY = "idle"
LATENCY = "latency"
KEYS = (*(work.key for work in WORKS), MEMORY, LATENCY)

MakePeer = Callable[[str, Path, bool], Peer]
Tell = Callable[[str], None]


def make_real_pair(stage: Stage) -> list[MakePeer]:
    """Return how to make the two servers that are compared, theirs first."""

    def dovecot(name: str, directory: Path, single: bool) -> Peer:
        return DovecotPeer(name, directory, stage.certificate, stage.private_key)

    def restante(name: str, directory: Path, single: bool) -> Peer:
        workers = 1 if single else None
        return RestantePeer(name, directory, stage.certificate, stage.private_key, workers)

    return [dovecot, restante]


def play(
    stage: Stage, names: Sequence[str], makers: Sequence[MakePeer], keys: Sequence[str], tell: Tell
) -> Findings:
    """Play the works with these keys and return what was found."""
    findings = Findings(names[1], names[0], describe_machine())
    _play_works(stage, names, makers, keys, tell, findings)
    if MEMORY in keys:
        for peer in _make(stage, names, makers, "idle", single=True):
            furnish_idle(stage, peer)
            findings.holdings += weigh_held(stage, peer, tell)
    if LATENCY in keys:
        peers = _make(stage, names, makers, "latency", single=False)
        for peer in peers:
            furnish_latency(stage, peer)
        findings.latencies = compare_latency(stage, peers, tell)
    return findings


def _play_works(
    stage: Stage,
    names: Sequence[str],
    makers: Sequence[MakePeer],
    keys: Sequence[str],
    tell: Tell,
    findings: Findings,
) -> None:
    works = [work(stage) for work in WORKS if work.key in keys]
    peers = _make(stage, names, makers, "works", single=False)
    for peer in peers:
        findings.facts[peer.name] = peer.version()
    if not works:
        return
    try:
        for peer in peers:
            for work in works:
                peer.add_accounts(work.accounts(), work.stored_password())
                work.furnish(peer)
            peer.start()
        findings.facts["CPU time from"] = peers[0].how_measured()
        findings.facts["TLS"] = _common_cipher(stage, peers, works[0].accounts()[0])
        for work in works:
            findings.results.append(compare(work, peers, stage.scale.runs, tell))
    finally:
        for peer in peers:
            peer.stop()


def _common_cipher(stage: Stage, peers: Sequence[Peer], user: str) -> str:
    """Return what all servers negotiate; it has to be one thing, or the works are not the same."""
    ciphers: set[str] = set()
    for peer in peers:
        with Door(peer.tls_port, user, stage.tls).open() as session:
            ciphers.add(session.cipher())
            session.quit()
    if len(ciphers) != 1:
        raise PeerFailed(f"the servers do not negotiate the same: {', '.join(sorted(ciphers))}")
    return ciphers.pop()


def _make(
    stage: Stage, names: Sequence[str], makers: Sequence[MakePeer], purpose: str, *, single: bool
) -> list[Peer]:
    return [
        make(name, stage.directory / purpose / name.lower().replace(" ", "-"), single)
        for name, make in zip(names, makers, strict=True)
    ]

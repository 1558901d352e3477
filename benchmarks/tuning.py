"""Which of Dovecot's settings are fastest: each choice that its documentation leaves, tried.

The choice made is DovecotTuning's default; here it runs against each of its alternatives.
"""

from collections.abc import Callable
from dataclasses import replace

from benchmarks.measure import compare
from benchmarks.peers.dovecot import DovecotPeer, DovecotTuning
from benchmarks.peers.peer import Peer
from benchmarks.report import render_variants
from benchmarks.stage import Stage
from benchmarks.works.drain import Drain
from benchmarks.works.huge import HugeDelivered, HugeUnknown, HugeWarm
from benchmarks.works.logins import Logins, TlsLogins
from benchmarks.works.work import Work

_RUNS = 3
_WORKS: tuple[type[Work], ...] = (Logins, TlsLogins, Drain, HugeWarm, HugeDelivered, HugeUnknown)


def alternatives() -> dict[str, DovecotTuning]:
    """Return the tuning in use and, one departure each, what else there is."""
    chosen = DovecotTuning()
    return {
        "as chosen": chosen,
        "one session per process": replace(chosen, service_count=1, process_min_avail=32),
        "sessions one after another": replace(chosen, client_limit=1, process_min_avail=32),
        "pop3_lock_session = yes": replace(chosen, lock=True),
        "maildir_very_dirty_syncs = no": replace(chosen, dirty_syncs=False),
        "statistics process on": replace(chosen, statistics=True),
    }


def try_tunings(stage: Stage, tell: Callable[[str], None]) -> str:
    """Measure all alternatives in turns and return the table."""
    works = [work(stage) for work in _WORKS]
    peers = [_make(stage, name, tuning) for name, tuning in alternatives().items()]
    try:
        for peer in peers:
            _furnish(peer, works)
            peer.start()
        return render_variants([compare(work, peers, _RUNS, tell) for work in works])
    finally:
        for peer in peers:
            peer.stop()


def _make(stage: Stage, name: str, tuning: DovecotTuning) -> Peer:
    directory = stage.directory / "tuning" / "".join(filter(str.isalnum, name))
    return DovecotPeer(name, directory, stage.certificate, stage.private_key, tuning)


def _furnish(peer: Peer, works: list[Work]) -> None:
    for work in works:
        peer.add_accounts(work.accounts(), work.stored_password())
        work.furnish(peer)

"""Writes `docs/reference/verdicts.md` from a run of the suite against servers that exist.

    python docs/generate_verdicts.py            plays every case against every server (as root)
    python docs/generate_verdicts.py --new      plays those that are not yet on record
    python docs/generate_verdicts.py --slow     plays those that wait, which takes an hour
    python docs/generate_verdicts.py --render   writes the page anew from the record of the last run

How the servers are started and what of them is written down is in `tests/interop/peers`.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "verdicts.md"
sys.path[:0] = [str(ROOT / "tests")]


def main(arguments: list[str]) -> int:
    """Play the cases, keep the record and write the page."""
    from interop.peers import page, verdicts
    from interop.peers.roster import PEERS
    from restante.examine.suite import CASES

    if "--render" not in arguments:
        missing = [peer.name for peer in PEERS if not peer.is_there()]
        if missing or os.geteuid() != 0:
            print(f"run as root, behind packaging/peer-packages.sh; missing: {missing}")
            return 1
        if "--new" in arguments:
            verdicts.save(verdicts.fill_in(verdicts.load(), PEERS))
        elif "--slow" in arguments:
            verdicts.save(verdicts.wait(verdicts.load(), PEERS))
        else:
            verdicts.save(verdicts.keep_waited(verdicts.play_all(PEERS, CASES), verdicts.load()))
    PAGE.write_text(page.render(verdicts.load(), CASES, PEERS))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

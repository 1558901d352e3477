"""Power cuts on real file systems: what `+OK` promised is so, and nothing else is lost.

`kill -9` proves nothing about durability; a file system that is shut down in the midst does.
Threat S1.
"""

import random
from io import BytesIO
from pathlib import Path

import pytest

from restante.identity import Identity
from restante.stores.maildir import MaildirStore
from restante.stores.options import MailOptions
from restante.telemetry import RecordingLog
from stories.loop_disk import mounted

ALICE = Identity("alice", "test", None)
MEBIOCTETS = {"ext4": 16, "xfs": 320}


def open_store(disk: Path, state: Path) -> MaildirStore:
    options = MailOptions(path=f"{disk}/{{name}}", state_directory=state)
    return MaildirStore(options, RecordingLog())


def session(store: MaildirStore) -> list[bytes]:
    maildrop = store.open(ALICE)
    listing = maildrop.listing
    ids = [listing.unique_id(number) for number in range(1, listing.count + 1)]
    maildrop.close()
    return ids


def cut_power_often(directory: Path, kind: str, cycles: int) -> None:
    """Deliver, log in, remove and cut the power, over and over."""
    chance = random.Random(kind)
    state = directory / "state"
    promised: list[bytes] = []
    with mounted(directory, kind, MEBIOCTETS[kind]) as disk:
        for cycle in range(cycles):
            store = open_store(disk.path, state)
            # What was promised before the power went is what is there now.
            assert session(store) == promised, f"cycle {cycle}"
            promised += [
                store.deposit(ALICE, BytesIO(b"%d %d\n" % (cycle, number)))
                for number in range(chance.randrange(1, 6))
            ]
            # A Maildir delivery that nobody made durable may be lost, and is not promised.
            (disk.path / "alice" / "tmp" / "unfinished").write_bytes(b"x")
            if cycle % 3:
                assert session(store) == promised
            marked = sorted(chance.sample(range(len(promised)), chance.randrange(len(promised))))
            if marked:
                maildrop = store.open(ALICE)
                maildrop.remove([at + 1 for at in marked])
                maildrop.close()
                promised = [each for at, each in enumerate(promised) if at not in marked]
            disk.cut_power()
            disk.mount()
        assert session(open_store(disk.path, state)) == promised


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_two_power_cuts(tmp_path: Path, kind: str) -> None:
    cut_power_often(tmp_path, kind, 2)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_many_power_cuts(tmp_path: Path, kind: str) -> None:
    cut_power_often(tmp_path, kind, 60)


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_the_power_cut_is_one(tmp_path: Path, kind: str) -> None:
    """What nobody made durable is lost: otherwise the other tests would show nothing."""
    with mounted(tmp_path, kind, MEBIOCTETS[kind]) as disk:
        store = open_store(disk.path, tmp_path / "state")
        given = store.deposit(ALICE, BytesIO(b"x\n"))
        assert session(store) == [given]
        (disk.path / "alice" / "new" / "1700000000.unsynced").write_bytes(b"x\n")
        [path] = (disk.path / "alice" / "new").glob(f"{given.decode()}*")
        path.unlink()
        disk.cut_power()
        disk.mount()
        assert session(open_store(disk.path, tmp_path / "state")) == [given]

"""UPDATE under faults: killed, or refused by the disk, at every system call that changes a name.

A script opens a Maildir with the store, removes every second message and reports what came of it;
strace makes its N-th call fail or kills it there. Whatever N is: nothing unmarked is ever gone,
what was reported as removed is gone, and unique-ids are what they were. Threats S1 and S2.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from restante.errors import Refusal, UpdateIncomplete
from restante.identity import Identity
from restante.stores.maildir import MaildirStore
from restante.stores.options import MailOptions
from restante.telemetry import RecordingLog

from conftest import require

ALICE = Identity("alice", "test", None)
MESSAGES = 8
MARKED = [1, 2, 5, 6]
CALLS = ("unlink,unlinkat", "rename,renameat,renameat2", "fsync,fdatasync", "ftruncate", "pwrite64")
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC", "error=EROFS", "error=ESTALE", "error=EINTR")
SHORT = [
    ("unlink,unlinkat", 1, "signal=KILL"),
    ("unlink,unlinkat", 3, "signal=KILL"),
    ("unlink,unlinkat", 2, "error=EIO"),
    ("unlink,unlinkat", 1, "error=EROFS"),
    ("fsync,fdatasync", 1, "signal=KILL"),
    ("fsync,fdatasync", 1, "error=EIO"),
    ("fsync,fdatasync", 3, "error=EIO"),
    ("fsync,fdatasync", 5, "signal=KILL"),
    ("pwrite64", 1, "error=ENOSPC"),
    ("pwrite64", 4, "signal=KILL"),
    ("ftruncate", 1, "signal=KILL"),
]
LONGEST = 100
"""More calls of one kind than the script makes."""

SCRIPT = """
import sys
from stories.test_update_faults import MARKED, open_store, ALICE, report
maildrop = open_store(sys.argv[1]).open(ALICE)
print("opened", flush=True)
print(report(maildrop), flush=True)
"""


def open_store(directory: str | Path) -> MaildirStore:
    options = MailOptions(path=f"{directory}/{{name}}", state_directory=Path(directory) / "state")
    return MaildirStore(options, RecordingLog())


def report(maildrop: object) -> str:
    """Remove what is marked, and say how many messages may still be there."""
    try:
        maildrop.remove(MARKED)  # type: ignore[attr-defined]
    except UpdateIncomplete as failure:
        return f"remaining {failure.remaining}"
    except Refusal as refusal:
        return f"refused {refusal}"
    return "done"


def prepare(directory: Path, *, with_catalogue: bool) -> dict[str, bytes]:
    """Make a Maildir and return its unique-ids by unique part."""
    for folder in ("new", "cur", "tmp"):
        (directory / "alice" / folder).mkdir(parents=True)
    for number in range(MESSAGES):
        folder = ("new", "cur")[number % 2]
        flags = (":2,S", "")[folder == "new"]
        path = directory / "alice" / folder / f"170000000{number}.a b{flags}"
        path.write_bytes(b"Subject: %d\n\nbody\n" % number)
    if not with_catalogue:
        with_copy = directory / "copy"
        subprocess.run(["cp", "-a", directory / "alice", with_copy], check=True)
        given = ids(directory, Identity("copy", "test", None))
        subprocess.run(["rm", "-r", with_copy], check=True)
        return given
    return ids(directory, ALICE)


def ids(directory: Path, identity: Identity) -> dict[str, bytes]:
    maildrop = open_store(directory).open(identity)
    listing = maildrop.listing
    given = {
        listing.name(number)[4:].partition(b":")[0].decode(): listing.unique_id(number)
        for number in range(1, listing.count + 1)
    }
    maildrop.close()
    return given


def run_under(directory: Path, calls: str, when: int, fault: str) -> tuple[list[str], bool]:
    """Run the script with one fault; return what it reported, and whether it came to the fault."""
    mailbox, trace = directory / "alice", directory / "trace"
    paths = (".", "new", "cur", "restante.catalogue", "restante.catalogue-journal")
    # What the interpreter does elsewhere is none of it.
    below = [argument for path in paths for argument in ("-P", str(mailbox / path))]
    inject = f"-einject={calls}:{fault}:when={when}"
    program = [sys.executable, "-c", SCRIPT, str(directory)]
    finished = subprocess.run(
        [require("strace"), "-f", "-o", str(trace), *below, f"-etrace={calls}", inject, *program],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"Traceback" not in finished.stderr, finished.stderr.decode()
    happened = trace.read_text(errors="replace")
    return finished.stdout.decode().splitlines(), "INJECTED" in happened or "SIGKILL" in happened


def check(directory: Path, given: dict[str, bytes], said: list[str]) -> None:
    """Hold what is there now to what was promised."""
    uniques = sorted(given)
    marked = {uniques[number - 1] for number in MARKED}
    there = {
        path.name.partition(":")[0]
        for folder in ("new", "cur")
        for path in (directory / "alice" / folder).iterdir()
    }
    assert set(uniques) - there <= marked, "something unmarked is gone"
    if said[1:] == ["done"]:
        assert not there & marked
    elif said[1:] and said[1].startswith("remaining"):
        assert len(there & marked) <= int(said[1].split()[1])
    after = ids(directory, ALICE)
    assert set(after) == there
    assert after == {unique: given[unique] for unique in there}
    assert set(ids(directory, ALICE)) == there


@pytest.mark.parametrize("with_catalogue", [True, False])
@pytest.mark.parametrize(("calls", "when", "fault"), SHORT)
def test_some_faults(
    tmp_path: Path, calls: str, when: int, fault: str, with_catalogue: bool
) -> None:
    given = prepare(tmp_path, with_catalogue=with_catalogue)
    said, happened = run_under(tmp_path, calls, when, fault)
    assert happened, "there is no such call: the test shows nothing"
    check(tmp_path, given, said)


@pytest.mark.long
@pytest.mark.parametrize("with_catalogue", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("calls", CALLS)
def test_every_fault(tmp_path: Path, calls: str, fault: str, with_catalogue: bool) -> None:
    for when in range(1, LONGEST):
        directory = tmp_path / str(when)
        given = prepare(directory, with_catalogue=with_catalogue)
        said, happened = run_under(directory, calls, when, fault)
        check(directory, given, said)
        if not happened:
            assert said == ["opened", "done"]
            return
    raise AssertionError("it never ran through")

"""Another program: given what it is to have and nothing else, and never outliving its run."""

import asyncio
import os
from pathlib import Path

import pytest

from restante.auth.child import Child
from restante.errors import TemporaryFailure
from unit.auth.programs import program
from unit.auth.scene import run


def ran(path: Path, given: bytes = b"") -> tuple[int, str]:
    async def story() -> tuple[int, str]:
        child = Child([str(path), "one"], given)
        status = await child.ended()
        return status, child.output.decode()

    return run(story())


def test_it_has_descriptor_3_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTANTE_TEST_SECRET", "kanarienvogel")
    path = program(
        tmp_path,
        "import os, sys\n"
        "here = os.listdir('/proc/self/fd')\n"
        "print(os.fdopen(3, 'rb').read(), sys.argv[1:], sorted(os.environ), end=' ')\n"
        "print(sorted(int(each) for each in here)[:4], len(here), os.getpgid(0) == os.getpid())\n",
    )
    with (tmp_path / "open").open("wb") as kept:
        os.set_inheritable(kept.fileno(), True)
        status, output = ran(path, b"bob\0secret\0\0")
    # One more is the listing's own.
    expected = "b'bob\\x00secret\\x00\\x00' ['one'] ['PATH'] [0, 1, 2, 3] 5 True\n"
    assert (status, output.replace("'LC_CTYPE', ", "")) == (0, expected)


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("raise SystemExit(0)", 0),
        ("raise SystemExit(111)", 111),
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("import os; os.kill(os.getpid(), 15)", -15),
    ],
)
def test_its_status_is_told(tmp_path: Path, ending: str, status: int) -> None:
    assert ran(program(tmp_path, ending))[0] == status


def test_what_cannot_be_run_fails_and_leaves_nothing_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))

    async def story() -> None:
        for _ in range(5):
            with pytest.raises(OSError, match="nowhere"):
                Child([str(tmp_path / "nowhere")], b"")

    run(story())
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_run_leaves_nothing_open(tmp_path: Path) -> None:
    path = program(tmp_path, "print('x')")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        assert ran(path) == (0, "x\n")
    assert len(os.listdir("/proc/self/fd")) == before


def test_too_much_output_is_no_answer(tmp_path: Path) -> None:
    path = program(tmp_path, "while True: print('x' * 10_000)")
    with pytest.raises(TemporaryFailure):
        ran(path)


FORKS = """
import os, sys, time
if os.fork() == 0:
    print(os.getpid(), flush=True)
    time.sleep(600)
while sys.argv[1] == "stay":
    time.sleep(600)
time.sleep(float(sys.argv[2]))
"""


async def grandchild(child: Child) -> int:
    while b"\n" not in child.output:
        await asyncio.sleep(0.005)
    return int(child.output)


async def gone(pid: int) -> None:
    """Wait until a process is no more, or only waits for whoever inherited it."""
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        await asyncio.sleep(0.005)


def test_whoever_gives_up_kills_it_with_its_group(tmp_path: Path) -> None:
    async def story() -> None:
        child = Child([str(program(tmp_path, FORKS)), "stay"], b"")
        waiting = asyncio.ensure_future(child.ended())
        forked = await grandchild(child)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await gone(forked)
        await gone(child.pid)
        while not child.is_over:
            await asyncio.sleep(0.005)
        with pytest.raises(ChildProcessError):
            os.waitpid(child.pid, os.WNOHANG)

    run(story())


def test_what_it_leaves_behind_is_killed(tmp_path: Path) -> None:
    async def story() -> None:
        child = Child([str(program(tmp_path, FORKS)), "go", "0.2"], b"")
        forked = await grandchild(child)
        assert await child.ended() == 0
        await gone(forked)

    run(story())

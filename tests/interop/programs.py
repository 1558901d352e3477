"""Running a peer's program: bounded, with a home of its own, nothing of this user's read."""

import os
import subprocess
from pathlib import Path

RUN_SECONDS = 60.0


def run(
    *arguments: str | Path,
    home: Path,
    user: str | None = None,
    environment: dict[str, str] | None = None,
) -> "subprocess.CompletedProcess[bytes]":
    """Run a program to its end and return what it said, whatever its status."""
    own = {"HOME": str(home), "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [str(argument) for argument in arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=RUN_SECONDS,
        check=False,
        cwd=home,
        env=own | (environment or {}),
        user=user,
        group=None if user is None else "nogroup",
        extra_groups=None if user is None else [],
    )


def succeed(*arguments: str | Path, home: Path) -> bytes:
    """Run a program that has to succeed and return its standard output."""
    done = run(*arguments, home=home)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr!r}"
    return done.stdout

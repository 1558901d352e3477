"""A PostgreSQL server of the tests' own: on a free port, in a folder that goes with it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

PASSWORD = "for the tests"
READY_SECONDS = 60.0


def programs() -> Path | None:
    """Return the folder of its programs; None: it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


class Postgresql:
    """One server; superuser `postgres` with a password."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="restante-pg-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self.password_file = self.folder / "password"
        self._process: subprocess.Popen[bytes] | None = None
        # It does not serve as root.
        self._user = "postgres" if os.geteuid() == 0 else None

    def __enter__(self) -> Self:
        self.password_file.write_text(f"{PASSWORD}\n")
        if self._user is not None:
            os.chown(self.folder, pwd.getpwnam(self._user).pw_uid, -1)
            os.chown(self.password_file, pwd.getpwnam(self._user).pw_uid, -1)
        made = self._popen(
            "initdb", "-A", "scram-sha-256", "-U", "postgres", "-E", "UTF8", "--no-locale",
            "--no-sync", f"--pwfile={self.password_file}",
        )  # fmt: skip
        assert made.wait(READY_SECONDS) == 0, self.log()
        self.start()
        return self

    def start(self) -> None:
        """Start it, and wait until it answers."""
        said = len(self.log())
        self._process = self._popen(
            "postgres", "-p", str(self.port), "-k", str(self.folder), "-F",
            "-c", "listen_addresses=127.0.0.1",
        )  # fmt: skip
        deadline = time.monotonic() + READY_SECONDS
        while "ready to accept connections" not in self.log()[said:]:
            assert time.monotonic() < deadline, self.log()
            assert self._process.poll() is None, self.log()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once, with whoever is connected."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(READY_SECONDS)
        self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have it, and everything it has started, stand still."""
        assert self._process is not None
        main = self._process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        processes = [main, *map(int, children)]
        for each in processes:
            os.kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in processes:
                os.kill(each, signal.SIGCONT)

    def log(self) -> str:
        """Return what it has said."""
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""

    def _popen(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        folder = programs()
        assert folder is not None
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [folder / program, "-D", self.folder / "data", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

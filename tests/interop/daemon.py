"""A peer that serves: its program in the foreground, from its start to its end."""

import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

READY_SECONDS = 30.0
STOP_SECONDS = 20.0


class Daemon:
    """One server that is somebody else's, on a port of its own."""

    def __init__(self, *arguments: str | Path, log: Path) -> None:
        self._arguments = [str(argument) for argument in arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """Return its process, which has been started."""
        assert self._process is not None
        return self._process

    def answers(self) -> bool:
        """Say whether it serves already."""
        raise NotImplementedError

    def start(self) -> "subprocess.Popen[bytes]":
        """Start its process."""
        return subprocess.Popen(
            self._arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
        )

    def terminate(self, process: "subprocess.Popen[bytes]") -> None:
        """Tell it to end."""
        process.terminate()

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self._process = self.start()
        deadline = time.monotonic() + READY_SECONDS
        while not self.answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self._end()
                raise AssertionError(f"{type(self).__name__} does not answer:\n{self.log()}")
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self._end()

    def log(self) -> str:
        """Return all it has logged."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _end(self) -> None:
        assert self._process is not None
        self.terminate(self._process)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def greets(port: int) -> bool:
    """Say whether a POP3 server greets on this port of loopback."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(3) == b"+OK"
    except OSError:
        return False


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])

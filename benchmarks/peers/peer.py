"""One server under measurement: started, stopped, weighed, its accounts made, its indexes dropped.

What is the same for every server lives here; a subclass says how its configuration reads, how it
is started and which files it keeps beside the mail.
"""

import base64
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from benchmarks.mail.maildir import chown_maildir
from benchmarks.peers.accounting import CpuAccount, open_account
from benchmarks.peers.memory import proportional_octets

PASSWORD = "correct horse battery"
MAIL_USER = "nobody"
"""The one user whom both servers read mail as; who need not own a thing but the Maildirs."""
_SALT = b"restante"
_READY_SECONDS = 30.0
_STOP_SECONDS = 60.0
_LAST_LINES = 15
_QUIET_SECONDS = 0.0005
_SETTLE_SECONDS = 0.05


def salted_digest() -> str:
    """Return the password as a hash that costs next to nothing."""
    digest = hashlib.sha256(PASSWORD.encode() + _SALT).digest()
    return "{SSHA256}" + base64.b64encode(digest + _SALT).decode("ascii")


class PeerFailed(Exception):
    """A server that did not start, stop or settle."""


class Peer(ABC):
    """A server with a directory, two ports, accounts and Maildirs of its own."""

    label: str

    def __init__(self, name: str, directory: Path, certificate: Path, private_key: Path) -> None:
        self.name = name
        self.directory = directory
        self.certificate = certificate
        self.private_key = private_key
        self.port, self.tls_port = _free_ports()
        self.mail = directory / "mail"
        self.users = directory / "users"
        self.mail.mkdir(parents=True)
        shutil.chown(self.mail, MAIL_USER)
        self.users.write_text("")
        self._known: set[str] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._account: CpuAccount | None = None

    @abstractmethod
    def configure(self) -> None:
        """Write the configuration."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line that runs the server in the foreground."""

    @abstractmethod
    def version(self) -> str:
        """Return what the server calls itself and its version."""

    @abstractmethod
    def reset_indexes(self, user: str) -> None:
        """Drop whatever the server has stored about a maildrop; the server is stopped."""

    def add_accounts(self, users: list[str], stored: str | None = None) -> None:
        """Give accounts to users, all with the one password; the server is stopped.

        `stored` is that password as it is kept; a user who has an account already keeps it.
        """
        stored = stored or salted_digest()
        new = [user for user in users if user not in self._known]
        self._known.update(new)
        with self.users.open("a", encoding="ascii") as lines:
            lines.writelines(f"{user}:{stored}::::::\n" for user in new)

    def maildir(self, user: str) -> Path:
        """Return where the mail of a user lies."""
        return self.mail / user / "Maildir"

    def place_maildir(self, user: str, pattern: Path) -> None:
        """Give a user a copy of a Maildir: directories of its own, the messages hard links."""
        target = self.maildir(user)
        if target.exists():
            shutil.rmtree(target.parent)
        shutil.copytree(pattern, target, copy_function=os.link)
        chown_maildir(target, MAIL_USER)

    def start(self) -> None:
        """Start the server and wait until it greets."""
        self.configure()
        self._account = open_account(self.name)
        with (self.directory / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self._account.wrap(self.command()),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while not _greets(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise PeerFailed(f"{self.name} does not start; it said last:\n{self._last_words()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask the server to end and wait until it has."""
        if self._process is None or self._account is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise PeerFailed(f"{self.name} does not stop") from None
        finally:
            self._await_end_of_all(self._process.pid, self._account)
            self._account.close()
            self._process = self._account = None

    def cpu_seconds(self) -> float:
        """Return user and system seconds used by all processes since the start."""
        process, account = self._running()
        return account.seconds(process.pid)

    def settle(self, at_most_seconds: float = 10.0) -> None:
        """Wait until the server has nothing left to do."""
        deadline = time.monotonic() + at_most_seconds
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(_SETTLE_SECONDS)
            now = self.cpu_seconds()
            if now - before < _QUIET_SECONDS:
                return
            before = now

    def memory_octets(self) -> int:
        """Return the proportional set size of all processes."""
        process, account = self._running()
        return proportional_octets(account.processes(process.pid))

    def how_measured(self) -> str:
        """Return how CPU time is counted."""
        return self._running()[1].how

    def _last_words(self) -> str:
        lines = (self.directory / "output").read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])

    def _running(self) -> tuple[subprocess.Popen[bytes], CpuAccount]:
        if self._process is None or self._account is None:
            raise PeerFailed(f"{self.name} is not running")
        return self._process, self._account

    def _await_end_of_all(self, root: int, account: CpuAccount) -> None:
        deadline = time.monotonic() + _STOP_SECONDS
        while set(account.processes(root)) - {root}:
            if time.monotonic() > deadline:
                raise PeerFailed(f"{self.name} leaves processes behind")
            time.sleep(0.02)


def _free_ports() -> tuple[int, int]:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        return one.getsockname()[1], two.getsockname()[1]


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            return connection.recv(3) == b"+OK"
    except OSError:
        return False

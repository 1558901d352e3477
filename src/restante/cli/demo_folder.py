"""The folder of a demo: configuration, certificate, account and mail, made once and kept.

Running a demo again in its folder finds everything as it was: the same account with the same
password, the mail that is left, the same ports if they are still free. The password is therefore
kept in a file that only its owner can read; removing the folder begins anew.
"""

import fcntl
import os
import secrets
import socket
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from restante import assembly
from restante.cli.demo_certificate import is_usable, make_certificate
from restante.cli.demo_mail import messages
from restante.cli.failures import CANNOT_CREATE, UNAVAILABLE, CommandFailed
from restante.config import loading
from restante.errors import ConfigurationError, ControlError
from restante.secret import Secret

ACCOUNT = "demo"
HOST = "127.0.0.1"
_MARK = "# Made by `restante demo`"
_LOCK = "lock"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look like another."""
_PASSWORD_LETTERS = 20

_CONFIGURATION = """\
{mark}, and written anew whenever it starts. `restante serve` takes it as well;
# `restante config explain` says what all of this means.
hostname = "localhost"
state_directory = "state"
workers = 1

[[listener]]
address = "{host}:{pop3}"
tls = "stls"

[[listener]]
address = "{host}:{pop3s}"
tls = "implicit"

[tls]
certificate = "certificate.pem"
private_key = "private_key.pem"

[auth]
cleartext = "loopback"    # this machine may send passwords without TLS, to try things out

[mail]
path = "mail/{{name}}"
"""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """One demo on disk."""

    directory: Path

    @property
    def configuration(self) -> Path:
        """The configuration file."""
        return self.directory / "restante.toml"

    @property
    def certificate(self) -> Path:
        """The certificate, which clients have to be told to trust."""
        return self.directory / "certificate.pem"

    def prepare(self, port: int) -> str:
        """Make what is missing, and return the account's password.

        `port` is for POP3, the next one for POP3 over TLS; 0: those of last time, or free ones.

        Raises:
            CommandFailed: something else is there, or runs there.
        """
        is_new = self._claim()
        ports = (port, port + 1) if port else self._ports()
        self.configuration.write_text(
            _CONFIGURATION.format(mark=_MARK, host=HOST, pop3=ports[0], pop3s=ports[1])
        )
        if not is_usable(self.certificate):
            make_certificate(self.certificate, self.directory / "private_key.pem")
        password = self._password()
        self._set_password(password)
        if is_new:
            configuration = loading.load(self.configuration)
            # Some of them are there where a first start was cut short.
            for message in messages(ACCOUNT)[self.message_count() :]:
                assembly.deliver(configuration, ACCOUNT, BytesIO(message))
            self._keep_password(password)
        return password

    def message_count(self) -> int:
        """Return how many messages wait."""
        return assembly.listing(loading.load(self.configuration), ACCOUNT).count

    def _claim(self) -> bool:
        """Take the folder; True: there was no demo in it, or none that was made to its end."""
        self.directory.mkdir(parents=True, exist_ok=True)
        is_empty = all(file.name == _LOCK for file in self.directory.iterdir())
        if not (is_empty or self._is_demo()):
            raise CommandFailed(
                CANNOT_CREATE,
                f"{self.directory} holds something else: choose another --directory",
            )
        if not self._lock() or self._is_served():
            raise CommandFailed(UNAVAILABLE, f"a server is already running in {self.directory}")
        return not self._password_file.exists()

    def _lock(self) -> bool:
        """Keep other demos out for as long as this process lives; False: there is one."""
        # Never closed; the processes that are forked from this one do not have the lock.
        descriptor = os.open(self.directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        return True

    def _is_served(self) -> bool:
        """Say whether a server runs on the configuration, by whatever command."""
        if not self.configuration.exists():
            return False
        try:
            assembly.control(self.configuration).request("who")
        except ControlError:
            return False
        return True

    def _is_demo(self) -> bool:
        try:
            return self.configuration.read_text().startswith(_MARK)
        except (OSError, UnicodeDecodeError):
            return False

    def _ports(self) -> tuple[int, int]:
        """Return the ports of last time where they are free, else others."""
        try:
            listeners = loading.load(self.configuration).server.listeners
            wanted = [int(listener.address.rpartition(":")[2]) for listener in listeners]
        except ConfigurationError:
            wanted = [0, 0]
        pop3, pop3s = _free_ports(wanted)
        return pop3, pop3s

    @property
    def _password_file(self) -> Path:
        return self.directory / "password"

    def _password(self) -> str:
        if self._password_file.exists():
            return self._password_file.read_text().strip()
        return "".join(secrets.choice(_LETTERS) for _ in range(_PASSWORD_LETTERS))

    def _keep_password(self, password: str) -> None:
        """Write it down, which is the last thing that a first start does."""
        descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password + "\n")

    def _set_password(self, password: str) -> None:
        """Let the account have this password, whatever it had: the one that is shown works."""
        secret = Secret(password.encode())
        with closing(assembly.accounts(loading.load(self.configuration))) as accounts:
            if any(account.name == ACCOUNT for account in accounts.list()):
                accounts.set_password(ACCOUNT, secret)
            else:
                accounts.add(ACCOUNT, secret)


def _free_ports(wanted: list[int]) -> list[int]:
    """Return these ports, each replaced where somebody else has it."""
    sockets = []
    try:
        for port in wanted:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((HOST, port))
            except OSError:
                sock.bind((HOST, 0))
        return [int(sock.getsockname()[1]) for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()

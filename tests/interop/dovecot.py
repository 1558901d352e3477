"""A Dovecot of the tests' own, serving copies of Maildirs: what another server makes of them."""

import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from interop.service import MAIL_USER

NAME = "reader"
PASSWORD = "secret"
READY_SECONDS = 30.0
STOP_SECONDS = 20.0

CONFIGURATION = """\
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/log
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={directory}/%u
}}
first_valid_uid = {uid}
last_valid_uid = {uid}
first_valid_gid = {gid}
mail_location = maildir:~/Maildir
pop3_no_flag_updates = yes
service pop3-login {{
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""


class Dovecot:
    """One Dovecot with one user, from its start to its end."""

    def __init__(self, directory: Path) -> None:
        owner = pwd.getpwnam(MAIL_USER)
        self._directory = directory
        self._log = directory / "log"
        self._configuration = directory / "dovecot.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.maildir = directory / NAME / "Maildir"
        self._configuration.write_text(
            CONFIGURATION.format(
                directory=directory,
                password=PASSWORD,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                port=self.port,
            )
        )

    def copy(self, maildir: Path) -> None:
        """Take a copy of a Maildir, without what another server keeps there."""
        ignored = shutil.ignore_patterns("restante*", ".restante*")
        shutil.copytree(maildir, self.maildir, ignore=ignored)
        for path in (self.maildir.parent, self.maildir, *self.maildir.rglob("*")):
            shutil.chown(path, MAIL_USER)

    def __enter__(self) -> "Dovecot":
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            ["dovecot", "-F", "-c", str(self._configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self._end()
                raise AssertionError(f"Dovecot does not answer:\n{self.log()}")
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

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                return connection.recv(3) == b"+OK"
        except OSError:
            return False

    def _end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])

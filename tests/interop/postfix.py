"""A Postfix of the tests' own: its virtual agent delivers into Maildirs as their owner.

Everything it has lies below one folder: configuration, queue, data, log. It listens on loopback
alone, knows one domain, and hands nothing to anybody else.
"""

import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from interop.service import MAIL_USER

DOMAIN = "mail.example.org"
READY_SECONDS = 30.0
STOP_SECONDS = 20.0

SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n - 0   cleanup
qmgr      unix n - n 1 1   qmgr
rewrite   unix - - n - -   trivial-rewrite
bounce    unix - - n - 0   bounce
defer     unix - - n - 0   bounce
trace     unix - - n - 0   bounce
error     unix - - n - -   error
retry     unix - - n - -   error
virtual   unix - n n - -   virtual
anvil     unix - - n - 1   anvil
proxymap  unix - - n - -   proxymap
postlog   unix-dgram n - n - 1 postlogd
"""

SETTINGS = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/log/mail.log
maillog_file_prefixes = {directory}/log
myhostname = relay.example.org
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
alias_maps =
alias_database =
local_recipient_maps =
default_transport = error
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {mail}
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_mailbox_limit = 0
virtual_destination_concurrency_limit = 8
virtual_destination_recipient_limit = 1
message_size_limit = 0
"""


class Postfix:
    """One Postfix, from its start to its end."""

    def __init__(self, directory: Path, mail: Path, users: list[str]) -> None:
        self._directory = directory
        self._configuration = directory / "etc"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        owner = pwd.getpwnam(MAIL_USER)
        for folder in ("etc", "queue", "log", "data"):
            (directory / folder).mkdir(parents=True)
        shutil.chown(directory / "data", "postfix")
        values = {
            "directory": directory,
            "domain": DOMAIN,
            "mail": mail,
            # A path that ends in a slash is a Maildir.
            "mailboxes": ", ".join(f"{{ {user}@{DOMAIN} = {user}/ }}" for user in users),
            "uid": owner.pw_uid,
            "gid": owner.pw_gid,
        }
        (self._configuration / "main.cf").write_text(SETTINGS.format(**values))
        (self._configuration / "master.cf").write_text(SERVICES.format(port=self.port))

    def __enter__(self) -> "Postfix":
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            ["postfix", "-c", str(self._configuration), "start-fg"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
        )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self._end()
                raise AssertionError(f"Postfix does not answer:\n{self.log()}")
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

    def send(self, messages: list[bytes], user: str) -> None:
        """Hand messages in over SMTP, all in one session."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as session:
            for message in messages:
                session.sendmail("sender@example.org", [f"{user}@{DOMAIN}"], message)

    def log(self) -> str:
        """Return all it has logged."""
        file = self._directory / "log" / "mail.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def _answers(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=5) as session:
                return session.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def _end(self) -> None:
        assert self._process is not None
        pid = self._directory / "queue" / "pid" / "master.pid"
        if pid.exists() and self._process.poll() is None:
            # The master is its script's child; its own children end with it.
            os.kill(int(pid.read_text()), signal.SIGTERM)
        else:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])

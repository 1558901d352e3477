"""A Postfix of the tests' own: its virtual agent delivers into Maildirs as their owner.

Everything it has lies below one folder: configuration, queue, data, log. It listens on loopback
alone, knows one domain, and hands nothing to anybody else.
"""

import os
import pwd
import shutil
import signal
import smtplib
import subprocess
from pathlib import Path

from interop.daemon import Daemon
from interop.service import MAIL_USER

DOMAIN = "mail.example.org"

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


class Postfix(Daemon):
    """One Postfix, from its start to its end."""

    def __init__(self, directory: Path, mail: Path, users: list[str]) -> None:
        configuration = directory / "etc"
        log = directory / "log" / "mail.log"
        super().__init__("postfix", "-c", configuration, "start-fg", log=log)
        self._master = directory / "queue" / "pid" / "master.pid"
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
        (configuration / "main.cf").write_text(SETTINGS.format(**values))
        (configuration / "master.cf").write_text(SERVICES.format(port=self.port))

    def send(self, messages: list[bytes], user: str) -> None:
        """Hand messages in over SMTP, all in one session."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as session:
            for message in messages:
                session.sendmail("sender@example.org", [f"{user}@{DOMAIN}"], message)

    def answers(self) -> bool:
        """Say whether it takes commands."""
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=5) as session:
                return session.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def terminate(self, process: "subprocess.Popen[bytes]") -> None:
        """End the master, which is its script's child; its own children end with it."""
        if self._master.exists() and process.poll() is None:
            os.kill(int(self._master.read_text()), signal.SIGTERM)
        else:
            process.terminate()

"""A Dovecot of the tests' own, serving copies of Maildirs: what another server makes of them."""

import pwd
import shutil
from pathlib import Path

from interop.daemon import Daemon, free_port, greets
from interop.service import MAIL_USER

NAME = "reader"
PASSWORD = "secret"

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

LMTP = """\
postmaster_address = postmaster@example.org
hostname = relay.example.org
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
  unix_listener lmtp {{
    mode = 0666
  }}
}}
"""


class Dovecot(Daemon):
    """One Dovecot with one user, from its start to its end."""

    def __init__(self, directory: Path) -> None:
        owner = pwd.getpwnam(MAIL_USER)
        configuration = directory / "dovecot.conf"
        super().__init__("dovecot", "-F", "-c", configuration, log=directory / "log")
        self.maildir = directory / NAME / "Maildir"
        configuration.write_text(
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

    def answers(self) -> bool:
        """Say whether it greets."""
        return greets(self.port)


class DovecotLmtp(Dovecot):
    """One that takes mail as well, by LMTP at a port and at a UNIX socket."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.lmtp_port = free_port()
        self.lmtp_socket = directory / "run" / "lmtp"
        configuration = directory / "dovecot.conf"
        written = configuration.read_text().replace("protocols = pop3", "protocols = pop3 lmtp")
        configuration.write_text(written + LMTP.format(port=self.lmtp_port))
        for part in ("new", "cur", "tmp"):
            (self.maildir / part).mkdir(parents=True)
        for path in (self.maildir.parent, self.maildir, *self.maildir.iterdir()):
            shutil.chown(path, MAIL_USER)

    @property
    def remaining(self) -> int:
        """Return how many messages the Maildir holds."""
        return sum(len(list((self.maildir / part).iterdir())) for part in ("new", "cur"))

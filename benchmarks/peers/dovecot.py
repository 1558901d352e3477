"""Dovecot as Debian ships it, tuned as its documentation says for high performance.

Each setting that departs from the default stands below with its reason. Where the documentation
offers a choice, the faster for these works was taken; docs/reference/benchmarks.md says what was
tried.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.peer import MAIL_USER, Peer

CONFIGURATION = """\
base_dir = {directory}/run
log_path = {directory}/log
protocols = pop3
listen = 127.0.0.1
login_greeting = POP3 server ready

# The certificate is the same for both; nobody resumes.
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{private_key}
ssl_min_protocol = TLSv1.2
ssl_options = no_ticket

# Authentication: cached, without the delay of a failure, users found without another look-up.
disable_plaintext_auth = no
auth_mechanisms = plain scram-sha-256
auth_failure_delay = 0
auth_cache_size = 64M
auth_cache_ttl = 24 hours
passdb {{
  driver = passwd-file
  args = username_format=%u {users}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={mail}/%u
}}
first_valid_uid = {uid}
last_valid_uid = {uid}
first_valid_gid = {gid}
mail_location = maildir:~/Maildir

# POP3: no lock unless asked, sizes as fast as they can be had, flags left alone.
pop3_lock_session = {lock}
pop3_fast_size_lookups = yes
pop3_no_flag_updates = yes
mail_max_userip_connections = 0
maildir_very_dirty_syncs = {dirty}
{statistics}

default_process_limit = 1000
default_client_limit = 20000
default_vsz_limit = 4G

# Login processes in the documentation's high-performance mode.
service pop3-login {{
  service_count = 0
  process_min_avail = {cores}
  client_limit = 10500
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = yes
  }}
}}
service pop3 {{
  service_count = {service_count}
  client_limit = {client_limit}
  process_min_avail = {process_min_avail}
  process_limit = 1000
}}
"""


@dataclass(frozen=True, slots=True)
class DovecotTuning:
    """The choices that its documentation leaves to measurement."""

    service_count: int = 0
    client_limit: int = 1000
    process_min_avail: int = os.cpu_count() or 1
    lock: bool = False
    dirty_syncs: bool = True
    statistics: bool = False


class DovecotPeer(Peer):
    """A Dovecot with a configuration, a run directory and Maildirs of its own."""

    label = "Dovecot"

    def __init__(
        self,
        name: str,
        directory: Path,
        certificate: Path,
        private_key: Path,
        tuning: DovecotTuning | None = None,
    ) -> None:
        super().__init__(name, directory, certificate, private_key)
        self.tuning = tuning or DovecotTuning()

    def configure(self) -> None:
        """Write dovecot.conf."""
        tuning = self.tuning
        text = CONFIGURATION.format(
            directory=self.directory,
            mail=self.mail,
            users=self.users,
            certificate=self.certificate,
            private_key=self.private_key,
            uid=pwd.getpwnam(MAIL_USER).pw_uid,
            gid=pwd.getpwnam(MAIL_USER).pw_gid,
            port=self.port,
            tls_port=self.tls_port,
            cores=os.cpu_count() or 1,
            lock="yes" if tuning.lock else "no",
            dirty="yes" if tuning.dirty_syncs else "no",
            statistics="" if tuning.statistics else "stats_writer_socket_path =",
            service_count=tuning.service_count,
            client_limit=tuning.client_limit,
            process_min_avail=tuning.process_min_avail,
        )
        (self.directory / "dovecot.conf").write_text(text)

    def command(self) -> list[str]:
        """Return the command that runs Dovecot's master in the foreground."""
        return ["dovecot", "-F", "-c", str(self.directory / "dovecot.conf")]

    def version(self) -> str:
        """Return Dovecot's version and Debian's."""
        told = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True)
        package = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", "dovecot-pop3d"],
            capture_output=True,
            text=True,
            check=False,
        )
        return f"Dovecot {told.stdout.strip()} (Debian {package.stdout.strip()})"

    def reset_indexes(self, user: str) -> None:
        """Remove the index and uidlist files from a Maildir."""
        for path in self.maildir(user).glob("dovecot*"):
            path.unlink()

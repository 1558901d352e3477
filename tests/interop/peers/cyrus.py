"""Cyrus' pop3d, with its imapd beside it as the door through which mail comes in unchanged."""

import imaplib
import os
from pathlib import Path

from interop.daemon import free_port
from interop.peers.room import CERTIFICATE, PRIVATE_KEY, Room
from restante.examine.outcome import NotTried
from restante.examine.target import Account, Endpoint, Target, Tls

CYRUS = 21001
MAIL = 8
IMAP_SECONDS = 20.0

SERVICES = """\
START {{
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -r"
}}
SERVICES {{
  imap cmd="imapd -U 100000" listen="127.0.0.1:{imap}" prefork=1 maxchild=1
  pop3 cmd="pop3d" listen="127.0.0.1:{port}" prefork=1
  strict cmd="pop3d" listen="127.0.0.1:{strict}"
  pop3s cmd="pop3d -s" listen="127.0.0.1:{implicit}"
}}
EVENTS {{
}}
"""
SETTINGS = f"""\
configdirectory: /var/lib/cyrus
partition-default: /var/spool/cyrus
sievedir: /var/lib/cyrus/sieve
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
altnamespace: no
unixhierarchysep: no
autocreate_quota: 0
popminpoll: 0
failedloginpause: 0
allowplaintext: yes
strict_allowplaintext: no
allowapop: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /var/lib/cyrus/sasldb2
sasl_mech_list: PLAIN CRAM-MD5
tls_server_cert: /etc/{CERTIFICATE}
tls_server_key: /etc/{PRIVATE_KEY}
syslog_prefix: cyrus
"""


class Cyrus(Room):
    """A Cyrus whose accounts are in a sasldb."""

    name = "Cyrus"
    package = "cyrus-pop3d"
    has_passwords = True
    serves = (
        "its own store, filled by IMAP APPEND; accounts in a sasldb; `popminpoll: 0`,"
        " `failedloginpause: 0`, `allowapop: yes`, `sasl_mech_list: PLAIN CRAM-MD5`; a port with"
        " `allowplaintext: no`; one with `pop3d -s`"
    )
    users = f"cyrus:x:{CYRUS}:{MAIL}::/var/spool/cyrus:/bin/sh\n"
    groups = "sasl:x:45:cyrus\n"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.certify()
        self.imap, self.strict, self.implicit = free_port(), free_port(), free_port()
        ports = {name: getattr(self, name) for name in ("imap", "port", "strict", "implicit")}
        self.write("etc/cyrus.conf", SERVICES.format(**ports))
        self.write("etc/imapd.conf", SETTINGS)
        for name in ("lib/cyrus", "spool/cyrus", "run/cyrus"):
            (directory / name).mkdir()
            os.chown(directory / name, CYRUS, MAIL)
        os.chown(directory / f"etc/{PRIVATE_KEY}", CYRUS, MAIL)
        self.plan.before.append(["/usr/sbin/cyrus", "makedirs"])
        self.plan.run.append(
            ["/usr/sbin/cyrmaster", "-C", "/etc/imapd.conf", "-M", "/etc/cyrus.conf", "-l", "64"]
        )

    def add(self, account: Account) -> None:
        """Write the password into the sasldb."""
        words = ["saslpasswd2", "-p", "-c", "-f", "/var/lib/cyrus/sasldb2", account.name]
        self.enter(*words, stdin=account.password.encode())
        os.chown(self.directory / "lib/cyrus/sasldb2", CYRUS, MAIL)
        # Two processes may give two mailboxes one and the same place: all are made by one imapd.
        self._session(account).logout()

    def put(self, account: Account, octets: bytes) -> None:
        """Append to the INBOX."""
        session = self._session(account)
        lines = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        done, said = session.append("INBOX", "", "", lines)
        session.logout()
        if done != "OK":
            raise NotTried(f"the store refuses this message: {said[0]!a}")

    def _session(self, account: Account) -> imaplib.IMAP4:
        """Log in to the imapd, which makes the INBOX of a new account."""
        session = imaplib.IMAP4("127.0.0.1", self.imap, timeout=IMAP_SECONDS)
        message = f"\0{account.name}\0{account.password}".encode()
        session.authenticate("PLAIN", lambda challenge: message)
        return session

    def target(self) -> Target:
        """Return it as the judge wants it."""
        return self.offered(
            Endpoint("127.0.0.1", self.port, Tls.STLS, cleartext=True),
            Endpoint("127.0.0.1", self.strict, Tls.STLS, cleartext=False),
            Endpoint("127.0.0.1", self.implicit, Tls.IMPLICIT, cleartext=True),
        )

"""Twisted's POP3 classes over files, in a server of a few lines (`twisted_server.py`)."""

import itertools
from pathlib import Path

from interop.daemon import free_port
from interop.peers.room import CERTIFICATE, NO_STLS, Room
from interop.peers.users import append
from restante.examine.target import Account, Endpoint, Target, Tls

SERVER = Path(__file__).with_name("twisted_server.py")


class Twisted(Room):
    """A Twisted with a file of its own for names and passwords."""

    name = "Twisted"
    lacks = NO_STLS
    package = "python3-twisted"
    has_passwords = True
    patience_seconds = 3.0  # It answers within milliseconds, or never.
    serves = (
        "`twisted.mail.pop3.POP3` with PASS, APOP and CRAM-MD5; the mailbox, files and a lock, is"
        " the tests' own, because `twisted.mail.maildir.MaildirMailbox` raises a TypeError under"
        " Python 3 at RETR, TOP and UIDL; a port under TLS"
    )

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.tls_port = free_port()
        self._serial = itertools.count(1)
        self.passwords = self.write("lib/users", "")
        script = self.write("lib/server.py", SERVER.read_text())
        self.certify(joined=True)
        ports = [str(self.port), str(self.tls_port)]
        words = [
            "/usr/bin/python3",
            script.name,
            "users",
            "/var/lib/mail",
            f"/etc/{CERTIFICATE}",
            *ports,
        ]
        self.plan.run.append(["/bin/sh", "-c", 'cd /var/lib && exec "$@"', "sh", *words])

    def add(self, account: Account) -> None:
        """Make an account with an empty mailbox."""
        (self.directory / "lib/mail" / account.name).mkdir(parents=True)
        append(self.passwords, f"{account.name}:{account.password}\n")

    def put(self, account: Account, octets: bytes) -> None:
        """Add a file."""
        folder = self.directory / "lib/mail" / account.name
        (folder / f"{next(self._serial):06}").write_bytes(octets)

    def target(self) -> Target:
        """Return it as the judge wants it."""
        return self.offered(
            Endpoint("127.0.0.1", self.port, Tls.NONE, cleartext=True),
            Endpoint("127.0.0.1", self.tls_port, Tls.IMPLICIT, cleartext=True),
        )

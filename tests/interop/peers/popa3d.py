"""popa3d over mbox files, called for every client as inetd does."""

import os
from pathlib import Path

from interop.peers.mailstores import UID, as_mbox
from interop.peers.room import NO_TLS, PAM
from interop.peers.users import SystemUsers
from restante.examine.target import Account, Endpoint, Target, Tls


class Popa3d(SystemUsers):
    """A popa3d for users of its room."""

    name = "popa3d"
    package = "popa3d"
    serves = "mbox files; users of the system by PAM; called for each client (inetd)"
    lacks = NO_TLS
    users = "popa3d:x:21001:21001::/var/lib/popa3d:/usr/sbin/nologin\n"
    groups = "popa3d:x:21001:\n"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.write("etc/pam.d/popa3d", PAM)
        (directory / "lib/popa3d").mkdir()
        self.plan.answer[self.port] = ["/usr/sbin/popa3d"]

    def add(self, account: Account) -> None:
        """Add the user and an empty mbox."""
        super().add(account)
        mbox = self.write(f"mail/{account.name}", "")
        mbox.chmod(0o600)
        os.chown(mbox, UID, 8)

    def put(self, account: Account, octets: bytes) -> None:
        """Append to the mbox."""
        stored = as_mbox(octets)
        with (self.directory / "mail" / account.name).open("ab") as mbox:
            mbox.write(stored)

    def target(self) -> Target:
        """Return it as the judge wants it."""
        return self.offered(Endpoint("127.0.0.1", self.port, Tls.NONE, cleartext=True))

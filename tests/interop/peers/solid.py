"""solid-pop3d over Maildirs, called for every client as inetd does."""

from pathlib import Path

from interop.peers.room import NO_TLS, PAM
from interop.peers.users import SystemUsers
from restante.examine.target import Endpoint, Target, Tls

CONFIGURATION = """\
<Global>
    MailDropName "Maildir"
    MailDropType maildir
    AllowAPOP no
    AutoLogoutTime 600
    UserOverride no
    WrongCommandsLimit 0
</Global>
"""


class SolidPop3d(SystemUsers):
    """A solid-pop3d for users of its room."""

    name = "solid-pop3d"
    lacks = NO_TLS
    package = "solid-pop3d"
    serves = "Maildirs; users of the system by PAM; called for each client (inetd)"
    # Seldom, on a busy machine, it does not answer a login that comes octet by octet.
    unsteady: tuple[str, ...] = ("1939-S-09/*",)
    users = "spop3d:x:21001:8::/var/lib/solid-pop3d:/usr/sbin/nologin\n"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.write("etc/spop3d.conf", CONFIGURATION)
        self.write("etc/pam.d/solid-pop3d", PAM)
        (directory / "lib/solid-pop3d/bulletins").mkdir(parents=True)
        self.plan.answer[self.port] = ["/usr/sbin/solid-pop3d"]

    def target(self) -> Target:
        """Return it as the judge wants it."""
        return self.offered(Endpoint("127.0.0.1", self.port, Tls.NONE, cleartext=True))

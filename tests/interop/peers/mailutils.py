"""GNU Mailutils' pop3d over Maildirs, in the foreground."""

from pathlib import Path

from interop.daemon import free_port
from interop.peers.room import CERTIFICATE, PRIVATE_KEY
from interop.peers.users import SystemUsers
from restante.examine.target import Endpoint, Target, Tls

CONFIGURATION = """\
mode daemon;
foreground yes;
max-children 64;
timeout 600;
logging {{ syslog no; }};
auth {{ authentication generic:system; authorization system; }};
mailbox {{ mailbox-pattern "maildir:///var/lib/homes/${{user}}/Maildir"; }};
tls {{ ssl-certificate-file /etc/{certificate}; ssl-key-file /etc/{key}; }};
tls-file-checks {{ key-file none; cert-file none; }};
tcp-wrappers {{ enable no; }};
server 127.0.0.1:{port} {{ tls-mode ondemand; }};
server 127.0.0.1:{strict} {{ tls-mode required; }};
server 127.0.0.1:{implicit} {{ tls-mode connection; }};
"""


class Mailutils(SystemUsers):
    """A mailutils pop3d for users of its room."""

    name = "GNU Mailutils"
    package = "mailutils-pop3d"
    shares_mail = False  # It writes X-UIDL into what it shows.
    serves = "Maildirs; users of the system by /etc/shadow; tls-mode ondemand, required, connection"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.certify()
        self.strict, self.implicit = free_port(), free_port()
        configuration = CONFIGURATION.format(
            certificate=CERTIFICATE,
            key=PRIVATE_KEY,
            port=self.port,
            strict=self.strict,
            implicit=self.implicit,
        )
        locks = directory / "run/lock/subsys/mail"
        locks.mkdir(parents=True)
        locks.chmod(0o1777)
        self.write("etc/pop3d.conf", configuration)
        self.plan.run.append(["/usr/sbin/pop3d", "--config-file=/etc/pop3d.conf"])

    def target(self) -> Target:
        """Return it as the judge wants it."""
        return self.offered(
            Endpoint("127.0.0.1", self.port, Tls.STLS, cleartext=True),
            Endpoint("127.0.0.1", self.strict, Tls.STLS, cleartext=False),
            Endpoint("127.0.0.1", self.implicit, Tls.IMPLICIT, cleartext=True),
        )

"""Courier's POP3 server over Maildirs: its authdaemond, and couriertcpd for each kind of port."""

from pathlib import Path

from interop.daemon import free_port
from interop.peers.room import CERTIFICATE, PAM
from interop.peers.users import SystemUsers
from restante.examine.target import Endpoint, Target, Tls

LOGIN = "/usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir"
TCPD = "exec /usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=64 -maxperip=64 $TCPDOPTS"
SETTINGS = (
    "set -a; prefix=/usr; exec_prefix=/usr; sbindir=/usr/sbin; bindir=/usr/bin;"
    " libexecdir=/usr/lib/courier; . /etc/courier/pop3d; . /etc/courier/pop3d-ssl;"
    f" TLS_CERTFILE=/etc/{CERTIFICATE}; TLS_CACHEFILE=; POP3AUTH='PLAIN LOGIN';"
    " POP3AUTH_TLS='PLAIN LOGIN';"
)
AUTHDAEMON = (
    "set -a; . /etc/courier/authdaemonrc; exec /usr/lib/courier/courier-authlib/authdaemond"
)


class Courier(SystemUsers):
    """A Courier for users of its room."""

    name = "Courier"
    package = "courier-pop"
    serves = (
        "Maildirs; users of the system by authdaemond and PAM; `POP3AUTH='PLAIN LOGIN'`; a port"
        " with `POP3_TLS_REQUIRED=1` and `POP3AUTH=`; one behind couriertls"
    )
    # Octets behind STLS go to the server or to its TLS process, whichever reads them first; those
    # of a login octet by octet to the program for logins or to the one that comes behind it.
    unsteady: tuple[str, ...] = ("2595-S-09/*", "1939-S-09/*")
    users = "courier:x:21001:21001::/var/lib/courier:/usr/sbin/nologin\n"
    groups = "courier:x:21001:\n"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.certify(joined=True)
        self.strict, self.implicit = free_port(), free_port()
        self.write("etc/pam.d/pop3", PAM)
        (directory / "run/courier/authdaemon").mkdir(parents=True)
        (directory / "lib/courier").mkdir()
        implicit = "POP3_TLS=1; POP3_STARTTLS=NO; POP3_TLS_REQUIRED=0;"
        tls = "/usr/bin/couriertls -server -tcpd -user=courier"
        self._shell(AUTHDAEMON)
        self._shell(f"{SETTINGS} {TCPD} {self.port} {LOGIN}")
        self._shell(f"{SETTINGS} POP3_TLS_REQUIRED=1; POP3AUTH=; {TCPD} {self.strict} {LOGIN}")
        self._shell(f"{SETTINGS} {implicit} {TCPD} {self.implicit} {tls} {LOGIN}")

    def _shell(self, script: str) -> None:
        self.plan.run.append(["/bin/sh", "-c", script])

    def target(self) -> Target:
        """Return it as the judge wants it."""
        return self.offered(
            Endpoint("127.0.0.1", self.port, Tls.STLS, cleartext=True),
            Endpoint("127.0.0.1", self.strict, Tls.STLS, cleartext=False),
            Endpoint("127.0.0.1", self.implicit, Tls.IMPLICIT, cleartext=True),
        )

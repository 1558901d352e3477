"""A room: where a peer runs as its packages want it, and the machine sees nothing of it.

Peers expect fixed paths, users of their own and a machine that belongs to them, and their packages
exclude each other. So each is unpacked, not installed, and runs in mount, process and host-name
namespaces of its own (`inside.py` is the first process there): its packages lie over `/usr` and
`/etc`, its data and its list of users below one temporary folder. Everything in a room ends with
it.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import trustme

from interop.daemon import Daemon, greets
from interop.peers.accounts import PeerAccounts
from interop.peers.mailstores import UID
from restante.examine.case import Trait
from restante.examine.outcome import NotTried
from restante.examine.target import Account, ClientCertificate, Endpoint, Target

PACKAGES = Path(os.environ.get("RESTANTE_PEERS") or Path(__file__).parents[3] / ".peers")
"""Where packaging/peer-packages.sh unpacks; a folder for each peer."""
HOSTNAME = "peer.example.org"
INSIDE = Path(__file__).with_name("inside.py")
UNSHARE = ("unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc")
READER = "reader"
"""The user of the room that all mail belongs to."""
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

CERTIFICATE = "interop/certificate.pem"
"""Below /etc, the certificate; with the private key in one file where a peer wants that."""
PRIVATE_KEY = "interop/key.pem"
ENTER_SECONDS = 20.0
PAM = "auth required pam_unix.so nodelay\naccount required pam_unix.so\n"
"""A service of PAM's that asks the room's own lists."""
PATIENCE_SECONDS = 8.0
"""How long the judge waits for a peer: some rest for five seconds after a wrong password."""

NO_STLS = frozenset({Trait.STLS, Trait.STRICT})
NO_TLS = NO_STLS | {Trait.IMPLICIT, Trait.TLS}

PASSWD = f"""\
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
{READER}:x:{UID}:{UID}:reader:/var/lib/reader:/bin/sh
"""
GROUP = f"""\
root:x:0:
daemon:x:1:
mail:x:8:
shadow:x:42:
nogroup:x:65534:
{READER}:x:{UID}:
"""


@dataclass(slots=True)
class Plan:
    """What `inside.py` is told."""

    mounts: list[list[str]] = field(default_factory=list)
    """Arguments of mount(8), in order."""
    before: list[list[str]] = field(default_factory=list)
    """Commands that have to succeed first."""
    run: list[list[str]] = field(default_factory=list)
    """Daemons in the foreground; the room ends with the first of them that does."""
    answer: dict[int, list[str]] = field(default_factory=dict)
    """By port, a command to start for every client, as inetd(8) does."""
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH, "LC_ALL": "C"})


class Room(Daemon):
    """A peer in a room of its own below one folder, from its start to its end."""

    name = ""
    package = ""
    """The Debian package that serves, and the folder of PACKAGES with its programs."""
    serves = ""
    """What stands beside its verdicts: store, accounts, settings that are not the default."""
    patience_seconds = PATIENCE_SECONDS
    unsteady: tuple[str, ...] = ()
    """Patterns of the cases that come out otherwise from run to run."""
    has_passwords = False
    """Whether it has passwords as they are, and not only what tells a right one."""
    shares_mail = True
    """Whether a maildrop that was only read from is as it was."""
    lacks: frozenset[Trait] = frozenset()
    """What no port of it can do, however it is set up."""
    users = ""
    """Further lines for /etc/passwd."""
    groups = ""
    """Further lines for /etc/group."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.plan = Plan()
        super().__init__(log=directory / "log")
        for name in ("etc", "run", "lib", "spool", "mail"):
            (directory / name).mkdir(parents=True)
        (directory / "mail").chmod(0o1777)
        self.write("etc/passwd", PASSWD + self.users)
        self.write("etc/group", GROUP + self.groups)
        self.write("etc/shadow", "")
        self.write("etc/hosts", f"127.0.0.1 localhost {HOSTNAME}\n")
        self.write("etc/resolv.conf", "")
        self.write(
            "etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n"
        )
        self._furnish()

    def _furnish(self) -> None:
        usr, etc = ["/usr"], [str(self.directory / "etc"), "/etc"]
        unpacked = PACKAGES / self.package
        if (unpacked / "usr").is_dir():
            usr.insert(0, str(unpacked / "usr"))
        if (unpacked / "etc").is_dir():
            etc.insert(1, str(unpacked / "etc"))
        for target, layers in (("/usr", usr), ("/etc", etc)):
            if len(layers) > 1:
                lower = "lowerdir=" + ":".join(layers)
                self.plan.mounts.append(["-t", "overlay", "overlay", "-o", lower, target])
        for name in ("passwd", "shadow"):
            # Lines are added while the room is open, which a layer below is not made for.
            self._bind(f"etc/{name}", f"/etc/{name}")
        for name, target in (
            ("run", "/run"),
            ("lib", "/var/lib"),
            ("spool", "/var/spool"),
            ("mail", "/var/mail"),
        ):
            self._bind(name, target)

    def _bind(self, name: str, target: str) -> None:
        self.plan.mounts.append(["--bind", str(self.directory / name), target])

    def write(self, name: str, text: str) -> Path:
        """Write a file of the room, named from its folder."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def start(self) -> "subprocess.Popen[bytes]":
        """Open the room, which closes when its input does."""
        plan = json.dumps(asdict(self.plan) | {"hostname": HOSTNAME})
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*UNSHARE, sys.executable, "-I", str(INSIDE), plan],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )

    def enter(self, *words: str, stdin: bytes = b"") -> None:
        """Run a command in the room, which has to succeed."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        [inside] = children.read_text().split()
        subprocess.run(
            ["nsenter", f"--target={inside}", "--mount", "--uts", "--", *words],
            input=stdin,
            capture_output=True,
            timeout=ENTER_SECONDS,
            env=self.plan.environment,
            check=True,
        )

    def terminate(self, process: "subprocess.Popen[bytes]") -> None:
        """Close its input."""
        assert process.stdin is not None
        process.stdin.close()

    def certify(self, *, joined: bool = False) -> None:
        """Make a certificate and its key, in one file or in two."""
        issued = trustme.CA().issue_cert(HOSTNAME, "localhost", key_type=trustme.KeyType.ECDSA)
        chain = "".join(blob.bytes().decode() for blob in issued.cert_chain_pems)
        key = issued.private_key_pem.bytes().decode()
        self.write(f"etc/{CERTIFICATE}", key + chain if joined else chain)
        self.write(f"etc/{PRIVATE_KEY}", key)

    @classmethod
    def version(cls) -> str:
        """Return the version of its package, unpacked or installed."""
        unpacked = PACKAGES / cls.package / "version"
        if unpacked.exists():
            return unpacked.read_text().strip()
        asked = ["dpkg-query", "-W", "-f", "${Version}", cls.package]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
        return told.stdout.strip()

    @classmethod
    def is_there(cls) -> bool:
        """Say whether its package is."""
        return bool(cls.version())

    def add(self, account: Account) -> None:
        """Make an account with an empty mailbox."""
        raise NotImplementedError

    def token(self, name: str) -> str | None:
        """Return a bearer token of an account, where this server knows of any."""
        return None

    def put(self, account: Account, octets: bytes) -> None:
        """Put one message behind the others, or raise NotTried where the store cannot hold it."""
        raise NotImplementedError

    def certificate(self, account: Account) -> ClientCertificate:
        """Return a certificate of the account, or raise NotTried where there is none."""
        raise NotTried("the server is not set up to take client certificates")

    def target(self) -> Target:
        """Return it as the judge wants it."""
        raise NotImplementedError

    def offered(self, *endpoints: Endpoint) -> Target:
        """Return these ports, as the judge wants them, which are all that it can have."""
        accounts = PeerAccounts(self, shared=self.shares_mail)
        return Target(
            endpoints,
            accounts,
            self.patience_seconds,
            server_has_passwords=self.has_passwords,
            lacks=self.lacks,
        )

    def answers(self) -> bool:
        """Say whether it greets."""
        return greets(self.port)

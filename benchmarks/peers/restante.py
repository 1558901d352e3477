"""Restante as an operator would run it: everything switched on, limits wide enough for the load."""

import compileall
import os
import sys
from importlib.metadata import version
from pathlib import Path

import restante
from benchmarks.peers.peer import MAIL_USER, Peer

_CONFIGURATION = """\
hostname = "localhost"
state_directory = "{directory}/state"
workers = {workers}
user = "{user}"

[[listener]]
address = "127.0.0.1:{port}"
tls = "none"

[[listener]]
address = "127.0.0.1:{tls_port}"
tls = "implicit"

[tls]
certificate = "{certificate}"
private_key = "{private_key}"
session_tickets = false

[auth]
cleartext = "loopback"

[[auth.source]]
type = "passwd-file"
path = "{users}"
verifies = ["SCRAM-SHA-256"]


[mail]
store = "maildir"
path = "{mail}/{{local}}/Maildir"

[limits]
connections = 12000
connections_per_address = 12000
connections_per_network = 12000
before_login_per_address = 12000
"""


class RestantePeer(Peer):
    """A Restante with a configuration, a state directory and Maildirs of its own."""

    label = "Restante"

    def __init__(
        self,
        name: str,
        directory: Path,
        certificate: Path,
        private_key: Path,
        workers: int | None = None,
    ) -> None:
        super().__init__(name, directory, certificate, private_key)
        self._workers = workers or os.cpu_count() or 1

    def configure(self) -> None:
        """Write restante.toml."""
        text = _CONFIGURATION.format(
            directory=self.directory,
            workers=self._workers,
            user=MAIL_USER,
            port=self.port,
            tls_port=self.tls_port,
            certificate=self.certificate,
            private_key=self.private_key,
            users=self.users,
            mail=self.mail,
        )
        (self.directory / "restante.toml").write_text(text)

        # As every installer leaves it: no process has to compile what it imports.
        compileall.compile_dir(Path(restante.__file__).parent, quiet=1)

    def command(self) -> list[str]:
        """Return the command that runs the supervisor in the foreground."""
        script = Path(sys.executable).parent / "restante"
        return [str(script), "serve", "--config", str(self.directory / "restante.toml")]

    def version(self) -> str:
        """Return Restante's version."""
        return f"Restante {version('restante')}"

    def reset_indexes(self, user: str) -> None:
        """Remove the catalogue from a Maildir."""
        for path in self.maildir(user).glob("restante.catalogue*"):
            path.unlink()

"""The systemd units: systemd takes them, and what they allow is enough to serve."""

import configparser
import os
import poplib
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import serving
from conftest import require
from serving import ServerProcess

UNITS = Path(__file__).parents[2] / "packaging" / "systemd"
PROGRAM = "/opt/restante/bin/restante"
MAIL_USER, AUTH_USER = "nobody", "daemon"
"""On every Debian, and neither of them root."""


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """No key is misspelt, no value malformed, and the sockets find their service."""
    analyze = require("systemd-analyze")
    units = []
    for unit in sorted((*UNITS.glob("*.socket"), *UNITS.glob("*.service"))):
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace(PROGRAM, "/bin/true"))
        units.append(str(copy))
    assert len(units) == 3
    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_the_unit_is_hardened() -> None:
    """systemd's own judgement: an exposure below 3 of 10."""
    done = subprocess.run(
        [
            require("systemd-analyze"),
            "security",
            "--offline=yes",
            "--threshold=30",
            str(UNITS / "restante.service"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-100:]


def capabilities() -> str:
    """Return the bounding set of the unit as setpriv takes it."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(UNITS / "restante.service")
    names = unit["Service"]["CapabilityBoundingSet"].split()
    return ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in names)])


class UnitServer(ServerProcess):
    """A server whose processes become somebody else."""

    def write_configuration(self) -> None:
        """Write the configuration with the users named in it."""
        super().write_configuration()
        users = f'user = "{MAIL_USER}"\nauth_user = "{AUTH_USER}"\n'
        self.configuration.write_text(users + self.configuration.read_text())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")
def test_the_capabilities_of_the_unit_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice: the second start finds folders that belong to others already."""
    setpriv = [require("setpriv"), "--inh-caps=-all", f"--bounding-set={capabilities()}"]
    monkeypatch.setattr(serving, "RESTANTE", [*setpriv, *serving.RESTANTE])
    # Below /tmp itself: the folders of pytest are root's alone.
    with TemporaryDirectory(prefix="restante-") as folder:
        Path(folder).chmod(0o755)
        server = UnitServer(Path(folder) / "server")
        server.private_key.chmod(0o600)
        server.account("alice", "secret")
        for _ in range(2):
            with server:
                assert server.process is not None
                limits = Path(f"/proc/{server.process.pid}/limits").read_text()
                # It has read the private key, so it leaves no core either.
                assert re.search(r"Max core file size +0 +0 ", limits)
                maildrop = poplib.POP3_SSL(
                    "127.0.0.1", server.ports["implicit"], context=server.client_context()
                )
                maildrop.user("alice")
                assert maildrop.pass_("secret").startswith(b"+OK")
                maildrop.quit()

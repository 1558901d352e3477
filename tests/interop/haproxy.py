"""A HAProxy of the tests' own, which passes TCP on and says by PROXY headers whom it comes for."""

import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from interop.daemon import Daemon, free_port

from conftest import require

GLOBAL = """\
global
  stats socket {directory}/control level admin
  log {directory}/none local0
defaults
  mode tcp
  timeout connect 20s
  timeout client 120s
  timeout server 120s
  timeout check 20s
  unique-id-format %{{+X}}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
"""
CHECK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Way:
    """How connections go through a HAProxy."""

    server: str
    """What its `server` line says behind the address."""
    listener: str
    """The listener of the service behind it."""
    bind: str = ""
    """What its `bind` line says behind the address."""
    checks: tuple[str, ...] = ()
    """Lines that say what a health check does."""
    host: str = "127.0.0.1"


class Haproxy(Daemon):
    """One HAProxy with a frontend for each way, and behind all of them one service."""

    def __init__(self, directory: Path, ways: dict[str, Way], ports: dict[str, int]) -> None:
        configuration = directory / "haproxy.cfg"
        super().__init__(
            require("haproxy"), "-db", "-f", configuration, log=directory / "no-log-at-all"
        )
        self._control = directory / "control"
        self.ports = {name: free_port() for name in ways}
        self.names = {name: f"way{number}" for number, name in enumerate(ways)}
        sections = [GLOBAL.format(directory=directory)]
        for name, way in ways.items():
            sections += [
                f"listen {self.names[name]}",
                f"  bind {way.host}:{self.ports[name]} {way.bind}",
                *(f"  {line}" for line in way.checks),
                f"  server one 127.0.0.1:{ports[way.listener]} {way.server}",
            ]
        configuration.write_text("\n".join(sections) + "\n")

    def answers(self) -> bool:
        """Say whether it takes commands."""
        try:
            return "way0" in self.command("show stat")
        except OSError:
            return False

    def command(self, command: str) -> str:
        """Send a command to its control socket and return the answer."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(20)
            control.connect(str(self._control))
            control.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: control.recv(65_536), b"")).decode()

    def wait_for_checks(self, name: str) -> str:
        """Count a server as down until enough checks have found it up; return the last result."""
        self.command(f"set server {self.names[name]}/one health down")
        deadline = time.monotonic() + CHECK_SECONDS
        while not (found := re.search(rf"(?m)^{self.names[name]},one,.*,UP,.*", self.state())):
            assert time.monotonic() < deadline, self.state()
            time.sleep(0.05)
        return found[0].split(",")[36]

    def state(self) -> str:
        """Return what it thinks of the servers."""
        return self.command("show stat")

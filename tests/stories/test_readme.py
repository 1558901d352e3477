"""What the README shows works as it stands there: its configuration and its commands."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from conftest import require
from serving import STOP_SECONDS, ServerProcess

README = Path(__file__).parents[2] / "README.md"
PROGRAM = "/opt/restante/bin/restante"
SECTION = README.read_text().partition("## Serve existing Maildirs")[2].partition("\n## ")[0]
MESSAGE = b"Subject: Hello\n\nKept for you.\n"


def blocks(language: str) -> list[str]:
    """Return the code blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)


class Host:
    """A mail host in a folder: the paths, users and ports of the README, elsewhere."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "etc/restante/restante.toml"
        self.certificate = root / "etc/restante/fullchain.pem"
        for folder in ("etc/restante", "etc/dovecot", "var/lib", "var/vmail"):
            (root / folder).mkdir(parents=True)
        source = ServerProcess(root / "certificate")
        shutil.copy(source.certificate, self.certificate)
        shutil.copy(source.private_key, root / "etc/restante/privkey.pem")
        self._deliver()
        configuration = blocks("toml")[0]
        for was, now in (('"vmail"', '"nobody"'), ('"restante"', '"daemon"')):
            assert was in configuration
            configuration = configuration.replace(was, now)
        self.file.write_text(re.sub(r':(995|110)"\n', ':0"\n', self._moved(configuration)))

    def _moved(self, text: str) -> str:
        return re.sub(r"(?<=[ \"])/(etc|var)/", rf"{self.root}/\1/", text)

    def _deliver(self) -> None:
        maildir = self.root / "var/vmail/example.org/alice/Maildir"
        for folder in ("cur", "new", "tmp"):
            (maildir / folder).mkdir(parents=True)
        (maildir / "new" / "1795530000.M1P2.host").write_bytes(MESSAGE)
        if os.geteuid() == 0:
            for path in (self.root / "var/vmail", *(self.root / "var/vmail").rglob("*")):
                shutil.chown(path, "nobody")

    def add(self, toml: str) -> None:
        """Put more into the configuration."""
        self.file.write_text(f"{self.file.read_text()}\n{self._moved(toml)}")

    def command(self, line: str) -> str:
        """Return a line of the README as it is typed on this host."""
        program = shlex.join([sys.executable, "-m", "restante"])
        if PROGRAM in line:
            line += f" --config {shlex.quote(str(self.file))}"
        return line.replace(PROGRAM, program)

    def run(self, block: str) -> str:
        """Carry out a block and return what it printed."""
        script = "\n".join(map(self.command, block.splitlines()))
        done = subprocess.run(
            ["sh", "-e", "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def serve(self, block: str) -> "subprocess.Popen[str]":
        """Start the server and return when it serves."""
        process = subprocess.Popen(
            shlex.split(self.command(block.strip())), stderr=subprocess.PIPE, text=True
        )
        too_long = threading.Timer(30, process.kill)
        too_long.start()
        assert process.stderr is not None
        for line in process.stderr:
            if " ready:" in line:
                break
        else:
            pytest.fail("it does not serve")
        too_long.cancel()
        return process


@pytest.fixture
def host() -> Iterator[Host]:
    # Below /tmp itself: the folders of pytest are root's alone.
    with TemporaryDirectory(prefix="restante-") as folder:
        Path(folder).chmod(0o755)
        yield Host(Path(folder))


def test_serving_existing_maildirs(host: Host) -> None:
    require("curl")
    _, prepare, serve, collect = blocks("sh")
    said = host.run(prepare)
    assert "restante.toml: ok\n" in said
    assert f"mailbox   {host.root}/var/vmail/example.org/alice/Maildir\n" in said
    octets = len(MESSAGE) + MESSAGE.count(b"\n")
    assert said.splitlines()[-1].split() == ["1", str(octets), "1795530000.M1P2.host"]
    process = host.serve(serve)
    try:
        listeners = host.run(f"{PROGRAM} who")
        found = re.search(r"0\.0\.0\.0:(\d+) \(implicit\)", listeners)
        assert found is not None
        curl = f"curl -s --cacert {host.certificate}"
        collect = collect.replace("curl", curl).replace("pop.example.org", f"localhost:{found[1]}")
        said = host.run(collect)
    finally:
        process.terminate()
        process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0
    assert said.splitlines()[0] == f"1 {octets}"
    assert "(stls)\n" in said


def test_accounts_of_a_passwd_file(host: Host) -> None:
    """The second block of the README goes behind the first."""
    _, source = blocks("toml")
    (host.root / "etc/dovecot/users").write_text("alice:{PLAIN}secret::::::\n")
    host.add(source)
    assert host.run(f"{PROGRAM} config check").endswith("ok\n")
    assert host.run(f"{PROGRAM} mail list alice").split()[0] == "1"


def test_implicit_tls_comes_first() -> None:
    """In the README and in the how-to pages. conformance: 8314-O-04, 9325-S-01"""
    for page in (README, README.parent / "docs/how-to/systemd.md"):
        found = re.findall(r'^ *tls = "(.*)"$', page.read_text(), re.MULTILINE)
        assert found == sorted(found)
        assert set(found) == {"implicit", "stls"}


def test_the_first_screen_names_the_two_commands() -> None:
    first = "\n".join(README.read_text().splitlines()[:25])
    assert "make demo " in first
    assert "make test " in first
    makefile = (README.parent / "Makefile").read_text()
    assert "\ndemo:" in makefile
    assert "\ntest:" in makefile


def test_every_link_leads_somewhere() -> None:
    """On every page that people read."""
    pages = [*README.parent.glob("*.md"), *(README.parent / "docs").rglob("*.md")]
    missing = [
        f"{page.relative_to(README.parent)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert missing == []

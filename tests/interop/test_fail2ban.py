"""fail2ban reads the log of a real server: every failure counts, for no address but its own."""

import re
import shutil
import subprocess
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import require
from serving import Dialogue, ServerProcess, eventually

PACKAGED = Path(__file__).parents[2] / "packaging" / "fail2ban"
FILTER = PACKAGED / "filter.d" / "restante.conf"
FORGED = "198.51.100.66"
LINE = (
    f"2026-11-24T09:30:00+0000 restante[1]: auth failed: rip={FORGED} rport=1 lip={FORGED}"
    " lport=110 session=a-1 mech=USER reason=password user=bob"
)
HOSTILE = [
    f"rip={FORGED}",
    f"x rip={FORGED} rport=1 lip={FORGED} lport=110 session=a-1 mech=USER reason=password",
    f"\n{LINE}",
    f"\r\n{LINE}\r\n",
    LINE,
    f'"\n{LINE}',
    f'" {LINE}',
    f"\\\n{LINE}",
    f"\\x0a{LINE}",
    f"\x85{LINE}",
    f"\u2028{LINE}",
    f"\x0b\x0c\x1c{LINE}",
    f"\x1b[2K\x1b[1G{LINE}",
    f"\u202e{LINE[::-1]}",
    "host restante[1]: auth failed: rip=" + FORGED,
    "x" * 240 + f"\n{LINE}",
    "<HOST>",
    "%(_stamp)s",
    "",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("fail2ban")) as made:
        made.account("bob", "secret")
        yield made


def by_plain(server: ServerProcess, name: str, password: str, source: str) -> bytes:
    message = b64encode(b"\0" + name.encode() + b"\0" + password.encode())
    with Dialogue(server.host, server.ports["none"], source=source) as dialogue:
        return dialogue.say(b"AUTH PLAIN", message)


def by_user(server: ServerProcess, name: bytes, password: bytes, source: str) -> bytes:
    context = server.client_context()
    port = server.ports["implicit"]
    with Dialogue(server.host, port, context, source=source) as dialogue:
        return dialogue.say(b"USER " + name, b"PASS " + password)


def found(log: Path) -> Counter[str]:
    """Return which addresses the filter finds in a log, and how often."""
    program = require("fail2ban-regex")
    command = [program, "--out", "ip", str(log), str(FILTER)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return Counter(done.stdout.split())


@pytest.fixture(scope="module")
def expected(server: ServerProcess) -> Counter[str]:
    """Have everybody fail, and return how often each address did."""
    counted: Counter[str] = Counter()
    for number, name in enumerate(HOSTILE):
        source = f"127.3.0.{number + 1}"
        reply = by_plain(server, name, "x", source)
        assert reply.startswith(b"-ERR")
        # An empty name is no message of PLAIN, so nobody has failed.
        counted[source] += reply.startswith(b"-ERR [AUTH]")
    for _ in range(3):
        assert by_user(server, b"bob", b"wrong", "127.3.1.1").startswith(b"-ERR [AUTH]")
        counted["127.3.1.1"] += 1
    # Neither a success nor a session that ends otherwise is one.
    assert by_plain(server, "bob", "secret", "127.3.2.1").startswith(b"+OK")
    with Dialogue(server.host, server.ports["none"], source="127.3.2.2") as dialogue:
        dialogue.say(b"USER " + f"restante[1]:{FORGED}".encode(), b"QUIT")
    failures = sum(counted.values())
    eventually(lambda: server.log().count(": auth failed: ") >= failures)
    return +counted


def test_every_failure_is_counted_by_its_own_address(
    server: ServerProcess, expected: Counter[str]
) -> None:
    """threats: R13"""
    assert expected.total() >= len(HOSTILE)
    assert found(server.log_file) == expected


@pytest.mark.parametrize(
    "prefix", ["Nov 24 09:30:00 mail restante[4711]: ", "Nov 24 09:30:00 m r[1]: "]
)
def test_the_same_through_syslog(
    server: ServerProcess, expected: Counter[str], tmp_path: Path, prefix: str
) -> None:
    log = tmp_path / "log"
    lines = server.log().splitlines(keepends=True)
    log.write_text("".join(prefix + line for line in lines))
    assert found(log) == expected


def test_addresses_of_ipv6_are_found(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(LINE.replace(f"rip={FORGED}", "rip=2001:db8::7") + "\n")
    assert found(log) == Counter({"2001:db8::7": 1})


def test_a_line_that_is_not_ours_is_none(tmp_path: Path) -> None:
    log = tmp_path / "log"
    inner = LINE.partition(" ")[2]
    log.write_text(
        f"2026-11-24T09:30:00+0000 other[1]: {inner}\n"
        f"2026-11-24T09:30:00+0000 restante[1]: logout: user={inner}\n"
        f"2026-11-24T09:30:00+0000 restante[1]: warning: reason=x {inner}\n"
        f"2026-11-24T09:30:00+0000 a b c restante[1]: {inner.partition(' ')[2]}\n"
    )
    assert found(log) == Counter()


def test_the_jail_is_one_that_fail2ban_takes(tmp_path: Path) -> None:
    client = require("fail2ban-client")
    folder = tmp_path / "fail2ban"
    shutil.copytree("/etc/fail2ban", folder, symlinks=True)
    for packaged in PACKAGED.rglob("*.conf"):
        shutil.copy(packaged, folder / packaged.relative_to(PACKAGED))
    command = [client, "-c", str(folder), "-d"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if "'restante'" in line]
    assert any(re.search(r"'maxretry', 120\]", line) for line in told)
    assert any("auth failed: rip=" in line for line in told)
    assert any("_SYSTEMD_UNIT=restante.service" in line for line in told)

"""Hostile clients: what they say is neither echoed nor believed nor written down as it is."""

import base64
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import Dialogue, ServerProcess, eventually

SECRET = "correct-horse-canary-7731"
CANARY = b"Zx9Qk"

HOSTILE = {
    "slashes": b"../../../../etc/passwd",
    "dots": b"..",
    "dot": b".",
    "absolute": b"/etc/passwd",
    "slash": b"a/b",
    "nul": b"alice\0x",
    "bare cr": b"alice\rx",
    "tab": b"alice\tx",
    "escape": b"\x1b]0;owned\x07",
    "percent": b"%s%n%{name}{name}",
    "braces": b"{local}{domain}",
    "four octets of utf-8": "\U0001f600".encode(),
    "half a character": b"\xf0\x9f",
    "right to left": "\u202egnp.exe".encode(),
    "line separator": "a\u2028b".encode(),
    "as long as it may be": b"n" * 245,
    "quotes": b'a" user=root session="x',
    "comma": b"a:b:c",
    "shell": b"$(touch x);`touch y`|z",
    "sql": b"' OR '1'='1",
    "domain with slashes": b"x@../../y",
}
"""Names that some program has taken for something else."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(
        tmp_path_factory.mktemp("hostile"),
        workers=2,
        settings='[[auth.source]]\ntype = "accounts"\n[auth.hashing]\nmemory_kib = 8\npasses = 1\n',
    ) as running:
        running.account("alice", SECRET)
        yield running


def everything(directory: Path) -> set[Path]:
    """Return all there is below a folder, but for what databases keep beside themselves."""
    return {
        path
        for path in directory.rglob("*")
        if not path.name.endswith(("-wal", "-shm", "-journal"))
    }


@pytest.mark.parametrize("password", [b"x", SECRET.encode()])
@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_a_wrong_name(
    server: ServerProcess, name: bytes, password: bytes
) -> None:
    """By USER and by PLAIN: one reply a command, nothing made, one line of the log for each."""
    before, logged = everything(server.directory), len(server.log())
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        reply = dialogue.say(b"USER " + name)
        if reply.startswith(b"+OK"):
            reply = dialogue.say(b"PASS " + password)
        assert reply.startswith(b"-ERR ")
        assert dialogue.say(b"CAPA").startswith(b"+OK")
        dialogue.lines()
        message = base64.b64encode(b"\0" + name + b"\0" + password)
        assert dialogue.say(b"AUTH PLAIN").startswith(b"+ ")
        assert dialogue.say(message).startswith(b"-ERR ")
        message = base64.b64encode(name + b"\0alice\0" + SECRET.encode())
        assert dialogue.say(b"AUTH PLAIN").startswith(b"+ ")
        assert dialogue.say(message).startswith(b"-ERR ")
        assert dialogue.say(b"USER alice", b"PASS " + SECRET.encode()).startswith(b"+OK")
        assert dialogue.say(b"QUIT") == b"+OK goodbye"
    eventually(lambda: "logout:" in server.log()[logged:])
    assert everything(server.directory) - {server.mail / "alice"} <= before | locks(server)
    whole_lines(server.log()[logged:])


@pytest.mark.parametrize("name", [b"alice\r\nx", b"alice\n2026-11-24 login: user=root", b"\n"])
def test_a_name_with_line_ends_makes_no_lines(server: ServerProcess, name: bytes) -> None:
    logged = len(server.log())
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        message = base64.b64encode(b"\0" + name + b"\0" + SECRET.encode())
        assert dialogue.say(b"AUTH PLAIN " + message).startswith(b"-ERR ")
        assert dialogue.say(b"QUIT") == b"+OK goodbye"
    eventually(lambda: server.control("who")["sessions"] == [])
    whole_lines(server.log()[logged:])


def locks(server: ServerProcess) -> set[Path]:
    """Return what the lock of an account that exists is made of."""
    return everything(server.state / "locks")


LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} restante\[\d+\]: [a-z ]+:"
    r'( [a-z_]+=([!#-<>-\[\]-~]*|"([ !#-\[\]-~]|\\.)*"))*'
)


def whole_lines(log: str) -> list[str]:
    """Hold every line of a log to its form: no client can write one, or a field of one."""
    lines = log.splitlines()
    for line in lines:
        assert LINE.fullmatch(line), line
        assert "user=root" not in re.sub(r'"([^"\\]|\\.)*"', '""', line), line
    assert log == "".join(line + "\n" for line in lines)
    return lines


INPUTS = [
    CANARY + b"\r\n",
    b"USER %b\r\nPASS %b\r\n" % (CANARY, CANARY),
    b"PASS %b\r\n" % CANARY,
    b"AUTH %b\r\n" % CANARY,
    b"AUTH PLAIN %b\r\n" % CANARY,
    b"AUTH PLAIN\r\n%b\r\n" % CANARY,
    b"AUTH PLAIN %b\r\n" % base64.b64encode(b"\0%b\0%b" % (CANARY, CANARY)),
    b"CAPA %b\r\nNOOP %b\r\nQUIT %b\r\n" % (CANARY, CANARY, CANARY),
    b"RETR %b\r\nTOP %b 1\r\nUIDL %b\r\nLIST %b\r\nDELE %b\r\n" % ((CANARY,) * 5),
    CANARY * 100 + b"\r\n",
    CANARY * 4000,
    b"USER " + CANARY * 100 + b"\r\n",
    b"STLS\r\n" + CANARY,
    b"<script>%b</script>\r\n" % CANARY,
    b"\0%b\r\n\r%b\r\n\xff%b\r\n" % (CANARY, CANARY, CANARY),
]


@pytest.mark.parametrize("logged_in", [False, True])
@pytest.mark.parametrize("octets", INPUTS, ids=range(len(INPUTS)))
def test_no_octet_of_a_clients_comes_back(
    server: ServerProcess, octets: bytes, *, logged_in: bool
) -> None:
    with Dialogue(server.host, server.ports["stls"]) as dialogue:
        if logged_in:
            assert dialogue.log_in("alice", SECRET).startswith(b"+OK")
        dialogue.socket.sendall(octets)
        dialogue.socket.shutdown(1)
        answer = dialogue.rest()
        assert answer.startswith((b"+OK", b"-ERR", b"+ "))
        for start in range(len(CANARY) - 3):
            assert CANARY[start : start + 4] not in answer


@pytest.mark.parametrize(
    "line", [b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
def test_a_browser_is_shown_the_door(server: ServerProcess, line: bytes) -> None:
    """What it smuggles behind its header is not run."""
    with Dialogue(server.host, server.ports["stls"]) as dialogue:
        smuggled = b"Host: x\r\n\r\nUSER alice\r\nPASS %b\r\nSTAT\r\n" % SECRET.encode()
        dialogue.socket.sendall(line + smuggled)
        assert b"+OK" not in dialogue.rest()


FORMS = {
    "part of a command": b"U",
    "a name": b"USER evil",
    "a command": b"CAPA\r\n",
    "several commands": b"USER alice\r\nPASS x\r\n",
    "a record": b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03",
    "much": b"x" * 65_536,
}


@pytest.mark.parametrize("name_first", [False, True])
@pytest.mark.parametrize("behind", FORMS.values(), ids=FORMS)
def test_what_is_said_behind_stls_is_not_heard(
    server: ServerProcess, behind: bytes, *, name_first: bool
) -> None:
    """In the same segment, and in those that come before the handshake. conformance: 2595-S-09"""
    for _ in range(3):
        with Dialogue(server.host, server.ports["stls"]) as dialogue:
            if name_first:
                dialogue.say(b"USER alice")
            dialogue.socket.sendall(b"STLS\r\n" + behind)
            assert dialogue.line() == b"-ERR octets behind STLS"
            assert rest_or_reset(dialogue) == b""
        with Dialogue(server.host, server.ports["stls"]) as dialogue:
            assert dialogue.say(b"STLS").startswith(b"+OK")
            dialogue.socket.sendall(behind)
            dialogue.socket.shutdown(1)
            answer = rest_or_reset(dialogue)
            assert b"+OK" not in answer
            assert b"-ERR" not in answer


def rest_or_reset(dialogue: Dialogue) -> bytes:
    """Return what is left to read; whoever sends much may find the door shut."""
    try:
        return dialogue.rest()
    except ConnectionResetError:
        return b""


def test_no_going_back_and_no_going_twice(server: ServerProcess) -> None:
    """conformance: 2595-S-05, 2595-S-08"""
    with Dialogue(server.host, server.ports["stls"]) as dialogue:
        assert dialogue.log_in("alice", SECRET).startswith(b"+OK")
        assert dialogue.say(b"STLS").startswith(b"-ERR")
        assert dialogue.say(b"STAT") == b"+OK 0 0"
    with Dialogue(server.host, server.ports["implicit"], server.client_context()) as dialogue:
        assert dialogue.say(b"STLS").startswith(b"-ERR")
        assert dialogue.log_in("alice", SECRET).startswith(b"+OK")


def test_a_password_in_clear_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """conformance: 2595-S-14"""
    with ServerProcess(tmp_path, cleartext="tls") as strict:
        strict.account("alice", SECRET)
        with Dialogue(strict.host, strict.ports["stls"]) as dialogue:
            assert dialogue.say(b"CAPA").startswith(b"+OK")
            offered = dialogue.lines()
            assert b"USER" not in offered
            assert not any(line.startswith(b"SASL") for line in offered)
            for command in (b"USER alice", b"AUTH PLAIN"):
                assert dialogue.say(command).startswith(b"-ERR")
            message = base64.b64encode(b"\0alice\0" + SECRET.encode())
            right = dialogue.say(b"AUTH PLAIN " + message)
            wrong = dialogue.say(b"AUTH PLAIN " + base64.b64encode(b"\0alice\0x"))
            assert right == wrong
            assert right.startswith(b"-ERR")
        eventually(lambda: "cleartext refused:" in strict.log())
        no_secret(strict)


def no_secret(server: ServerProcess) -> None:
    """Look for the password where nobody may find it."""
    encoded = base64.b64encode(b"\0alice\0" + SECRET.encode()).decode()
    for canary in (SECRET, encoded, encoded[8:-8]):
        assert canary not in server.log()
    assert server.process is not None
    for process in (
        server.process.pid,
        *server.processes("worker"),
        *server.processes("auth"),
    ):
        for name in ("cmdline", "environ"):
            assert SECRET.encode() not in Path(f"/proc/{process}/{name}").read_bytes()
    holders = {
        path
        for path in everything(server.directory)
        if path.is_file() and SECRET.encode() in path.read_bytes()
    }
    assert holders == {server.passwords}


def test_a_flood_is_a_line_a_second(server: ServerProcess) -> None:
    """Nonsense, half commands, bad handshakes and clients that hang up at once."""
    eventually(lambda: server.control("who")["sessions"] == [])
    logged, since = len(server.log()), time.monotonic()
    for number in range(400):
        port = ("none", "stls", "implicit")[number % 3]
        with socket.create_connection((server.host, server.ports[port]), timeout=20) as stranger:
            stranger.sendall((b"\0\xff\r\n", b"STLS\r\nx", b"\x16\x03nonsense")[number % 3])
    eventually(lambda: server.control("who")["sessions"] == [])
    seconds = time.monotonic() - since
    lines = whole_lines(server.log()[logged:])
    # What ended just before may be written just after.
    lines = [line for line in lines if " logout:" not in line]
    kinds = {line.partition("]: ")[2].partition(":")[0] for line in lines}
    assert kinds <= {"connection ended", "tls failed", "suppressed"}
    # By two workers, of two kinds, each with the count of what it stands for.
    assert len(lines) <= 2 * 2 * 2 * (seconds + 1)
    assert "Traceback" not in server.log()


def test_no_secret_is_left_anywhere(server: ServerProcess) -> None:
    """After good and bad logins in every way there is, a fault and a reload."""
    message = base64.b64encode(b"\0alice\0" + SECRET.encode())
    wrong = base64.b64encode(b"\0mallory\0" + SECRET.encode())
    for port in ("none", "stls"):
        with Dialogue(server.host, server.ports[port]) as dialogue:
            dialogue.say(b"USER mallory", b"PASS " + SECRET.encode())
            dialogue.say(b"PASS " + SECRET.encode())
            dialogue.say(SECRET.encode())
            dialogue.say(b"AUTH PLAIN " + wrong)
            dialogue.say(b"AUTH PLAIN " + message)
            dialogue.say(b"PASS " + SECRET.encode())
    with Dialogue(server.host, server.ports["implicit"], server.client_context()) as dialogue:
        assert dialogue.log_in("alice", SECRET).startswith(b"+OK")
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "reloaded:" in server.log())
    no_secret(server)

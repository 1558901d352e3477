"""Proving who one is, to a real server: the same words for everybody, and what a crowd gets."""

import os
import re
import resource
import selectors
import socket
import struct
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from restante.auth.hashes import hash_password
from restante.auth.options import HashOptions

from serving import Dialogue, ServerProcess

CHEAP = HashOptions(memory_kib=8, passes=1)
SLOW = HashOptions(memory_kib=19_456, passes=5)
"""Slow enough that a crowd of logins is there before the first hash is done."""
USUAL = HashOptions()
PATIENCE_SECONDS = 120.0
REFUSED = b"-ERR [AUTH] authentication failed"


class Crowd(ServerProcess):
    """A server whose accounts have hashed passwords."""

    def hashed(self, *names: str, hashing: HashOptions = CHEAP, extra: str = "") -> None:
        """Add accounts that have the password `secret`, all with one hash."""
        stored = hash_password(b"secret", hashing)
        with self.passwords.open("a") as lines:
            lines.writelines(f"{name}:{stored}::::::{extra}\n" for name in names)

    def pids(self, role: str) -> list[int]:
        return [int(pid) for pid in re.findall(rf"role={role} process=(\d+)", self.log())]


def wait_until_settled(server: ServerProcess) -> None:
    """Wait until the passwd-file can no longer have changed within the grain of its clock."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.time() - server.passwords.stat().st_mtime < 0.2 and time.monotonic() < deadline:
        time.sleep(0.01)


class Caller:
    """A client with a loopback address of its own choice."""

    def __init__(self, server: ServerProcess, address: str) -> None:
        self.socket = socket.create_connection(
            (server.host, server.ports["none"]), PATIENCE_SECONDS, (address, 0)
        )
        self._file = self.socket.makefile("rb")
        assert self._file.readline().startswith(b"+OK")

    def ask(self, name: str, password: str) -> None:
        """Send a whole login in one write and return at once."""
        self.socket.sendall(f"USER {name}\r\nPASS {password}\r\n".encode())

    def reply(self) -> bytes:
        """Return the reply to PASS."""
        assert self._file.readline().startswith(b"+OK")
        return self._file.readline().removesuffix(b"\r\n")

    def has_reply(self) -> bool:
        """Say whether a reply to PASS is there, without waiting; USER's comes first."""
        self.socket.setblocking(False)
        try:
            seen = self.socket.recv(4096, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        finally:
            self.socket.settimeout(PATIENCE_SECONDS)
        return seen.count(b"\r\n") >= 2

    def vanish(self) -> None:
        """Reset the connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._file.close()
        self.socket.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()


# ---- the same words


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    crowd = Crowd(tmp_path_factory.mktemp("auth"))
    crowd.hashed("bob", "alice")
    crowd.hashed("gone", extra="nologin")
    with crowd.passwords.open("a") as lines:
        lines.write("locked:!\nempty:\nunread:{SCRAM-SHA-256}4096,abc\n")
    with crowd:
        yield crowd


CAUSES: dict[str, tuple[str, str]] = {
    "wrong": ("bob", "wrong"),
    "another's": ("bob", "secret "),
    "unknown": ("nobody", "secret"),
    "disabled": ("gone", "secret"),
    "disabled and wrong": ("gone", "wrong"),
    "locked": ("locked", "secret"),
    "without a password": ("empty", "secret"),
    "of an unread scheme": ("unread", "4096,abc"),
    "a path": ("../bob", "secret"),
    "an absolute path": ("/etc/passwd", "secret"),
    "dots": ("..", "secret"),
    "a variable": ("%n", "secret"),
    "SQL": ("'OR'1'='1", "secret"),
    "a colon": ("bob:alice", "secret"),
    "long": ("x" * 200, "secret"),
}


def by_user_and_pass(server: ServerProcess, name: str, password: str) -> list[bytes]:
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        replies = [
            dialogue.say(b"USER " + name.encode()),
            dialogue.say(b"PASS " + password.encode()),
        ]
        replies += [dialogue.say(b"STAT"), dialogue.say(b"QUIT"), dialogue.rest()]
        return replies


def by_plain(server: ServerProcess, name: str, password: str, who: str = "") -> list[bytes]:
    message = b64encode(f"{who}\0{name}\0{password}".encode())
    with Dialogue(server.host, server.ports["none"]) as dialogue:
        replies = [dialogue.say(b"AUTH PLAIN"), dialogue.say(message), dialogue.say(b"STAT")]
        return [*replies, dialogue.say(b"QUIT"), dialogue.rest()]


def test_user_and_pass_say_the_same_whatever_is_wrong(server: Crowd) -> None:
    """conformance: 1939-S-38, 1939-S-40, 1939-S-66, 3206-S-03, 3206-S-04, 3206-S-06"""
    seen = {
        cause: by_user_and_pass(server, name, password)
        for cause, (name, password) in CAUSES.items()
    }
    first = seen["wrong"]
    assert first[0].startswith(b"+OK")
    assert first[1] == REFUSED
    assert {cause: replies for cause, replies in seen.items() if replies != first} == {}


def test_plain_says_the_same_whatever_is_wrong(server: Crowd) -> None:
    """conformance: 3206-S-03, 3206-S-04, 5034-S-31"""
    seen = {cause: by_plain(server, name, password) for cause, (name, password) in CAUSES.items()}
    for cause, (name, password, who) in {
        "for another": ("bob", "secret", "alice"),
        "for nobody": ("bob", "secret", "nobody"),
        "a line end": ("bob\r\nalice", "secret", ""),
        "a control": ("bob\x1b[2J", "secret", ""),
        "a separator": ("bob\u2028", "secret", ""),
        "four octets": ("\U0001f600" * 60, "secret", ""),
        "very long": ("x" * 1_024, "secret", ""),
        "a very long password": ("bob", "x" * 4_096, ""),
        "a space": ("bob ", "secret", ""),
    }.items():
        seen[cause] = by_plain(server, name, password, who)
    first = seen["wrong"]
    assert first[:2] == [b"+ ", REFUSED]
    assert {cause: replies for cause, replies in seen.items() if replies != first} == {}


def test_the_right_password_gets_in_by_either(server: Crowd) -> None:
    """conformance: 1939-S-46, 4616-S-01"""
    assert by_user_and_pass(server, "bob", "secret")[1].startswith(b"+OK")
    assert by_plain(server, "BOB", "secret", "bob")[1].startswith(b"+OK")


def test_the_log_tells_them_apart(server: Crowd) -> None:
    for cause in ("unknown", "wrong", "disabled"):
        name, password = CAUSES[cause]
        by_user_and_pass(server, name, password)
    reasons = set(re.findall(r"auth failed: .* reason=(\w+) ", server.log()))
    assert {"unknown", "password", "disabled"} <= reasons


# ---- crowds


@pytest.fixture
def slow_server(tmp_path: Path) -> Iterator[Crowd]:
    crowd = Crowd(tmp_path, settings="[auth.hashing]\nthreads = 2\n")
    crowd.hashed("bob", "alice", hashing=SLOW)
    with crowd:
        wait_until_settled(crowd)
        yield crowd


def test_guesses_of_one_network_take_turns_and_others_do_not_wait(slow_server: Crowd) -> None:
    """conformance: 1939-S-66"""
    with ExitStack() as stack:
        first = Caller(slow_server, "127.0.7.1")
        stack.callback(first.close)
        first.ask("bob", "wrong")
        assert first.reply() == REFUSED
        crowd = []
        for number in range(16):
            caller = Caller(slow_server, f"127.0.7.{number + 2}")
            stack.callback(caller.close)
            caller.ask("bob", f"guess {number}")
            crowd.append(caller)
        honest = Caller(slow_server, "127.0.8.1")
        stack.callback(honest.close)
        honest.ask("alice", "secret")
        assert honest.reply().startswith(b"+OK")
        # One thread was theirs meanwhile, so they are not much further than this one login.
        assert sum(caller.has_reply() for caller in crowd) <= len(crowd) // 3
        order = _order_of_replies(crowd)
        assert order == sorted(order)
        assert {caller.reply() for caller in crowd} == {REFUSED}


def _order_of_replies(callers: list[Caller]) -> list[int]:
    """Return the numbers of callers as their replies come."""
    order: list[int] = []
    with selectors.DefaultSelector() as selector:
        for number, caller in enumerate(callers):
            selector.register(caller.socket, selectors.EVENT_READ, number)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(order) < len(callers) and time.monotonic() < deadline:
            came = [key.data for key, _ in selector.select(1.0) if callers[key.data].has_reply()]
            for number in sorted(came):
                selector.unregister(callers[number].socket)
                order.append(number)
    return order


def test_a_client_that_goes_away_takes_its_hash_along(slow_server: Crowd) -> None:
    (auth,) = slow_server.pids("auth")
    before = _cpu_seconds(auth)
    one = Caller(slow_server, "127.1.0.1")
    one.ask("bob", "wrong")
    assert one.reply() == REFUSED
    one.close()
    cost = _cpu_seconds(auth) - before
    assert cost > 0.01
    crowd = [Caller(slow_server, f"127.2.{number}.1") for number in range(40)]
    before = _cpu_seconds(auth)
    for number, caller in enumerate(crowd):
        caller.ask("bob", f"guess {number}")
    for caller in crowd:
        caller.vanish()
    honest = Caller(slow_server, "127.3.0.1")
    honest.ask("alice", "secret")
    assert honest.reply().startswith(b"+OK")
    honest.close()
    # The hash of the honest one, those that ran when their clients left, and some room.
    assert _cpu_seconds(auth) - before < 12 * cost


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _crowd_of(tmp_path: Path, count: int) -> None:
    """Have so many log in at once, each for the first time, and hold the memory to its bound."""
    threads = 2
    crowd = Crowd(tmp_path, settings=f"[auth.hashing]\nthreads = {threads}\n")
    crowd.hashed(*(f"user{number}" for number in range(count)), hashing=USUAL)
    with crowd, ExitStack() as stack:
        wait_until_settled(crowd)
        (auth,) = crowd.pids("auth")
        callers = []
        for number in range(count):
            caller = Caller(crowd, f"127.{number >> 8 & 7}.{number & 255}.9")
            stack.callback(caller.close)
            callers.append(caller)
        Path(f"/proc/{auth}/clear_refs").write_text("5")
        idle = _memory_kib(auth, "VmRSS")
        for number, caller in enumerate(callers):
            caller.ask(f"user{number}", "secret")
        replies = Counter(_kind(caller.reply()) for caller in callers)
        grown = _memory_kib(auth, "VmHWM") - idle
        # 8 KiB a login that waits, 16 MiB for whatever an allocator keeps.
        assert grown <= threads * USUAL.memory_kib + 8 * count + 16_384
        assert set(replies) == {b"+OK", b"[SYS/TEMP]"}
        assert replies[b"+OK"] >= USUAL.queue
        again = Caller(crowd, "127.9.0.1")
        stack.callback(again.close)
        again.ask(f"user{count - 1}", "secret")
        assert _kind(again.reply()) in (b"+OK", b"[IN-USE]")
        assert "fault" not in crowd.log()


def _kind(reply: bytes) -> bytes:
    """Return the response code of a refusal, or the indicator."""
    return reply.split(b" ")[1] if reply.startswith(b"-ERR [") else reply.split(b" ")[0]


def _memory_kib(pid: int, field: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"{field}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


def test_many_logins_at_once_stay_within_the_memory(tmp_path: Path) -> None:
    """conformance: 3206-S-01, 3206-S-04"""
    _crowd_of(tmp_path, 250)


@pytest.mark.long
def test_2000_logins_at_once_stay_within_the_memory(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 10_000), hard))
    try:
        _crowd_of(tmp_path, 2_000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- secrets


def test_a_secret_is_seen_nowhere(tmp_path: Path) -> None:
    """conformance: 5034-S-31"""
    birds = ["kanarienvogel", "rotkehlchen", "zaunkoenig", "wiedehopf"]
    settings = '[[auth.source]]\ntype = "accounts"\n[auth.hashing]\nmemory_kib = 8\npasses = 1\n'
    crowd = Crowd(tmp_path, settings=settings)
    crowd.account("bob", birds[0])
    with crowd.passwords.open("a") as lines:
        lines.write(f"eve:{{{birds[3]}}}\nmallory:{{SHA}}{birds[3]}\n")
    with crowd:
        added = crowd.run("account", "add", "carol", "--password-stdin", stdin=birds[1].encode())
        assert added.returncode == 0
        for name, password in [
            ("bob", birds[0]),
            ("carol", birds[1]),
            ("bob", birds[2]),
            ("nobody", birds[2]),
            ("eve", birds[3]),
            ("mallory", birds[3]),
            ("eve/..", birds[2]),
        ]:
            by_user_and_pass(crowd, name, password)
            by_plain(crowd, name, password)
            by_plain(crowd, name, password, "\U0001f600")
        with Dialogue(crowd.host, crowd.ports["stls"]) as dialogue:
            dialogue.say(b"PASS " + birds[2].encode(), b"AUTH PLAIN " + birds[2].encode())
            dialogue.say(b"USER bob")
            dialogue.say(birds[2].encode(), b"PASS " + birds[0].encode() + b" ")
        seen = crowd.log() + repr(added) + repr(crowd.control("who"))
        assert crowd.process is not None
        for pid in [crowd.process.pid, *crowd.pids("auth"), *crowd.pids("worker")]:
            for name in ("cmdline", "environ"):
                seen += Path(f"/proc/{pid}/{name}").read_text(errors="backslashreplace")
    assert "auth failed" in seen
    seen = f"{seen} {crowd.log()}".lower()
    assert [bird for bird in birds if bird in seen] == []

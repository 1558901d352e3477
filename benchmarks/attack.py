"""The command `python -m benchmarks.attack`: 5,000 logins at once, and who is served beside them.

First one network guesses that many passwords at once, then as many networks log in a first time,
one each. Told are how long honest logins beside the guesses take, what came of the others, and what
the auth process took in memory; the exit status is 1 where a bound is not kept.
"""

import argparse
import os
import re
import resource
import socket
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import argon2

from benchmarks.peers.peer import PASSWORD
from benchmarks.peers.restante import RestantePeer
from benchmarks.scale import SHORT
from benchmarks.stage import Stage

MEMORY_KIB, PASSES, LANES, THREADS = 19_456, 2, 1, 2
"""Of argon2id and its pool: the defaults."""
SERVED_SECONDS = 3.0
EACH_KIB = 8
"""What a login may take while it waits."""
ALLOCATOR_KIB = 16_384
HONEST = 50
PATIENCE_SECONDS = 120.0
_RESET = struct.pack("ii", 1, 0)


class Client:
    """One connection, from an address of loopback; it resets at its end."""

    def __init__(self, port: int, source: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS, (source, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._file = self._socket.makefile("rb")
        self._file.readline()

    def ask(self, name: str, password: str) -> None:
        """Send a whole login in one write."""
        self._socket.sendall(f"USER {name}\r\nPASS {password}\r\n".encode())

    def reply(self) -> str:
        """Return the indicator of the reply to PASS, with its code."""
        self._file.readline()
        found = re.match(rb"\+OK|-ERR(?: \[[^]]*\])?", self._file.readline())
        return found[0].decode() if found else "nothing"

    def close(self) -> None:
        """Reset the connection."""
        self._file.close()
        self._socket.close()


def main() -> int:
    """Run both and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attack", description=__doc__)
    parser.add_argument("--logins", type=int, default=5_000, help="how many at once")
    logins = parser.parse_args().logins
    if os.geteuid() != 0:
        print("the benchmark needs root, as the other ones do", file=sys.stderr)
        return 2
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="restante-attack-", dir="/var/tmp") as name:
        stage = Stage(Path(name), SHORT)
        missed = [*_one_network(stage, logins), *_many_networks(stage, logins)]
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


def _one_network(stage: Stage, logins: int) -> list[str]:
    honest = [f"honest{number}" for number in range(HONEST)]
    with _served(stage, "one", honest) as peer:
        crowd = [Client(peer.port, f"127.66.6.{number % 250 + 1}") for number in range(logins)]
        memory = Memory(peer)
        for number, client in enumerate(crowd):
            client.ask(f"user{number}", "guess")
        seconds = [
            _seconds_of_a_login(peer.port, name, f"127.1.{number}.1")
            for number, name in enumerate(honest)
        ]
        grown = memory.grown_kib()
        for client in crowd:
            client.close()
    longest = max(seconds)
    print(f"{logins} guesses of one network at once, {HONEST} honest logins beside them:")
    print(f"  a login takes {sorted(seconds)[HONEST // 2]:.3f} s, the longest {longest:.3f} s")
    return [*_bound("longest login, s", longest, SERVED_SECONDS), *_weigh(grown, logins)]


def _many_networks(stage: Stage, logins: int) -> list[str]:
    names = [f"user{number}" for number in range(logins)]
    with _served(stage, "many", names) as peer:
        crowd = [
            Client(peer.port, f"127.{number >> 8}.{number & 255}.9") for number in range(logins)
        ]
        memory = Memory(peer)
        for client, name in zip(crowd, names, strict=True):
            client.ask(name, PASSWORD)
        replies = Counter(client.reply() for client in crowd)
        grown = memory.grown_kib()
        for client in crowd:
            client.close()
    print(f"{logins} first logins of as many networks at once:")
    print("  " + ", ".join(f"{count} {reply}" for reply, count in replies.most_common()))
    return _weigh(grown, logins)


def _weigh(grown_kib: int, logins: int) -> list[str]:
    print(f"  the auth process grew by {grown_kib / 1024:.1f} MiB at the most")
    bound = THREADS * MEMORY_KIB + EACH_KIB * logins + ALLOCATOR_KIB
    return _bound("memory, MiB", grown_kib / 1024, bound / 1024)


def _bound(what: str, found: float, bound: float) -> list[str]:
    return [] if found <= bound else [f"{what}: {found:.1f}, the bound is {bound:.1f}"]


@contextmanager
def _served(stage: Stage, purpose: str, names: list[str]) -> Iterator[RestantePeer]:
    directory = stage.directory / purpose
    peer = RestantePeer(purpose, directory, stage.certificate, stage.private_key)
    hashed = argon2.PasswordHasher(PASSES, MEMORY_KIB, LANES).hash(PASSWORD)
    peer.add_accounts(names, f"{{ARGON2ID}}{hashed}")
    peer.start()
    try:
        yield peer
    finally:
        peer.stop()


def _seconds_of_a_login(port: int, name: str, source: str) -> float:
    begun = time.monotonic()
    client = Client(port, source)
    client.ask(name, PASSWORD)
    reply = client.reply()
    seconds = time.monotonic() - begun
    client.close()
    if reply != "+OK":
        raise SystemExit(f"an honest login was answered {reply}")
    return seconds


class Memory:
    """The auth process's, from now on."""

    def __init__(self, peer: RestantePeer) -> None:
        output = (peer.directory / "output").read_text(errors="replace")
        found = re.search(r"role=auth process=(\d+)", output)
        if found is None:
            raise SystemExit("the server has no auth process")
        self._folder = Path("/proc") / found[1]
        (self._folder / "clear_refs").write_text("5")
        self._idle = self._kib("VmRSS")

    def grown_kib(self) -> int:
        """Return what it has taken at the most, beyond what it had."""
        return self._kib("VmHWM") - self._idle

    def _kib(self, field: str) -> int:
        found = re.search(rf"{field}:\s+(\d+) kB", (self._folder / "status").read_text())
        return int(found[1]) if found is not None else 0


if __name__ == "__main__":
    sys.exit(main())

"""Many short sessions at once from one thread: readiness by epoll, one small state per session."""

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from benchmarks.load.expectation import ReplyWrong

_STALL_SECONDS = 60.0
_SOURCES = 20
_IP_BIND_ADDRESS_NO_PORT = 24
_ADMITTED = 2
"""The place of the answer to PASS among all answers, the greeting's being 0."""


Command = bytes | Callable[[bytes], bytes]
"""What is said, or what makes it of the answer before."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One short session to be made: what is said, how every answer begins, whether it stays."""

    commands: tuple[Command, ...]
    answers: tuple[bytes, ...]
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where visits go, and how."""

    port: int
    tls: ssl.SSLContext | None = None


def brief_visit(user: str, password: str, messages: int, octets: int) -> Visit:
    """Make the session USER, PASS, STAT, QUIT of a user whose maildrop is known."""
    said = (f"USER {user}", f"PASS {password}", "STAT", "QUIT")
    stat = b"+OK %d %d" % (messages, octets)
    return Visit(_lines(said), (b"+OK", b"+OK", b"+OK", stat, b"+OK"))


def staying_visit(user: str, password: str) -> Visit:
    """Make a session that logs in and then keeps still."""
    return Visit(_lines((f"USER {user}", f"PASS {password}")), (b"+OK", b"+OK", b"+OK"), True)


class Caller:
    """One place of the load, which makes one visit after another."""

    def __init__(self, target: Target, place: int) -> None:
        self._target = target
        self._source = f"127.0.0.{2 + place % _SOURCES}"
        self._visit = Visit((), ())
        self._answered = 0
        self._handshaking = False
        self.admitted_at = 0.0
        self.socket: socket.socket | ssl.SSLSocket

    def begin(self, visit: Visit) -> int:
        """Connect for a visit and return the descriptor to watch."""
        self._visit, self._answered = visit, 0
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        raw.bind((self._source, 0))
        raw.connect(("127.0.0.1", self._target.port))
        raw.setblocking(False)
        self.socket = raw
        if self._target.tls is not None:
            self._handshaking = True
            self.socket = self._target.tls.wrap_socket(
                raw, server_hostname="localhost", do_handshake_on_connect=False
            )
            self._advance_handshake()
        return self.socket.fileno()

    def advance(self) -> bool:
        """Do what the octets that came allow and return whether the visit is over."""
        if self._handshaking and not self._advance_handshake():
            return False
        while True:
            try:
                line = self.socket.recv(4096)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            if self._take_answer(line):
                return True
            if self._target.tls is None:
                return False

    def _advance_handshake(self) -> bool:
        assert isinstance(self.socket, ssl.SSLSocket)
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self._handshaking = False
        if self.socket.session_reused:
            raise ReplyWrong("a handshake was resumed")
        return True

    def _take_answer(self, line: bytes) -> bool:
        visit, place = self._visit, self._answered
        if place == len(visit.answers):
            if line:
                raise ReplyWrong(f"{line!r} behind the last answer")
            self.socket.close()
            return True
        if not line.startswith(visit.answers[place]) or line.find(b"\n") != len(line) - 1:
            raise ReplyWrong(f"answer {place} is {line!r}, expected {visit.answers[place]!r}")
        if place == _ADMITTED:
            self.admitted_at = time.perf_counter()
        if place < len(visit.commands):
            command = visit.commands[place]
            self.socket.send(command if isinstance(command, bytes) else command(line))
        self._answered += 1
        return visit.stays and self._answered == len(visit.answers)


class Crowd:
    """All callers of one load, each watched for octets that come."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._poll = select.epoll()
        self._busy: dict[int, Caller] = {}
        self._free: list[Caller] = []
        self._places = count()

    def __len__(self) -> int:
        """Return how many visits are under way."""
        return len(self._busy)

    def send_off(self, visit: Visit) -> Caller:
        """Begin a visit by a caller who is free."""
        caller = self._free.pop() if self._free else Caller(self._target, next(self._places))
        descriptor = caller.begin(visit)
        self._busy[descriptor] = caller
        self._poll.register(descriptor, select.EPOLLIN)
        return caller

    def wait(self, at_most_seconds: float = _STALL_SECONDS) -> list[Caller]:
        """Wait for octets, act on them and return the callers whose visits have ended."""
        ended: list[Caller] = []
        for descriptor, _ in self._poll.poll(at_most_seconds):
            caller = self._busy[descriptor]
            if caller.advance():
                del self._busy[descriptor]
                ended.append(caller)
        return ended

    def release(self, caller: Caller) -> None:
        """Let a caller whose connection is closed be sent off again."""
        self._free.append(caller)

    def close(self) -> None:
        """Hang up on all visits under way."""
        for caller in self._busy.values():
            caller.socket.close()
        self._poll.close()


def visit_all(target: Target, visits: Iterator[Visit], at_once: int) -> int:
    """Make all visits, a number of them at once, and return how many there were."""
    return sum(1 for _ in _ended_callers(target, visits, at_once, release=True))


def hold_all(target: Target, visits: Iterator[Visit], at_once: int) -> list[socket.socket]:
    """Log in with all visits and return the connections, which stay."""
    return [caller.socket for caller in _ended_callers(target, visits, at_once, release=False)]


def _ended_callers(
    target: Target, visits: Iterator[Visit], at_once: int, release: bool
) -> Iterator[Caller]:
    crowd = Crowd(target)
    last_progress = time.monotonic()
    try:
        while True:
            while len(crowd) < at_once and (visit := next(visits, None)) is not None:
                crowd.send_off(visit)
            if not len(crowd):
                return
            for caller in crowd.wait():
                last_progress = time.monotonic()
                yield caller
                if release:
                    crowd.release(caller)
            if time.monotonic() - last_progress > _STALL_SECONDS:
                raise ReplyWrong(f"{len(crowd)} sessions stall")
    finally:
        crowd.close()


def _lines(said: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(f"{line}\r\n".encode("ascii") for line in said)

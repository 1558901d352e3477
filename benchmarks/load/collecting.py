"""What a client does that collects its mail, every octet verified."""

import ssl
from dataclasses import dataclass

from benchmarks.load.expectation import Expectation, ReplyWrong
from benchmarks.load.session import Session
from benchmarks.peers.peer import PASSWORD


@dataclass(frozen=True, slots=True)
class Door:
    """Where and as whom a client comes in."""

    port: int
    user: str
    tls: ssl.SSLContext | None = None

    def open(self) -> Session:
        """Connect and log in."""
        session = Session(("127.0.0.1", self.port), self.tls)
        session.log_in(self.user, PASSWORD)
        return session


def drain(door: Door, expected: Expectation) -> int:
    """Collect every message, delete it, and return how many octets came."""
    received = 0
    with door.open() as session:
        sizes = _look_around(session, expected)
        seen: set[int] = set()
        for number, size in enumerate(sizes, start=1):
            body = session.listing(b"RETR %d" % number)
            seen.add(expected.check_message(body, size))
            received += len(body)
            session.command(b"DELE %d" % number)
        if len(seen) != expected.count():
            raise ReplyWrong("a message came twice and another never")
        session.quit()
    return received


def look_into(door: Door, expected: Expectation, numbers: list[int]) -> None:
    """Ask for all listings, and for TOP and RETR of a few messages."""
    with door.open() as session:
        sizes = _look_around(session, expected)
        for number in numbers:
            size = sizes[number - 1]
            top = expected.check_top(session.listing(b"TOP %d 0" % number), size)
            if expected.check_message(session.listing(b"RETR %d" % number), size) != top:
                raise ReplyWrong("TOP and RETR show two messages under one number")
        session.quit()


def _look_around(session: Session, expected: Expectation) -> list[int]:
    expected.check_drop_listing(session.command(b"STAT"))
    sizes = expected.check_scan_listing(session.listing(b"LIST"))
    expected.check_unique_ids(session.listing(b"UIDL"))
    return sizes

"""What every reply is held against, octet for octet, made from the messages and not from files.

A server may number messages in any order; what it lists under a number must then be that message's
size, and what it sends under it that message, each exactly once.
"""

from collections.abc import Iterable
from hashlib import blake2b

from benchmarks.mail.messages import Message

_UNIQUE_ID_MOST = 70


class ReplyWrong(Exception):
    """A reply that is not what the mail in the maildrop demands."""


class Expectation:
    """The contents of one maildrop as any client must see them."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._whole: dict[bytes, int] = {}
        self._tops: dict[bytes, int] = {}
        self._octets: dict[int, int] = {}
        self._verified_lists: dict[bytes, list[int]] = {}
        self._verified_unique_ids: set[bytes] = set()
        for message in messages:
            self.add(message)

    def add(self, message: Message) -> None:
        """Expect one message more."""
        self._whole[_digest(message.on_the_wire())] = message.index
        self._tops[_digest(message.top_on_the_wire(0))] = message.index
        self._octets[message.index] = message.octets()
        self._verified_lists.clear()
        self._verified_unique_ids.clear()

    def copy(self) -> "Expectation":
        """Return the same expectation, to be added to apart from this one."""
        other = Expectation(())
        other._whole.update(self._whole)
        other._tops.update(self._tops)
        other._octets.update(self._octets)
        return other

    def count(self) -> int:
        """Return how many messages there are."""
        return len(self._octets)

    def check_drop_listing(self, line: bytes) -> None:
        """Hold the answer to STAT against number and size of all messages."""
        words = line.split()
        expected = [b"%d" % self.count(), b"%d" % sum(self._octets.values())]
        if words[1:3] != expected:
            raise ReplyWrong(f"STAT says {line!r}, expected {expected}")

    def check_scan_listing(self, body: bytes | memoryview) -> list[int]:
        """Hold a LIST against all sizes and return them in order of number."""
        key = _digest(body)
        if key not in self._verified_lists:
            sizes = [size for _, size in _numbered(bytes(body))]
            listed = [int(size) for size in sizes]
            if sorted(listed) != sorted(self._octets.values()):
                raise ReplyWrong("LIST does not show the sizes of the messages")
            self._verified_lists[key] = listed
        return self._verified_lists[key]

    def check_unique_ids(self, body: bytes | memoryview) -> None:
        """Demand one legal unique-id for each message, no two alike."""
        key = _digest(body)
        if key in self._verified_unique_ids:
            return
        unique_ids = [unique_id for _, unique_id in _numbered(bytes(body))]
        if len(unique_ids) != self.count() or len(set(unique_ids)) != self.count():
            raise ReplyWrong("UIDL does not show one unique-id for each message")
        if not all(_legal(unique_id) for unique_id in unique_ids):
            raise ReplyWrong("UIDL shows an illegal unique-id")
        self._verified_unique_ids.add(key)

    def check_message(self, body: bytes | memoryview, listed_octets: int) -> int:
        """Find the message that these octets are and return its index."""
        return self._find(self._whole, body, listed_octets, "RETR")

    def check_top(self, body: bytes | memoryview, listed_octets: int) -> int:
        """Find the message whose header these octets are and return its index."""
        return self._find(self._tops, body, listed_octets, "TOP")

    def _find(
        self, known: dict[bytes, int], body: bytes | memoryview, listed_octets: int, command: str
    ) -> int:
        index = known.get(_digest(body))
        if index is None:
            raise ReplyWrong(f"{command} sends {len(body)} octets that are no message")
        if self._octets[index] != listed_octets:
            raise ReplyWrong(f"{command} sends another message than LIST shows")
        return index


def _digest(octets: bytes | memoryview) -> bytes:
    return blake2b(octets, digest_size=16).digest()


def _numbered(body: bytes) -> list[tuple[bytes, bytes]]:
    """Split a listing and demand that it counts from 1 without a gap."""
    lines = body.split(b"\r\n")
    if lines[-2:] != [b".", b""]:
        raise ReplyWrong("a listing does not end with the termination octet")
    pairs: list[tuple[bytes, bytes]] = []
    for number, line in enumerate(lines[:-2], start=1):
        told, _, value = line.partition(b" ")
        if told != b"%d" % number:
            raise ReplyWrong(f"a listing shows {line!r} in place {number}")
        pairs.append((told, value))
    return pairs


def _legal(unique_id: bytes) -> bool:
    return 0 < len(unique_id) <= _UNIQUE_ID_MOST and all(
        0x21 <= octet <= 0x7E for octet in unique_id
    )

"""Maildrops for sessions without a store: what stands in them, and a listing of it.

The names are those of the conformance list: M0 is empty, M2 holds 120 and 200 octets, and so on.
Messages are kept as a store would be given them; `Drop` shows them as they go over the wire.
"""

from collections.abc import Collection, Iterable

HEADER = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: letter\r\n\r\n"


def letter(octets: int) -> bytes:
    """Return a message of exactly so many octets, all its lines ending in CRLF."""
    body = octets - len(HEADER)
    assert body >= 2
    return HEADER + b"x" * (body - 2) + b"\r\n"


def lines(count: int) -> bytes:
    """Return a message with so many numbered lines in its body."""
    return HEADER + b"".join(b"line %d\r\n" % number for number in range(1, count + 1))


MAILDROPS: dict[str, tuple[bytes, ...]] = {
    "M0": (),
    "M2": (letter(120), letter(200)),
    "M5": tuple(letter(100 + number) for number in range(1, 6)),
    "MD": (HEADER + b".\r\n..\r\n.x\r\nx.\r\n",),
    "MN": (HEADER + b"first\r\nno end",),
    "MH": (b"From: a@example.org\r\nSubject: header only\r\n",),
    "ML": ((HEADER + b"one\r\ntwo\r\n").replace(b"\r\n", b"\n"),),
    "MC": (HEADER + b"one\r\ntwo\r\n",),
    "M8": (HEADER + b"gr\xfc\xdfe\r\n",),
    "MZ": (HEADER + b"a\0b\r\n",),
    "ME": (b"",),
    "MT": (lines(10),),
    "MU": (
        "From: Jörg <jörg@exämple.org>\r\nSubject: Grüße\r\n\r\nzweite Zeile ☃\r\n".encode(),
        letter(100),
    ),
}


def on_the_wire(message: bytes) -> bytes:
    """Return a message as it is counted and sent, before its dots are stuffed."""
    text = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return text if not text or text.endswith(b"\n") else text + b"\r\n"


class Drop:
    """A drop listing of messages in memory."""

    def __init__(self, messages: Iterable[bytes], unique_ids: Iterable[bytes] = ()) -> None:
        self.messages = [on_the_wire(message) for message in messages]
        given = list(unique_ids)
        self.unique_ids = given or [b"id-%d" % n for n in range(1, len(self.messages) + 1)]

    @property
    def count(self) -> int:
        return len(self.messages)

    @property
    def octets(self) -> int:
        return sum(map(len, self.messages))

    def size(self, number: int) -> int:
        return len(self.messages[number - 1])

    def unique_id(self, number: int) -> bytes:
        return self.unique_ids[number - 1]

    def scan_listing(self, marked: Collection[int]) -> list[bytes]:
        return [b"%d %d\r\n" % (n, self.size(n)) for n in self._numbers() if n not in marked]

    def unique_id_listing(self, marked: Collection[int]) -> list[bytes]:
        return [b"%d %b\r\n" % (n, self.unique_id(n)) for n in self._numbers() if n not in marked]

    def _numbers(self) -> range:
        return range(1, self.count + 1)

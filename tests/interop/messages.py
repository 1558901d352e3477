"""The messages that every peer is shown, and what they are on the wire.

Real ones: the e-mail test data of CPython's own test package (Debian: libpython3.11-testsuite),
mail and attachments alike; and hand-made ones, each with one thing that programs get wrong. What a
message is on the wire is worked out here from the RFC, without a line of the server's.
"""

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

TEST_DATA = Path("/usr/lib/python3.11/test/test_email/data")
LONG_LINE_OCTETS = 10_000_000
LINE_END = re.compile(rb"\r?\n")


@dataclass(frozen=True, slots=True)
class Message:
    """One message with a name, as it lies in a Maildir."""

    name: str
    stored: bytes

    @property
    def wire(self) -> bytes:
        """Return its octets on the wire: every line ends in CRLF, the last one too."""
        ended = LINE_END.sub(b"\r\n", self.stored)
        return ended if not ended or ended.endswith(b"\n") else ended + b"\r\n"

    def top(self, lines: int) -> bytes:
        """Return what TOP shows for this many lines of the body."""
        pieces = self.wire.split(b"\r\n")[:-1]
        header = pieces.index(b"") + 1 if b"" in pieces else len(pieces)
        return b"".join(piece + b"\r\n" for piece in pieces[: header + lines])


def _made(name: str, body: bytes) -> Message:
    header = f"From: sender@example.org\nTo: reader@example.org\nSubject: {name}\n\n"
    return Message(name, header.encode() + body)


LONG_LINE = _made(
    "long line", b"before\n" + b"0123456789" * (LONG_LINE_OCTETS // 10) + b"\nafter\n"
)

HARD = (
    _made("line feeds", b"one\ntwo\n\nthree\n"),
    Message("line ends", _made("line ends", b"one\ntwo\n\nthree\n").wire),
    Message("mixed ends", b"Subject: mixed\r\nX-Line: feed\n\r\none\ntwo\r\n\nthree\r\n"),
    _made("no last end", b"one\nlast line without an end"),
    Message("no last end behind line ends", b"Subject: crlf\r\n\r\none\r\nno end"),
    _made("carriage return alone", b"before\rbehind\n\rfirst\nlast\r\r\n"),
    _made("carriage return at the end", b"one\nlast\r"),
    _made("nul", b"before\0behind\n\0\nlast\0\n"),
    _made("eight bit", b"caf\xc3\xa9 caf\xe9\n" + bytes(range(0x80, 0x100)) + b"\n"),
    _made("dots", b".\n..\n...\n.x\nx.\n\n.\n.\n.hidden\n"),
    _made("dots with line ends", b".\r\n..\r\n.\r\n\r\n.x\r\n"),
    _made("last line a dot without an end", b"one\n."),
    _made("line of 2048 octets", b"x" * 2046 + b"\nafter\n"),
    _made("line of 2049 octets", b"before\n" + b"y" * 2047 + b"\nafter\n"),
    _made("From in the body", b"From here on\n>From there\n From nowhere\n"),
    _made("blank lines", b"\n\n\n \n\n"),
    _made("white space", b"trailing \t \n\tleading\n \n"),
    Message("no body", b"Subject: no body\n\n"),
    Message("no blank line", b"From: sender@example.org\nSubject: no blank line\n"),
    Message("no header", b"\nnothing but a body\nof two lines\n"),
    Message("no header that is one", b"this is no header\nnor is this\n\nbody\n"),
    Message("one line end", b"\n"),
    Message("one dot", b"."),
    Message("empty", b""),
)
"""Hand-made messages, all but the longest."""


@cache
def real() -> tuple[Message, ...]:
    """Return the e-mail test data of CPython, the files it attaches too."""
    if not TEST_DATA.is_dir():
        if os.environ.get("CI"):
            pytest.fail("libpython3.11-testsuite is not installed")
        pytest.skip("libpython3.11-testsuite is not installed: see packaging/test-packages.sh")
    return tuple(Message(path.name, path.read_bytes()) for path in sorted(TEST_DATA.iterdir()))


def corpus() -> tuple[Message, ...]:
    """Return every message, in the order in which a maildrop shows them."""
    return (*real(), *HARD, LONG_LINE)

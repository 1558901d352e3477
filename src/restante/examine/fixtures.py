"""The messages the cases put into a maildrop, and what they are on the wire.

A fixture is named after what makes it special. `stored` goes into the store as it is; `wire` is
what RETR has to show after un-stuffing: every line ends in CRLF, the last one too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fixture:
    """One message with a name."""

    name: str
    stored: bytes

    @property
    def wire(self) -> bytes:
        """Return the message as RETR shows it, dot-stuffing undone."""
        lines = self.stored.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return lines if not lines or lines.endswith(b"\r\n") else lines + b"\r\n"

    @property
    def size(self) -> int:
        """Return the octets LIST has to tell."""
        return len(self.wire)

    def top(self, count: int) -> bytes:
        """Return what TOP shows for this number of body lines."""
        header, blank, body = self.wire.partition(b"\r\n\r\n")
        if not blank:
            return self.wire
        lines = body.split(b"\r\n")[:-1]
        return header + blank + b"".join(line + b"\r\n" for line in lines[:count])


def _exactly(name: str, size: int) -> Fixture:
    """Return a message of this size on the wire, whose lines end as most stores have them."""
    head = f"From: sender@example.org\nSubject: {name}\n\n".encode()
    filling = size - len(head.replace(b"\n", b"\r\n")) - 2
    return Fixture(name, head + b"x" * filling + b"\n")


def _plain(name: str, body: bytes) -> Fixture:
    """Return a message with a small header and this body."""
    return Fixture(name, b"From: sender@example.org\nSubject: " + name.encode() + b"\n\n" + body)


def _only_dots(name: str, shift: int, ending: bytes) -> Fixture:
    """Return a message of lone dots, moved by some octets.

    Its line ends recur every two or three octets, so that with each shift some line begins at,
    before or behind every boundary a buffer can have, whatever the status line's length.
    """
    header = b"Subject: dots" + b"x" * shift + ending * 2
    return Fixture(f"{name}-{shift}", header + (b"." + ending) * 50_000)


SIZE_120 = _exactly("one", 120)
SIZE_200 = _exactly("two", 200)
DOTS = _plain("dots", b".\n..\n.x\nx.\n\n.\n.\n")
NO_NEWLINE = _plain("no-newline", b"first line\nlast line without an end")
HEADER_ONLY = Fixture("header-only", b"From: sender@example.org\nSubject: header only\n")
NO_BODY = Fixture("no-body", b"Subject: no body\n\n")
STORED_LF = _plain("stored-lf", b"one\ntwo\n\nthree\n")
STORED_CRLF = Fixture("stored-crlf", b"Subject: crlf\r\n\r\none\r\ntwo\r\n\r\nthree\r\n")
STORED_MIXED = Fixture("stored-mixed", b"Subject: mixed\r\nX-Line: lf\n\none\r\ntwo\nthree\r\n")
TEN_LINES = _plain("ten-lines", b"".join(b"line %d\n" % n for n in range(1, 11)))
TEN_LINES_CRLF = Fixture("ten-lines-crlf", TEN_LINES.wire)
EIGHT_BIT = _plain(
    "eight-bit", "naïve café – \u2603\n".encode() + bytes(range(0x80, 0x100)) + b"\n"
)
LONG_LINE = _plain("long-line", b"before\n" + b"L" * 10_000 + b"\nafter\n")
NUL_INSIDE = _plain("nul-inside", b"before\0after\nnext line\n")
BARE_CR = _plain("bare-cr", b"before\rafter\nnext line\n")
BLANK_LINES = _plain("blank-lines", b"\n\n\n")
FROM_LINES = _plain("from-lines", b"From here to there\n>From quoted\n\nFrom behind a blank\n")
INTERNATIONAL = Fixture(
    "international",
    (
        "From: Jörg <jörg@exämple.example>\nTo: Ælfric <ælfric@exämple.example>\n"
        "Subject: Grüße ☃\n"
        "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh=x; b=y\n"
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: 8bit\n\nfirst line\nzweite Zeile ☃\nthird line\n"
    ).encode(),
)

M0: tuple[Fixture, ...] = ()
M1 = (SIZE_120,)
M2 = (SIZE_120, SIZE_200)
M5 = (SIZE_120, SIZE_200, DOTS, STORED_LF, TEN_LINES)
MD = (DOTS,)
MN = (NO_NEWLINE,)
MH = (HEADER_ONLY,)
ML = (STORED_LF,)
MC = (STORED_CRLF,)
M8 = (EIGHT_BIT,)
COPIES = (SIZE_120, SIZE_120)
EVERY_SHAPE = (
    SIZE_120,
    DOTS,
    NO_NEWLINE,
    HEADER_ONLY,
    NO_BODY,
    STORED_LF,
    STORED_CRLF,
    STORED_MIXED,
    EIGHT_BIT,
    LONG_LINE,
    BLANK_LINES,
)
BOUNDARIES = (
    *(_only_dots("boundary-lf", shift, b"\n") for shift in range(3)),
    *(_only_dots("boundary-crlf", shift, b"\r\n") for shift in range(3)),
)

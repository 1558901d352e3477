"""Messages made from a seed, as a transfer agent delivers them, and what a client must receive.

Nothing is random twice: the same seed and index give the same octets, so that an expectation can
be made without reading the server's files.
"""

import base64
import math
from dataclasses import dataclass
from functools import cache
from random import Random

_WORDS = ["letter", "counter", "parcel", "stamp", "drawer", "postmark", "ledger", "window", "clerk"]
_WORDS += ["evening", "remittance", "grüße", "naïve", "summer.", ".profile", "invoice", "bridge"]
_SIGMA = 1.6
_SMALLEST = 900
_LARGEST = 1_200_000
_LINE = 76


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it lies in a file, with lines ended by LF."""

    index: int
    stored: bytes

    def octets(self) -> int:
        """Return the size on the wire, before stuffing."""
        return len(self.stored) + self.stored.count(b"\n")

    def on_the_wire(self) -> bytes:
        """Return what follows the status line of RETR, terminator included."""
        return _multiline(self.stored)

    def top_on_the_wire(self, lines: int) -> bytes:
        """Return what follows the status line of TOP, terminator included."""
        header, separator, body = self.stored.partition(b"\n\n")
        return _multiline(header + separator + b"".join(body.splitlines(keepends=True)[:lines]))


def mixed_messages(count: int, mean_octets: int, seed: int) -> list[Message]:
    """Make messages of all kinds whose sizes are spread like those of real mail."""
    sizes = _log_normal_sizes(count, mean_octets, Random(seed))
    return [mixed_message(index, size, seed) for index, size in enumerate(sizes)]


def mixed_message(index: int, about_octets: int, seed: int) -> Message:
    """Make one message: text below 8 KiB, above that every fourth still text, else attached."""
    random = Random(seed * 1_000_003 + index)
    if about_octets < 8192 or index % 4 == 0:
        return Message(
            index,
            _headers(index, random, "text/plain; charset=utf-8") + _text(random, about_octets),
        )
    attached = random.randbytes(about_octets * 3 // 4)
    body = (
        b"--limit\nContent-Type: text/plain; charset=utf-8\n\n"
        + _text(random, 600)
        + b"\n--limit\nContent-Type: application/octet-stream\n"
        + b"Content-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(attached)
        + b"\n--limit--\n"
    )
    return Message(index, _headers(index, random, 'multipart/mixed; boundary="limit"') + body)


def small_message(index: int, seed: int) -> Message:
    """Make one message of one to three thousand octets, fast: its lines are cut from one page."""
    random = Random(seed * 1_000_003 + index)
    page = _page()
    start = page.index(b"\n", random.randrange(len(page) // 2)) + 1
    body = page[start : page.index(b"\n", start + 500 + random.randrange(2000)) + 1]
    return Message(index, _headers(index, random, "text/plain; charset=utf-8") + body)


def _log_normal_sizes(count: int, mean_octets: int, random: Random) -> list[int]:
    middle = math.log(mean_octets) - _SIGMA**2 / 2
    drawn = [min(random.lognormvariate(middle, _SIGMA), _LARGEST) for _ in range(count)]
    scale = mean_octets * count / sum(drawn)
    return [max(_SMALLEST, round(size * scale)) for size in drawn]


def _headers(index: int, random: Random, content_type: str) -> bytes:
    lines = [
        "Return-Path: <clerk@example.net>",
        "Delivered-To: owner@example.org",
        f"Received: from mail{random.randrange(90)}.example.net (unknown [192.0.2.{index % 250}])",
        f"\tby mx.example.org (Postfix) with ESMTPS id {random.randrange(1 << 40):010X}",
        "\tfor <owner@example.org>; Mon,  5 Jan 2026 09:10:11 +0000 (UTC)",
        "Date: Mon, 5 Jan 2026 09:10:10 +0000",
        "From: A Clerk <clerk@example.net>",
        "To: Owner <owner@example.org>",
        f"Message-ID: <{index}.{random.randrange(1 << 48):012x}@example.net>",
        f"Subject: Letter {index} about {random.choice(_WORDS)}",
        "MIME-Version: 1.0",
        f"Content-Type: {content_type}",
        "Content-Transfer-Encoding: 8bit",
    ]
    return ("\n".join(lines) + "\n\n").encode()


def _text(random: Random, about_octets: int) -> bytes:
    """Make lines of words; one paragraph in five begins its lines with a dot."""
    paragraph = _paragraph(random, min(about_octets, 4096))
    return (paragraph * (about_octets // len(paragraph) + 1))[:about_octets].rpartition(b"\n")[
        0
    ] + b"\n"


@cache
def _page() -> bytes:
    return _paragraph(Random(0), 1 << 16)


def _paragraph(random: Random, about_octets: int) -> bytes:
    words = random.choices(_WORDS, k=about_octets // 6 + 12)
    lines: list[bytes] = []
    for start in range(0, len(words), 9):
        dot = b"." if random.randrange(20) == 0 else b""
        lines.append(dot + " ".join(words[start : start + 9]).encode()[:_LINE])
    return b"\n".join(lines) + b"\n"


def _multiline(stored: bytes) -> bytes:
    wire = stored.replace(b"\n", b"\r\n").replace(b"\r\n.", b"\r\n..")
    return (b"." + wire if wire.startswith(b".") else wire) + b".\r\n"

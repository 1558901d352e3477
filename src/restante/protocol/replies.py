"""Replies: status lines, multi-line replies, challenges, and the output they queue in.

RFC 1939 §3: a status indicator in upper case, a text, CRLF, 512 octets at the most. RFC 2449 §8: a
response code stands in brackets at the start of the text, so no text of ours holds a bracket. No
octet of a client's ever gets into a reply. Every text is written in English here, and put into the
session's language on its way out.
"""

from binascii import b2a_base64
from collections.abc import Iterable

from restante.protocol.languages import Language

Buffer = bytes | bytearray | memoryview

MAXIMUM_OCTETS = 512
TERMINATION = b".\r\n"
_TEXT = frozenset(map(chr, range(0x20, 0x7F))) - {"["}


def status_line(positive: bool, text: str, code: str | None = None) -> bytes:
    """Return a reply's first line.

    Raises:
        ValueError: the text holds what RFC 2449 §3 does not allow, or is too long.
    """
    if not _TEXT.issuperset(text):
        raise ValueError("a reply's text is printable ASCII without brackets")
    line = "+OK" if positive else "-ERR"
    if code is not None:
        line += f" [{code}]"
    # Quirk(old clients): RFC 1957 wants a space behind the status word, so there is always a text.
    line += f" {text}\r\n"
    if len(line) > MAXIMUM_OCTETS:
        raise ValueError("a reply's first line has at most 512 octets")
    return line.encode("ascii")


class Output:
    """What waits to be sent: buffers in order, handed over uncopied."""

    __slots__ = ("buffers", "language", "octets")

    def __init__(self) -> None:
        self.buffers: list[Buffer] | None = None
        """None while nothing waits: most sessions are idle most of the time."""
        self.octets = 0
        self.language: Language | None = None
        """What LANG has chosen; None: nothing yet."""

    def write(self, data: Buffer) -> None:
        """Queue octets as they are."""
        if self.buffers is None:
            self.buffers = [data]
        else:
            self.buffers.append(data)
        self.octets += len(data)

    def reply(self, line: bytes, *values: int | bytes) -> None:
        """Queue a reply's first line, made once, with values for its places if it has any."""
        if self.language is not None:
            line = self.language.translated(line)
        self.write(line % values if values else line)

    def positive(self, text: str) -> None:
        """Queue `+OK text`."""
        self.reply(status_line(True, text))

    def negative(self, text: str, code: str | None = None) -> None:
        """Queue `-ERR [code] text`."""
        self.reply(status_line(False, text, code))

    def listing(self, text: str, lines: Iterable[Buffer]) -> None:
        """Queue a multi-line reply; its lines end in CRLF and none begins with a dot."""
        self.positive(text)
        for data in lines:
            self.write(data)
        self.write(TERMINATION)

    def challenge(self, data: bytes) -> None:
        """Queue a challenge; an empty one keeps its SPACE (RFC 5034 §4)."""
        self.write(b"+ " + b2a_base64(data, newline=False) + b"\r\n")

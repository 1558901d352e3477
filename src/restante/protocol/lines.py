"""Lines out of octets: where one ends, and which are none.

RFC 1939 §3: a command ends at CRLF. A bare LF ends one as well unless `strict` is set, because
every deployed server takes it; a bare CR or a NUL inside a line spoils the line and nothing else.
A line over its limit is thrown away up to its LF, so that its tail never runs as a command. Memory
is bounded by `ENDLESS_OCTETS`: more than that without an LF is no client.

Results depend on the octets alone, never on how they were cut into segments.
"""

from enum import Enum

from restante.errors import LocalProtocolError

COMMAND_OCTETS = 255
"""RFC 2449 §4: the longest command, CRLF included."""
SASL_OCTETS = 12_288
"""RFC 4954 §4: enough for every mechanism without tokens; also for AUTH with initial response."""
ENDLESS_OCTETS = 8_192
_UNFIT = b"\r\n\0"
"""What a line cannot hold."""
_KEYWORD_OCTETS = 8
"""As far as `starts_like` looks."""


class LineFault(Enum):
    """Why a line is none; the value is the text of the reply."""

    TOO_LONG = "line too long"
    ENDLESS = "line too long, closing"
    BARE_CR = "a carriage return stands alone"
    BARE_LF = "lines end in CRLF"
    NUL = "a line holds a NUL"


class LineBuffer:
    """Octets received and not yet taken as lines."""

    __slots__ = ("_data", "_discarded", "_limit", "_searched", "_start", "_strict", "octets")

    def __init__(self, *, strict: bool = False) -> None:
        self._data = b""
        self._start = 0
        self._searched = 0
        self._discarded = 0
        self._limit = 0
        self._strict = strict
        self.octets = 0
        """How many wait to be taken."""

    def __len__(self) -> int:
        return self.octets

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Take in octets as they came."""
        octets = len(data)
        if not self.octets:
            # Most often nothing is left over, and what came is a command: then nothing is copied.
            self._data = data if type(data) is bytes else bytes(data)
            self.octets = octets
            return
        if self._start:
            self._searched -= self._start
            self._data = self._data[self._start :]
            self._start = 0
        self._data += data
        self.octets += octets

    def starts_like(self, *keywords: bytes) -> bool:
        """Say whether the next line begins with one of these, in upper or lower case."""
        return self._data[self._start : self._start + _KEYWORD_OCTETS].upper().startswith(keywords)

    def next_line(self, limit: int = COMMAND_OCTETS) -> bytes | LineFault | None:
        """Return the next line without its end, a fault in its place, or None for now.

        `limit` counts the line end; a line that has begun to be thrown away keeps its own.
        """
        data = self._data
        # Not where thousands may be: parting them copies what is behind the first, for each anew.
        if len(data) == self.octets <= limit and not self._discarded:
            text, line_end, behind = data.partition(b"\r\n")
            if line_end and not behind and text.translate(None, _UNFIT) == text:
                # One command, whole, alone and without fault: what most clients send mostly.
                self._data = b""
                self.octets = self._searched = 0
                return text
        return self._next_of_many(limit)

    def _next_of_many(self, limit: int) -> bytes | LineFault | None:
        if self._discarded:
            limit = self._limit
        data = self._data
        end = data.find(b"\n", self._searched) + 1
        if not end:
            return self._wait(limit)
        line = data[self._start : end]
        if end == len(data):
            self._data, end = b"", 0
        self._start = self._searched = end
        octets = len(line)
        self.octets -= octets
        if self._discarded:
            octets += self._discarded
            self._discarded = 0
        if octets > limit:
            return LineFault.ENDLESS if octets > endless(limit) else LineFault.TOO_LONG
        if line.endswith(b"\r\n"):
            text = line[:-2]
        elif self._strict:
            return LineFault.BARE_LF
        else:
            text = line[:-1]
        if b"\r" in text:
            return LineFault.BARE_CR
        return LineFault.NUL if b"\0" in text else text

    def _wait(self, limit: int) -> LineFault | None:
        octets = self._discarded + self.octets
        if octets > endless(limit):
            return LineFault.ENDLESS
        if octets > limit:
            self._discarded, self._limit = octets, limit
            self._start, self.octets = len(self._data), 0
        if self._start == len(self._data):
            self._data, self._start = b"", 0
        self._searched = len(self._data)
        return None


class Discarding(LineBuffer):
    """Takes octets that nobody will look at."""

    __slots__ = ()

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Drop them."""


class Refusing(LineBuffer):
    """Takes nothing, while another layer has the connection."""

    __slots__ = ()

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Refuse them.

        Raises:
            LocalProtocolError: always.
        """
        raise LocalProtocolError("octets in clear while TLS is negotiated")


def endless(limit: int) -> int:
    """Return how many octets without LF end the session where lines may have `limit`."""
    return ENDLESS_OCTETS if limit < ENDLESS_OCTETS else limit + ENDLESS_OCTETS

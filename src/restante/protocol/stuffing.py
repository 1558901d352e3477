"""Messages on their way out: dot-stuffing, and the cut that TOP makes.

Both take a message in pieces of any size, lines ending in CRLF, and remember what a boundary may
part. RFC 1939 §3: a line that begins with the termination octet gets another one before it.
"""

_LF = 0x0A
_DOT = 0x2E
_HEAD_OCTETS = 4_096
"""As far as dots come thick in any message, and where most that need stuffing have the first."""
_OCTETS_PER_LOOK = 1_024
"""More dots than one in so many octets, and one search over all is cheaper than a look at each."""


class DotStuffer:
    """The stuffing of one multi-line reply."""

    __slots__ = ("_at_line_start",)

    def __init__(self) -> None:
        self._at_line_start = True

    def stuff(self, data: bytes) -> bytes:
        """Return the next piece with its dots stuffed."""
        if not data:
            return data
        first = self._at_line_start and data[0] == _DOT
        self._at_line_start = data[-1] == _LF
        data = _stuff_within(data)
        return b"." + data if first else data


def _stuff_within(data: bytes) -> bytes:
    start = _first_line_with_dot(data)
    if start < 0:
        return data
    end = data.rfind(b".") + 1
    if end - start > len(data) // 2:
        # Parting and joining looks for what parts once, `replace` does so twice.
        return b"\n..".join(data.split(b"\n."))
    # Behind a text comes an attachment most often: there is nothing more to look for in there.
    view = memoryview(data)
    return b"".join((view[:start], data[start:end].replace(b"\n.", b"\n.."), view[end:]))


def _first_line_with_dot(data: bytes) -> int:
    """Return where the line end before the first line that begins with a dot is; -1: nowhere."""
    start = data.find(b"\n.", 0, _HEAD_OCTETS)
    if start >= 0 or len(data) <= _HEAD_OCTETS:
        return start
    # One octet is found twenty times faster than two, and most octets of mail are in attachments
    # that hold no dot: look behind each dot, and only where there are many let a search go over
    # the rest.
    dot = data.find(b".", _HEAD_OCTETS - 1)
    for _ in range(len(data) // _OCTETS_PER_LOOK):
        if dot < 0:
            return -1
        if data[dot - 1] == _LF:
            return dot - 1
        dot = data.find(b".", dot + 1)
    return data.find(b"\n.", dot - 1) if dot >= 0 else -1


class TopCut:
    """The part of a message that TOP shows: header, empty line, some lines of the body.

    RFC 1939 §7 (TOP); lines are counted before they are stuffed.
    """

    __slots__ = ("_body_lines", "_in_header", "_line_octets", "done")

    def __init__(self, lines: int) -> None:
        self._body_lines = lines
        self._in_header = True
        self._line_octets = 0
        self.done = False
        """Nothing of what follows will be shown."""

    def cut(self, data: bytes) -> bytes:
        """Return what is shown of the next piece."""
        if self.done:
            return b""
        body = self._header_end(data) if self._in_header else 0
        if self._in_header:
            return data
        end = self._body_end(data, body)
        return data if end == len(data) else data[:end]

    def _header_end(self, data: bytes) -> int:
        start = 0
        while (newline := data.find(b"\n", start)) >= 0:
            octets = self._line_octets + newline + 1 - start
            self._line_octets, start = 0, newline + 1
            if octets == len(b"\r\n"):
                self._in_header = False
                return start
        self._line_octets += len(data) - start
        return start

    def _body_end(self, data: bytes, start: int) -> int:
        if self._body_lines and data.count(b"\n", start) < self._body_lines:
            self._body_lines -= data.count(b"\n", start)
            return len(data)
        while self._body_lines:
            start = data.find(b"\n", start) + 1
            self._body_lines -= 1
        self.done = True
        return start

"""From stored octets to octets on the wire, and how many those are.

Lines of a stored message end in LF, CRLF or either; on the wire every line ends in CRLF, and so
does the last one where the message has any octets (RFC 1939 §11). A CR that no LF follows is kept,
and so are NUL and octets above 127. Dots are stuffed by the protocol, not here.

Replacing one octet is the fastest way to look for it and even to count it, hence how it is done.
"""

_CR, _LF = 0x0D, 0x0A


class WireEncoder:
    """An encoder of one message that comes in pieces."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = b"\n"

    def feed(self, data: bytes) -> bytes:
        """Return the octets on the wire of the next piece: some for every piece that has any."""
        if not data:
            return b""
        last, self._last = self._last, data[-1:]
        if last == b"\r" and data[0] == _LF:
            # Its CR has gone out already.
            return b"\n" + _encode(data[1:])
        return _encode(data)

    def end(self) -> bytes:
        """Return what is due behind the last piece, once."""
        last, self._last = self._last, b"\n"
        return b"" if last == b"\n" else b"\r\n"


class WireCounter:
    """A count of the octets on the wire of one message that comes in pieces."""

    __slots__ = ("_last", "_octets")

    def __init__(self) -> None:
        self._octets = 0
        self._last = b"\n"

    def feed(self, data: bytes) -> None:
        """Count the next piece."""
        if not data:
            return
        octets = _count(data)
        if self._last == b"\r" and data[0] == _LF:
            octets -= 1
        self._octets += octets
        self._last = data[-1:]

    @property
    def octets(self) -> int:
        """What it comes to if nothing follows."""
        return self._octets if self._last == b"\n" else self._octets + 2


def count(message: bytes) -> int:
    """Return the octets on the wire of a whole message."""
    if not message:
        return 0
    return _count(message) if message[-1] == _LF else _count(message) + 2


def encode(message: bytes) -> bytes:
    """Return a whole message as it goes over the wire."""
    if not message:
        return b""
    wire = _encode(message)
    return wire if message[-1] == _LF else wire + b"\r\n"


def _count(data: bytes) -> int:
    octets = 2 * len(data) - len(data.replace(b"\n", b""))
    return octets - data.count(b"\r\n") if _CR in data else octets


def _encode(data: bytes) -> bytes:
    if _CR in data:
        data = data.replace(b"\r\n", b"\n")
    return data.replace(b"\n", b"\r\n")

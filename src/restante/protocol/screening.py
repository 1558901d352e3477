"""Headers looked through before they go out, for clients that take ASCII alone there.

RFC 6856 §2.1: to a client that has not said UTF8 no string beyond ASCII is sent as it is. A reply
cannot be taken back, so nothing of a message goes out before its header is known to be fit. It is
the message's own header that counts: bodies are 8bit for everybody, headers of parts are bodies.
"""

from restante.protocol.replies import status_line

HELD_OCTETS = 1_048_576
"""The longest header that is looked through; ten times what mail servers take in."""
NEEDS_UTF8 = status_line(False, "this message can be read in UTF8 mode only", "UTF8")
HEADER_TOO_LONG = "the header of this message is too long"
TOO_LONG = status_line(False, HEADER_TOO_LONG)
_BLANK_LINE = b"\r\n\r\n"


class HeaderScreen:
    """The header of one message, held back for as long as it may turn out to be unfit."""

    __slots__ = ("_held", "_passed", "refusal")

    def __init__(self) -> None:
        self._held = b""
        self._passed = False
        self.refusal: bytes | None = None
        """The reply to give instead of the message, once that is known."""

    def screen(self, data: bytes) -> bytes:
        """Return what may go out now that the next piece has come."""
        if self._passed:
            return data
        seen = len(self._held)
        held = self._held = self._held + data if seen else data
        end = header_end(held, seen)
        if not (held if end < 0 else held[:end]).isascii():
            self.refusal = NEEDS_UTF8
        elif end < 0:
            if len(held) > HELD_OCTETS:
                self.refusal = TOO_LONG
            return b""
        if self.refusal is not None:
            return b""
        self._passed, self._held = True, b""
        return held

    def end(self) -> bytes:
        """Return what is left: all of a message that is a header and nothing else."""
        held, self._held = self._held, b""
        return held


def header_end(data: bytes, seen: int) -> int:
    """Return where the empty line begins, looked for behind what was `seen`; -1: further on."""
    if data.startswith(b"\r\n"):
        return 0
    found = data.find(_BLANK_LINE, max(0, seen + 1 - len(_BLANK_LINE)))
    return found if found < 0 else found + len(b"\r\n")

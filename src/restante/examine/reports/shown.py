"""What a server said, in characters that do nothing but stand there.

Printable ASCII shows itself, the backslash excepted; everything else is an escape as Python and C
write it. So no control character, no terminal sequence and no mark that turns the direction of
writing reaches a reader, and the octets can be told from what is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from restante.examine.examination import Server
from restante.examine.record import Utterance

SHOWN_OCTETS = 1_000
SHOWN_LINES = 20
"""Of one utterance, where people read it; `as_json.py` gives all that was recorded."""

TEXT_LIMIT = 2_000
CAPABILITIES_LIMIT = 100
_OURS = "§"
"""What is beyond ASCII in the titles and sources of the cases."""

_NAMED = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x5C: "\\\\"}
_OCTETS = {n: _NAMED.get(n) or (chr(n) if 0x20 <= n <= 0x7E else f"\\x{n:02x}") for n in range(256)}

Announced = dict[str, dict[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a dialogue and its end; `speaker` is "…" for what is left out of the last one.

    The connection is 0 where there is only one, or where none is meant.
    """

    connection: int
    speaker: str
    text: str
    end: str = ""

    @property
    def who(self) -> str:
        """Return who says it on which connection, as it stands before the text."""
        mark = self.speaker if self.speaker == "…" else f"{self.speaker}:"
        return f"{self.connection} {mark}" if self.connection else mark


def escaped(octets: bytes) -> str:
    """Return octets so that each can be told."""
    return octets.decode("latin-1").translate(_OCTETS)


def escaped_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return text of the server's, every octet one character, so that each can be told."""
    return _clipped("".join(_OCTETS.get(ord(c)) or _beyond(c) for c in text[:limit]), text, limit)


def cleaned(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return text of the suite's, which quotes the server in escapes already."""
    kept = (c if " " <= c <= "~" or c in _OURS else _beyond(c) for c in text[:limit])
    return _clipped("".join(kept), text, limit)


def lines_of(dialogue: Sequence[Utterance]) -> Iterator[Line]:
    """Yield a dialogue line by line, long utterances cut."""
    several = len({said.connection for said in dialogue if said.connection}) > 1
    for said in dialogue:
        connection = said.connection if several else 0
        pieces = said.octets[:SHOWN_OCTETS].split(b"\n")
        lines = [piece + b"\n" for piece in pieces[:-1]] + [pieces[-1]] * bool(pieces[-1])
        for line in lines[:SHOWN_LINES]:
            text = line.removesuffix(b"\n").removesuffix(b"\r") if line[-1:] == b"\n" else line
            yield Line(connection, said.speaker, escaped(text), escaped(line[len(text) :]))
        shown = sum(map(len, lines[:SHOWN_LINES]))
        if left_out := len(said.octets) - shown + said.left_out:
            yield Line(connection, "…", f"{left_out:,} octets more")


def announced(capabilities: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Announced:
    """Return what a server announces, fit to be shown."""
    return {
        where: {
            escaped_text(tag, 80): tuple(
                escaped_text(parameter, 200) for parameter in parameters[:CAPABILITIES_LIMIT]
            )
            for tag, parameters in list(listed.items())[:CAPABILITIES_LIMIT]
        }
        for where, listed in capabilities.items()
    }


def address_of(server: Server) -> str:
    """Return where the server listens, as in a URL."""
    host = cleaned(server.host)
    return f"[{host}]:{server.port}" if ":" in host else f"{host}:{server.port}"


def tls_of(server: Server) -> str:
    """Return how the server comes to TLS."""
    version = f", {cleaned(server.tls_version)}" if server.tls_version else ""
    return {"none": "no TLS", "stls": "STLS", "implicit": "TLS from the start"}[
        server.tls.value
    ] + version


def _beyond(character: str) -> str:
    """Return the escape of a character that is not printable ASCII."""
    number = ord(character)
    if number < 0x100:
        return _OCTETS[number]
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _clipped(shown: str, text: str, limit: int) -> str:
    """Return what is shown, with a remark where there was more."""
    return shown if len(text) <= limit else f"{shown} [{len(text) - limit:,} characters more]"

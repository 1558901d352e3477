"""What a report must never tell: passwords, in every form a server may give them back in.

A server that echoes what it was sent is the usual way a password gets into a report. It may echo
it in capitals, cut short, in escapes, in hexadecimal, in base64 or inside the base64 of a longer
message; all of these are looked for. A form is found by any eight characters of it, so that a
piece is found as well, and a form of fewer by all of them.
"""

from __future__ import annotations

import base64
import contextlib
import html
import re
import string
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

HIDDEN = "{secret}"

_GRAM = 8
_WORD_ONLY = 3
"""A form no longer than this is only looked for as a word of its own: it is part of too many."""
_SHORTEST_CORE = 5
_SHORTEST_PIECE = 5
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_URL_SAFE = str.maketrans("-_", "+/")
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]{5,}")
_CUT = re.compile(r"['\"\r\n]|\Z")


class Redaction:
    """The secrets of an examination, and the text they are kept out of."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._grams: dict[int, set[str]] = {}
        self._cores: dict[int, set[str]] = {}
        self._words: set[str] = set()
        self._pieces: set[str] = set()

    def add(self, secrets: Iterable[bytes]) -> None:
        """Keep these out from now on."""
        for secret in secrets:
            if secret and secret not in self._known:
                self._known.add(secret)
                self._learn(secret)

    def octets(self, octets: bytes, *, cut: bool = True) -> bytes:
        """Return octets with every secret replaced."""
        return self.text(octets.decode("latin-1"), cut=cut).encode("latin-1")

    def text(self, text: str, *, cut: bool = True) -> str:
        """Return text with every secret replaced, and its head where the text may be `cut`."""
        if not self._known:
            return text
        text = _BASE64.sub(self._without_core, text)
        lowered = text.translate(_LOWER)
        places = [*_found(lowered, self._grams), *(self._heads(lowered) if cut else ())]
        text = _replaced(text, sorted(places))
        for word in self._words:
            text = re.sub(f"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", HIDDEN, text, flags=re.I)
        return text

    def _learn(self, secret: bytes) -> None:
        """Take a secret into what is looked for."""
        for form in forms(secret):
            lowered = form.translate(_LOWER)
            if len(lowered) <= _WORD_ONLY:
                self._words.add(lowered)
                continue
            _learn_grams(lowered, self._grams)
            longest = min(len(lowered), _GRAM)
            self._pieces.update(lowered[:size] for size in range(_SHORTEST_PIECE, longest))
        for core in cores(secret):
            _learn_grams(core.translate(_LOWER), self._cores)

    def _without_core(self, token: re.Match[str]) -> str:
        """Return nothing of a word of base64 that holds a secret."""
        lowered = token[0].translate(_URL_SAFE).translate(_LOWER)
        found = next(_found(lowered, self._cores), None)
        return token[0] if found is None else HIDDEN

    def _heads(self, lowered: str) -> Iterator[tuple[int, int]]:
        """Yield where the head of a secret stands right before a cut.

        A server may cut what it echoes, and who quotes a long reply may cut that.
        """
        for cut in _CUT.finditer(lowered):
            end = cut.start()
            for start in range(max(end - _GRAM + 1, 0), end - _SHORTEST_PIECE + 1):
                if lowered[start:end] in self._pieces:
                    yield start, end


def forms(secret: bytes) -> set[str]:
    """Return what a secret may look like in a reply, octets told as characters."""
    bare = {secret, secret.strip()} - {b""}
    found = set()
    for octets in bare:
        readings = {octets.decode("latin-1")}
        with contextlib.suppress(UnicodeDecodeError):
            readings.add(octets.decode("utf-8"))
        found |= readings
        found |= {ascii(reading)[1:-1] for reading in readings} | {repr(octets)[2:-1]}
        found |= {html.escape(reading) for reading in readings}
        found |= {quote(octets, safe=""), quote_plus(octets)}
        found |= {octets.hex(), octets.hex(" "), octets.hex(":")}
        found |= {"\0".join(reading) for reading in readings}
        found.add(base64.b64encode(octets).decode("ascii").rstrip("="))
    return found


def cores(secret: bytes) -> set[str]:
    """Return what any base64 of a message with the secret inside has to contain."""
    found = set()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret).decode("ascii")
        first = (shift * 8 + 5) // 6
        last = (shift + len(secret)) * 8 // 6
        core = encoded[first:last]
        if len(core) >= _SHORTEST_CORE:
            found.add(core)
    return found


def _learn_grams(form: str, into: dict[int, set[str]]) -> None:
    """Add every run of eight characters of a form, or the form where it is shorter."""
    size = min(len(form), _GRAM)
    grams = into.setdefault(size, set())
    grams.update(form[at : at + size] for at in range(len(form) - size + 1))


def _found(lowered: str, grams: dict[int, set[str]]) -> Iterator[tuple[int, int]]:
    """Yield where each of the grams stands."""
    for size, wanted in grams.items():
        starts = range(len(lowered) - size + 1)
        yield from [(at, at + size) for at in starts if lowered[at : at + size] in wanted]


def _replaced(text: str, places: list[tuple[int, int]]) -> str:
    """Return text with these places, which may overlap, replaced."""
    kept: list[str] = []
    done = 0
    for start, end in places:
        # What touches the place before is one secret with it.
        if start > done or not kept:
            kept += [text[done:start], HIDDEN]
        done = max(done, end)
    kept.append(text[done:])
    return "".join(kept)

"""Languages of the texts in replies, and how a client's range finds one (RFC 6856 §3, RFC 4647).

English is what the rest of the code is written in; another language is a table from the English
text to its own. Indicators and response codes are nobody's language and pass through, and so does a
text that a table lacks. Tags are all in lower case.
"""

import re
from collections.abc import Mapping, Sequence

from restante.protocol.german import GERMAN

ANY = "*"
_FIRST_LINE = re.compile(rb"((?:\+OK|-ERR)(?: \[[^\]]*\])?(?: %b)? )(.*)\r\n")


class Language:
    """One language, by its tag (RFC 5646)."""

    __slots__ = ("_texts", "listing", "tag")

    def __init__(self, tag: str, name: str, texts: Mapping[str, str]) -> None:
        self.tag = tag
        self.listing = f"{tag} {name}\r\n".encode()
        """The line of a listing, with the name that the language has for itself."""
        self._texts = {english.encode("ascii"): text.encode() for english, text in texts.items()}

    def translated(self, line: bytes) -> bytes:
        """Return the first line of a reply in this language; places for values stay."""
        parts = _FIRST_LINE.fullmatch(line)
        assert parts is not None
        text = self._texts.get(parts[2])
        return line if text is None else b"%b%b\r\n" % (parts[1], text)


LANGUAGES = {
    language.tag: language
    for language in (Language("en", "English", {}), Language("de", "Deutsch", GERMAN))
}


def look_up(language_range: str, offered: Sequence[str]) -> Language | None:
    """Return the language that a range finds among the tags offered, the site's own first.

    RFC 4647 §3.4: what the range says too much is cut off from its end; a single letter or digit
    has no meaning without what follows it.
    """
    if language_range == ANY:
        return LANGUAGES[offered[0]]
    subtags = language_range.lower().split("-")
    while subtags:
        tag = "-".join(subtags)
        if tag in offered:
            return LANGUAGES[tag]
        subtags.pop()
        if subtags and len(subtags[-1]) == 1:
            subtags.pop()
    return None

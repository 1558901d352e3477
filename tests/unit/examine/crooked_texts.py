"""UTF8 and LANG on the crooked server: names prepared, mail replaced, texts in two languages."""

from __future__ import annotations

import re
import stringprep
import unicodedata
from email.header import Header

from unit.examine.crooked_transaction import Transaction

LANGUAGES = {"en": "what", "de": "wie bitte, schön"}
ADDRESS = rb"[^\s<>,;:]*[\x80-\xff][^\s<>,;:]*"


def prepared(text: str) -> str:
    """Return the text after the steps of SASLprep that matter here."""
    kept = "".join(c for c in text if not stringprep.in_table_b1(c))
    normal = unicodedata.normalize("NFKC", kept)
    if any(_is_prohibited(c) for c in normal):
        raise ValueError(text)
    return normal


def _is_prohibited(character: str) -> bool:
    tables = (stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c8)
    return any(table(character) for table in tables)


def without_prohibited(text: str) -> str:
    """Return the text prepared, with what is prohibited thrown away."""
    return prepared("".join(c for c in text if not _is_prohibited(c)))


def surrogate(wire: bytes) -> bytes:
    """Return what RFC 6858 makes of a message."""
    header, blank, body = wire.partition(b"\r\n\r\n")
    lines = []
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if line.isascii():
            lines.append(line)
        elif name in (b"From", b"To"):
            lines.append(name + b": gone <invalid@internationalized.invalid>")
        elif name == b"Subject":
            lines.append(b"Subject: " + Header(value.decode(), "utf-8").encode().encode())
    return b"\r\n".join(lines) + blank + body


def bad_surrogate(wire: bytes) -> bytes:
    """Return what a careless server makes of a message."""
    header, blank, body = wire.partition(b"\r\n\r\n")
    stripped = re.sub(rb"[\x80-\xff]", b"", header)
    kept = [line for line in stripped.split(b"\r\n") if not line.startswith((b"DKIM", b"Subj"))]
    return b"\r\n".join(kept) + blank + body


class Texts(Transaction):
    """The mode, the language and the commands that set them."""

    server_offers_texts = True

    def __init__(self) -> None:
        super().__init__()
        self.language = "en"

    def do_utf8(self, rest: str, arguments: list[str]) -> bool:
        """Switch the mode on."""
        if (arguments and "ignores-surplus" not in self.faults) or "no-utf8" in self.faults:
            return self.no()
        self.utf8 = True
        self.say("+OK from now on")
        return True

    def do_lang(self, rest: str, arguments: list[str]) -> bool:
        """Choose or list languages."""
        strange = "lang-strange" in self.faults
        if not arguments:
            text = "".join(f"{tag}{' * ' if strange else ' '}{tag}\x07\r\n" for tag in LANGUAGES)
            self.say("+OK", lines=text.replace("\x07", "\x07" if strange else "").encode())
            return True
        wanted = "de" if arguments == ["*"] else arguments[0]
        if "lang-tells" in self.faults and arguments == ["*"]:
            wanted = "en" if getattr(self, "user", "") in self.known_names() else "de"
        if wanted not in LANGUAGES or len(arguments) > 1:
            if "lang-sticky" in self.faults:
                self.language = "de"
            return self.no(self.spoken())
        self.language = wanted
        self.say("+OK" if strange else f"+OK {wanted} {self.spoken()}")
        return True

    def spoken(self) -> str:
        """Return a text in the language chosen, octet for character."""
        return LANGUAGES[self.language].encode().decode("latin-1")

    def known_names(self) -> set[str]:
        """Return who has an account."""
        return set()

    def wire(self, index: int) -> bytes:
        """Return a message as this mode shows it."""
        octets = super().wire(index)
        if self.utf8:
            return octets + b"more\r\n" if "utf8-mangles" in self.faults else octets
        header = octets.partition(b"\r\n\r\n")[0]
        if header.isascii() or "raw-headers" in self.faults or not self.server_offers_texts:
            return octets
        return bad_surrogate(octets) if "bad-surrogate" in self.faults else surrogate(octets)

    def unique_id(self, index: int) -> str:
        """Return a unique-id, which the mode should not change."""
        mangled = self.utf8 and "utf8-mangles" in self.faults
        return super().unique_id(index) + "m" * mangled

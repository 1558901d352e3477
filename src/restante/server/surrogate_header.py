"""Surrogates of headers beyond ASCII (RFC 6858): what a client that knows ASCII alone is shown.

What can be shown as it is stays, octet for octet, signatures too. An address that cannot becomes
one that is nobody's, with what it was in its name; a subject is encoded (RFC 2047); a parameter or
any other field is left out. Whatever is not understood at once is treated as the worst case: no
address may come out that the message did not have.
"""

import re
from binascii import b2a_base64

NOBODY = "nobody@international.invalid"
"""RFC 2606 §2: no name below .invalid is anybody's."""
ADDRESSES = frozenset(
    (
        *("bcc", "cc", "from", "reply-to", "return-path", "sender", "to"),
        *("resent-bcc", "resent-cc", "resent-from", "resent-sender", "resent-to"),
    )
)
WITH_PARAMETERS = frozenset({"content-disposition", "content-type"})
_WORD_OCTETS = 45
"""Of a text in one encoded word: with these it is 72 characters long, of 75 (RFC 2047 §2)."""
_FOLD = "\r\n "
_FIELD_START = re.compile(rb"(?<=\n)(?![ \t])")
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_MAILBOX = rf'(?:{_QUOTED}|<[^<>]*+>|[^",<>():;])++'
_MAILBOXES = re.compile(rf"(?:{_MAILBOX})?+(?:,(?:{_MAILBOX})?+)*+")
_ONE_MAILBOX = re.compile(_MAILBOX)
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>\s*")
_SIMPLE_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_PARAMETER = rf'(?:{_QUOTED}|[^";])*+'
_PARAMETERS = re.compile(rf"{_PARAMETER}(?:;{_PARAMETER})*+")
_ONE_PARAMETER = re.compile(rf"(?:{_QUOTED}|[^\";])++")


def surrogate(header: bytes) -> bytes:
    """Return the fields of a header in ASCII; every line of it ends in CRLF."""
    if header.isascii():
        return header
    return b"".join(map(_field, _FIELD_START.split(header)))


def _field(field: bytes) -> bytes:
    if field.isascii():
        return field
    name, colon, octets = field.partition(b":")
    if not colon or not name.isascii():
        return b""
    codec, charset = "utf-8", "utf-8"
    try:
        octets.decode(codec)
    except UnicodeDecodeError:
        # RFC 1428 §3: nobody knows of which charset it is.
        codec, charset = "latin-1", "unknown-8bit"
    value = Value(octets, codec, charset)
    shown = _shown(name.decode("ascii").strip().lower(), value)
    return b"" if shown is None else b"%b: %b\r\n" % (name, shown.encode("ascii"))


def _shown(key: str, value: "Value") -> str | None:
    """Return what a field's value becomes; None: the field is left out."""
    if key == "subject":
        return value.encoded(value.text)
    if key == "return-path":
        return f"<{NOBODY}>"
    if key in ADDRESSES:
        return _addresses(value)
    return _parameters(value.text) if key in WITH_PARAMETERS else None


class Value:
    """The value of a field, unfolded, and how its text is encoded."""

    def __init__(self, octets: bytes, codec: str, charset: str) -> None:
        self._codec, self._charset = codec, charset
        self.text = octets.replace(b"\r\n", b"").decode(codec).strip()

    def encoded(self, text: str) -> str:
        """Return a text of it in encoded words, none of which parts a character."""
        words, word = [], b""
        for character in text:
            octets = character.encode(self._codec)
            if len(word) + len(octets) > _WORD_OCTETS:
                words.append(word)
                word = b""
            word += octets
        words.append(word)
        return _FOLD.join(map(self._word, words))

    def _word(self, octets: bytes) -> str:
        return f"=?{self._charset}?b?{b2a_base64(octets, newline=False).decode('ascii')}?="


def _addresses(value: Value) -> str:
    if _MAILBOXES.fullmatch(value.text) is None:
        # A group, a comment, or nothing that has a form: all of it together.
        return _nobody(value, value.text)
    found = [each.strip() for each in _ONE_MAILBOX.findall(value.text)]
    return f",{_FOLD}".join(_mailbox(value, each) for each in found if each)


def _mailbox(value: Value, mailbox: str) -> str:
    if mailbox.isascii():
        return mailbox
    named = _NAMED.fullmatch(mailbox)
    if named is None:
        return _nobody(value, mailbox)
    name, address = named[1].strip().strip('"'), named[2].strip()
    if name and _SIMPLE_ADDRESS.fullmatch(address):
        return f"{value.encoded(name)} <{address}>"
    return _nobody(value, name or address)


def _nobody(value: Value, instead: str) -> str:
    return f"{value.encoded(instead)} <{NOBODY}>"


def _parameters(text: str) -> str | None:
    if _PARAMETERS.fullmatch(text) is None:
        return None
    first, *parameters = [each.strip() for each in _ONE_PARAMETER.findall(text)]
    if not first.isascii():
        return None
    return f";{_FOLD}".join((first, *(each for each in parameters if each and each.isascii())))

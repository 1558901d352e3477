"""Commands of a POP3 client: keywords, arguments, and what makes a line none.

Grammar is RFC 2449 §3: a keyword, then arguments parted by single SPACEs; RFC 1939 §7 (PASS) makes
the one exception, a password may hold spaces. Whether a command is legal now is `legality`'s
matter, whether a message of that number exists the session's.
"""

import re
from collections.abc import Callable
from enum import Enum, StrEnum
from typing import NamedTuple


class Verb(StrEnum):
    """What a client can ask for; a StrEnum because its hash, unlike an Enum's, is made in C."""

    APOP = "APOP"
    AUTH = "AUTH"
    CAPA = "CAPA"
    DELE = "DELE"
    LANG = "LANG"
    LIST = "LIST"
    NOOP = "NOOP"
    PASS = "PASS"
    QUIT = "QUIT"
    RETR = "RETR"
    RSET = "RSET"
    STAT = "STAT"
    STLS = "STLS"
    TOP = "TOP"
    UIDL = "UIDL"
    USER = "USER"
    UTF8 = "UTF8"


class Command(NamedTuple):
    """One command with its arguments; what a verb does not take is at its default."""

    verb: Verb
    number: int | None = None
    lines: int | None = None
    name: bytes = b""
    """Of a user or a mechanism, or a range of languages."""
    data: bytes | None = None
    """The password, the digest, or the initial response as sent."""

    def __repr__(self) -> str:
        return f"Command({self.verb}, …)"


class BadSyntax(Enum):
    """Why a line is no command; the value is the text of the reply and echoes nothing."""

    UNKNOWN = "unknown command"
    NO_ARGUMENT = "this command takes no argument"
    ONE_NUMBER = "one message number expected"
    TWO_NUMBERS = "a message number and a number of lines expected"
    ONE_NAME = "one user name expected"
    NAME_AND_DIGEST = "a user name and a digest of 32 hexadecimal digits expected"
    NO_PASSWORD = "a password is missing"
    NOT_ASCII = "only printable ASCII is taken here"
    NOT_UTF8 = "only printable characters in UTF-8 are taken here"
    MECHANISM = "a mechanism and at most an initial response expected"
    LANGUAGE = "a range of languages expected"


MAXIMUM_DIGITS = 10
MAXIMUM_MECHANISM = 20
_MECHANISM_OCTETS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_VISIBLE = frozenset(range(0x21, 0x7F))
_PRINTABLE = frozenset(range(0x20, 0x7F))
_CONTROLS = frozenset((*range(0x20), 0x7F))
_HEXADECIMAL = frozenset(b"0123456789abcdef")
_DIGEST_DIGITS = 32
_RANGE = re.compile(rb"\*|[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
"""RFC 4647 §2.1: a basic language range."""


def number(argument: bytes) -> int | None:
    """Return the value of one to ten ASCII digits; None for anything else.

    `int` alone would take signs, underscores and blanks; `bytes.isdigit` knows ASCII only.
    """
    if argument.isdigit() and len(argument) <= MAXIMUM_DIGITS:
        return int(argument)
    return None


def parse(line: bytes, *, utf8: bool = False) -> Command | BadSyntax:
    """Return the command of a line that has lost its line end, or why it is none.

    `utf8`: names and passwords may go beyond ASCII (RFC 6856 §2.2).
    """
    bare = _BARE_LINES.get(line)
    if bare is not None:
        return bare
    keyword, space, rest = line.partition(b" ")
    grammar = (_GRAMMAR_IN_UTF8 if utf8 else _GRAMMAR).get(keyword.upper())
    if grammar is None:
        return BadSyntax.UNKNOWN
    verb, arguments = grammar
    return arguments(verb, bool(space), rest)


def _nothing(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    if space:
        return BadSyntax.NO_ARGUMENT
    return _BARE[verb]


def _optional_number(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    return _one_number(verb, space, rest) if space else _BARE[verb]


def _one_number(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    value = number(rest)
    if value is None:
        return BadSyntax.ONE_NUMBER
    return Command(verb, value)


def _two_numbers(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    first, _, second = rest.partition(b" ")
    value, lines = number(first), number(second)
    if value is None or lines is None:
        return BadSyntax.TWO_NUMBERS
    return Command(verb, value, lines)


def _user(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    if not rest or b" " in rest:
        return BadSyntax.ONE_NAME
    if not _VISIBLE.issuperset(rest):
        return BadSyntax.NOT_ASCII
    return Command(verb, name=rest)


def _user_in_utf8(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    if not rest.isascii() and b" " not in rest:
        return Command(verb, name=rest) if _is_text(rest) else BadSyntax.NOT_UTF8
    return _user(verb, space, rest)


def _password(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    # RFC 1939 §7 (PASS): everything behind the first SPACE is the password, octet for octet.
    if not rest:
        return BadSyntax.NO_PASSWORD
    if not _PRINTABLE.issuperset(rest):
        return BadSyntax.NOT_ASCII
    return Command(verb, data=rest)


def _password_in_utf8(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    if not rest.isascii():
        return Command(verb, data=rest) if _is_text(rest) else BadSyntax.NOT_UTF8
    return _password(verb, space, rest)


def _is_text(data: bytes) -> bool:
    """Say whether octets are well-formed UTF-8 (RFC 3629) without a control of ASCII's."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _CONTROLS.isdisjoint(data)


def _name_and_digest(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    name, _, digest = rest.partition(b" ")
    # RFC 1939 §7 (APOP) has lower case; a digest in upper case proves as much.
    digest = digest.lower()
    if not name or len(digest) != _DIGEST_DIGITS or not _HEXADECIMAL.issuperset(digest):
        return BadSyntax.NAME_AND_DIGEST
    if not _VISIBLE.issuperset(name):
        return BadSyntax.NOT_ASCII
    return Command(verb, name=name, data=digest)


def _name_and_digest_in_utf8(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    name, _, digest = rest.partition(b" ")
    if name.isascii():
        return _name_and_digest(verb, space, rest)
    if not _is_text(name):
        return BadSyntax.NOT_UTF8
    # The digest is held to its shape beside a name that has no say in that.
    command = _name_and_digest(verb, space, b"- " + digest)
    return command._replace(name=name) if isinstance(command, Command) else command


def _language(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    if not space:
        return _BARE[verb]
    return Command(verb, name=rest) if _RANGE.fullmatch(rest) else BadSyntax.LANGUAGE


def _mechanism(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    name, more, response = rest.partition(b" ")
    name = name.upper()
    if not name or len(name) > MAXIMUM_MECHANISM or not _MECHANISM_OCTETS.issuperset(name):
        return BadSyntax.MECHANISM
    if more and (not response or b" " in response):
        return BadSyntax.MECHANISM
    return Command(verb, name=name, data=response if more else None)


_Arguments = Callable[[Verb, bool, bytes], Command | BadSyntax]

_BARE = {verb: Command(verb) for verb in Verb}

_SHAPES: dict[_Arguments, tuple[Verb, ...]] = {
    _nothing: (Verb.CAPA, Verb.NOOP, Verb.QUIT, Verb.RSET, Verb.STAT, Verb.STLS, Verb.UTF8),
    _optional_number: (Verb.LIST, Verb.UIDL),
    _one_number: (Verb.DELE, Verb.RETR),
    _two_numbers: (Verb.TOP,),
    _user: (Verb.USER,),
    _password: (Verb.PASS,),
    _mechanism: (Verb.AUTH,),
    _name_and_digest: (Verb.APOP,),
    _language: (Verb.LANG,),
}

_GRAMMAR: dict[bytes, tuple[Verb, _Arguments]] = {
    verb.value.encode(): (verb, shape) for shape, verbs in _SHAPES.items() for verb in verbs
}

_GRAMMAR_IN_UTF8 = _GRAMMAR | {
    b"USER": (Verb.USER, _user_in_utf8),
    b"PASS": (Verb.PASS, _password_in_utf8),
    b"APOP": (Verb.APOP, _name_and_digest_in_utf8),
}

# Most commands of most sessions are these very octets.
_BARE_LINES: dict[bytes, Command] = {
    verb.value.encode(): _BARE[verb]
    for shape in (_nothing, _optional_number, _language)
    for verb in _SHAPES[shape]
}

"""Commands of a POP3 client: keywords, arguments, and what makes a line none.

Grammar is RFC 2449 §3: a keyword, then arguments parted by single SPACEs; RFC 1939 §7 (PASS) makes
the one exception, a password may hold spaces. Whether a command is legal now is `legality`'s
matter, whether a message of that number exists the session's.
"""

from collections.abc import Callable
from enum import Enum, StrEnum
from typing import NamedTuple


class Verb(StrEnum):
    """What a client can ask for; a StrEnum because its hash, unlike an Enum's, is made in C."""

    APOP = "APOP"
    AUTH = "AUTH"
    CAPA = "CAPA"
    DELE = "DELE"
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


class Command(NamedTuple):
    """One command with its arguments; what a verb does not take is at its default."""

    verb: Verb
    number: int | None = None
    lines: int | None = None
    name: bytes = b""
    """Of a user or a mechanism."""
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
    MECHANISM = "a mechanism and at most an initial response expected"


MAXIMUM_DIGITS = 10
MAXIMUM_MECHANISM = 20
_MECHANISM_OCTETS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_VISIBLE = frozenset(range(0x21, 0x7F))
_PRINTABLE = frozenset(range(0x20, 0x7F))
_HEXADECIMAL = frozenset(b"0123456789abcdef")
_DIGEST_DIGITS = 32


def number(argument: bytes) -> int | None:
    """Return the value of one to ten ASCII digits; None for anything else.

    `int` alone would take signs, underscores and blanks; `bytes.isdigit` knows ASCII only.
    """
    if argument.isdigit() and len(argument) <= MAXIMUM_DIGITS:
        return int(argument)
    return None


def parse(line: bytes) -> Command | BadSyntax:
    """Return the command of a line that has lost its line end, or why it is none."""
    bare = _BARE_LINES.get(line)
    if bare is not None:
        return bare
    keyword, space, rest = line.partition(b" ")
    grammar = _GRAMMAR.get(keyword.upper())
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


def _password(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    # RFC 1939 §7 (PASS): everything behind the first SPACE is the password, octet for octet.
    if not rest:
        return BadSyntax.NO_PASSWORD
    if not _PRINTABLE.issuperset(rest):
        return BadSyntax.NOT_ASCII
    return Command(verb, data=rest)


def _name_and_digest(verb: Verb, space: bool, rest: bytes) -> Command | BadSyntax:
    name, _, digest = rest.partition(b" ")
    # RFC 1939 §7 (APOP) has lower case; a digest in upper case proves as much.
    digest = digest.lower()
    if not name or len(digest) != _DIGEST_DIGITS or not _HEXADECIMAL.issuperset(digest):
        return BadSyntax.NAME_AND_DIGEST
    if not _VISIBLE.issuperset(name):
        return BadSyntax.NOT_ASCII
    return Command(verb, name=name, data=digest)


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
    _nothing: (Verb.CAPA, Verb.NOOP, Verb.QUIT, Verb.RSET, Verb.STAT, Verb.STLS),
    _optional_number: (Verb.LIST, Verb.UIDL),
    _one_number: (Verb.DELE, Verb.RETR),
    _two_numbers: (Verb.TOP,),
    _user: (Verb.USER,),
    _password: (Verb.PASS,),
    _mechanism: (Verb.AUTH,),
    _name_and_digest: (Verb.APOP,),
}

_GRAMMAR: dict[bytes, tuple[Verb, _Arguments]] = {
    verb.value.encode(): (verb, shape) for shape, verbs in _SHAPES.items() for verb in verbs
}

# Most commands of most sessions are these very octets.
_BARE_LINES: dict[bytes, Command] = {
    verb.value.encode(): _BARE[verb]
    for shape in (_nothing, _optional_number)
    for verb in _SHAPES[shape]
}

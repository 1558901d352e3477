"""A reference model of RFC 1939, written from its text and from nothing else.

One class is a mail host with one account, one is a session on it. A session takes a command line
and says what has to come back: the whole reply where the RFC fixes it, else its status word.
"""

import re
from dataclasses import dataclass, field

OK, ERR = b"+OK", b"-ERR"


@dataclass(frozen=True)
class Reply:
    """What has to come back."""

    status: bytes
    line: bytes | None = None
    """The whole first line, where the RFC says how it reads."""
    body: tuple[bytes, ...] | None = None
    """The lines of a multi-line reply, unstuffed; None: there is none."""


@dataclass
class Host:
    """Letters in order, as (name, message), and who has opened them."""

    letters: list[tuple[int, bytes]] = field(default_factory=list)
    locked: bool = False


class Session:
    """One connection."""

    def __init__(self, host: Host, name: bytes, password: bytes) -> None:
        self._host = host
        self._credentials = (name, password)
        self._named: bytes | None = None
        self._open: list[tuple[int, bytes]] | None = None
        self._marks: set[int] = set()
        self.over = False

    def drop(self) -> None:
        """The connection breaks."""
        if self._open is not None:
            self._host.locked = False
        self.over = True

    def command(self, line: bytes) -> Reply:
        """Take a command and return what has to come back."""
        keyword, _, rest = line.partition(b" ")
        verb = keyword.upper()
        if verb == b"QUIT" and not rest and b" " not in line:
            return self._quit()
        if self._open is None:
            return self._authorization(verb, rest)
        return self._transaction(verb, line.split(b" ")[1:])

    def _quit(self) -> Reply:
        if self._open is not None:
            gone = {self._open[number - 1] for number in self._marks}
            self._host.letters = [each for each in self._host.letters if each not in gone]
        self.drop()
        return Reply(OK)

    def _authorization(self, verb: bytes, rest: bytes) -> Reply:
        named, self._named = self._named, None
        if verb == b"USER" and rest and b" " not in rest:
            self._named = rest
            return Reply(OK)
        if verb != b"PASS" or named is None or (named, rest) != self._credentials:
            return Reply(ERR)
        if self._host.locked:
            return Reply(ERR)
        self._host.locked = True
        self._open = list(self._host.letters)
        return Reply(OK)

    def _transaction(self, verb: bytes, arguments: list[bytes]) -> Reply:
        if not arguments:
            return self._without_arguments(verb)
        if not all(re.fullmatch(rb"[0-9]{1,10}", each) for each in arguments):
            return Reply(ERR)
        number, *more = map(int, arguments)
        if number not in self._there() or (len(more) == 1) != (verb == b"TOP") or len(more) > 1:
            return Reply(ERR)
        return self._on_message(verb, number, more)

    def _without_arguments(self, verb: bytes) -> Reply:
        there = self._there()
        if verb == b"STAT":
            octets = sum(map(len, there.values()))
            return Reply(OK, b"+OK %d %d" % (len(there), octets))
        if verb == b"LIST":
            return Reply(OK, body=tuple(b"%d %d" % (n, len(m)) for n, m in there.items()))
        if verb == b"RSET":
            self._marks.clear()
            return Reply(OK)
        return Reply(OK if verb == b"NOOP" else ERR)

    def _on_message(self, verb: bytes, number: int, more: list[int]) -> Reply:
        message = self._there()[number]
        lines = message.split(b"\r\n")[:-1]
        if verb == b"LIST":
            return Reply(OK, b"+OK %d %d" % (number, len(message)))
        if verb == b"RETR":
            return Reply(OK, body=tuple(lines))
        if verb == b"TOP":
            return Reply(OK, body=tuple(lines[: lines.index(b"") + 1 + more[0]]))
        if verb == b"DELE":
            self._marks.add(number)
            return Reply(OK)
        return Reply(ERR)

    def _there(self) -> dict[int, bytes]:
        assert self._open is not None
        return {
            number: message
            for number, (_, message) in enumerate(self._open, 1)
            if number not in self._marks
        }

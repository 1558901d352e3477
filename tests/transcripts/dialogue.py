r"""Dialogues as text: the format of the `.pop3` files, and how one is played.

    # A comment; `# conformance: …` names what the dialogue shows.
    port: clear                     clear (default), strict, none or tls
    account: alice secret M2        name, password, maildrop (see `maildrops`)
    only: session                   cannot be shown over a socket
    segments: as written            the cuts between segments are part of what is shown

    C: USER alice                   sent with CRLF; lines in a row go in one segment
    C+ NOOP\n                       sent as it is
    S: +OK                          the very line
    S~ \+OK .*                      a line that matches as a whole
    S* +OK                          a reply of several lines: status line that begins so, any
                                    lines, the termination octet
    = tls                           something happens; `EVENTS` lists what

Escapes in C: and S: are \r \n \t \0 \\ and \xNN. `{uid 1}` stands for the unique-id of the message
that was filed first in the account that logged in; `{a*300}` for a run of one character.
"""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

EVENTS = {
    "closed": "the server has closed, and nothing came before that",
    "eof": "the client sends no more, but still reads",
    "tls": "client and server make TLS",
    "connect": "the client drops the connection and makes a new one; a port may follow",
    "hold": "another session opens the maildrop of an account",
    "release": "it lets go of it, without an update",
    "deliver": "a letter of 100 octets arrives for an account",
    "vanish": "another program removes a message: account and filing number",
    "maildrop": "an account still has these messages, by filing number, and no others",
    "fail": "opening temporary|permanent; message AFTER_OCTETS; update",
}

_STEP = re.compile(r"(C:|C\+|S:|S~|S\*|=)(?: (.*))?")
_SETTING = re.compile(r"([a-z]+): (.*)")
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|[rnt0\\])")
_RUN = re.compile(r"\{(.)\*(\d+)\}")
_SIMPLE = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


class Peer(Protocol):
    """A connection to the server, seen by the client."""

    def send(self, octets: bytes) -> None:
        """Send octets, in segments as the form of playing has it."""
        ...

    def line(self) -> bytes:
        """Return the next line with its end, as much as there is at the end of all."""
        ...

    def start_tls(self) -> None:
        """Make TLS."""
        ...

    def end(self) -> None:
        """Send no more, but go on reading."""
        ...

    def close(self) -> None:
        """Drop the connection."""
        ...


class Stage(Protocol):
    """A server with its accounts, and what can happen to them."""

    def account(self, name: str, password: str, letters: tuple[bytes, ...]) -> None:
        """Add an account."""
        ...

    def connect(self, port: str) -> Peer:
        """Connect to a listener."""
        ...

    def unique_id(self, name: str, filed: int) -> bytes:
        """Return the unique-id of a message."""
        ...

    def happen(self, what: str, arguments: list[str]) -> None:
        """Let one of the events of a stage happen."""
        ...

    def kept(self, name: str) -> list[int]:
        """Return the filing numbers of the messages that are still there."""
        ...


@dataclass(frozen=True)
class Step:
    """One line of a dialogue."""

    kind: str
    text: str
    line: int


@dataclass
class Dialogue:
    """A file, read."""

    port: str = "clear"
    accounts: list[tuple[str, str, str]] = field(default_factory=list)
    only_session: bool = False
    as_written: bool = False
    steps: list[Step] = field(default_factory=list)


def read(path: Path) -> Dialogue:
    """Read a dialogue."""
    dialogue = Dialogue()
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        if step := _STEP.fullmatch(line):
            dialogue.steps.append(Step(step[1], step[2] or "", number))
        elif (setting := _SETTING.fullmatch(line)) and not dialogue.steps:
            _set(dialogue, setting[1], setting[2])
        else:
            raise ValueError(f"{path.name}:{number}: neither a step nor a setting")
    return dialogue


def _set(dialogue: Dialogue, name: str, value: str) -> None:
    if name == "account":
        account, password, maildrop = shlex.split(value)
        dialogue.accounts.append((account, password, maildrop))
    elif name == "port":
        dialogue.port = value
    elif (name, value) == ("only", "session"):
        dialogue.only_session = True
    elif (name, value) == ("segments", "as written"):
        dialogue.as_written = True
    else:
        raise ValueError(f"no such setting: {name}: {value}")


def octets(text: str) -> bytes:
    """Return the octets that a text with escapes and runs stands for."""
    text = _RUN.sub(lambda run: run[1] * int(run[2]), text)
    text = _ESCAPE.sub(lambda found: _SIMPLE.get(found[1]) or chr(int(found[1][1:], 16)), text)
    return text.encode("latin-1")


class Play:
    """One dialogue on one stage."""

    def __init__(self, dialogue: Dialogue, stage: Stage) -> None:
        self._dialogue = dialogue
        self._stage = stage
        self._name = dialogue.accounts[0][0] if dialogue.accounts else ""
        self._peer = stage.connect(dialogue.port)
        self._unsent = b""
        self._ended = False
        self._happens: dict[str, Callable[[list[str]], None]] = {
            "closed": self._closed,
            "eof": self._eof,
            "tls": lambda arguments: self._peer.start_tls(),
            "connect": self._connect,
            "maildrop": self._maildrop,
        }

    def run(self) -> None:
        """Play it to its end, and look that nothing is said after it."""
        for step in self._dialogue.steps:
            try:
                self._do(step)
            except AssertionError as error:
                raise AssertionError(f"line {step.line}: {error}") from error
        self._flush()
        if not self._ended:
            self._peer.end()
            self._expect_silence()
        self._peer.close()

    def _do(self, step: Step) -> None:
        if step.kind == "C:":
            self._unsent += octets(self._placed(step.text)) + b"\r\n"
            return
        if step.kind == "C+":
            self._unsent += octets(self._placed(step.text))
            return
        self._flush()
        if step.kind == "=":
            what, *arguments = step.text.split()
            assert what in EVENTS
            if happens := self._happens.get(what):
                happens(arguments)
            else:
                self._stage.happen(what, arguments)
        elif step.kind == "S:":
            _equal(self._peer.line(), octets(self._placed(step.text)) + b"\r\n")
        elif step.kind == "S~":
            _matches(self._peer.line(), self._placed(step.text).encode("latin-1"))
        else:
            self._several(octets(step.text))

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, b""
        if unsent:
            self._peer.send(unsent)

    def _placed(self, text: str) -> str:
        return re.sub(
            r"\{uid (\d+)\}",
            lambda found: self._stage.unique_id(self._name, int(found[1])).decode("ascii"),
            text,
        )

    def _several(self, status: bytes) -> None:
        line = self._peer.line()
        assert line.startswith(status), f"{line!r} does not begin with {status!r}"
        while line != b".\r\n":
            line = self._peer.line()
            assert line.endswith(b"\r\n"), f"{line!r} ends the reply"

    # ---- events of the connection

    def _closed(self, arguments: list[str]) -> None:
        self._expect_silence()
        self._ended = True

    def _eof(self, arguments: list[str]) -> None:
        self._peer.end()

    def _connect(self, arguments: list[str]) -> None:
        self._peer.close()
        self._peer = self._stage.connect(arguments[0] if arguments else self._dialogue.port)
        self._ended = False

    def _maildrop(self, arguments: list[str]) -> None:
        name, *filed = arguments
        kept = self._stage.kept(name)
        assert kept == [int(number) for number in filed], f"{name} has {kept}"

    def _expect_silence(self) -> None:
        line = self._peer.line()
        assert line == b"", f"{line!r} where nothing more was to come"


def play(path: Path, stage: Stage, maildrops: dict[str, tuple[bytes, ...]]) -> None:
    """Play a file on a stage."""
    dialogue = read(path)
    for name, password, maildrop in dialogue.accounts:
        stage.account(name, password, maildrops[maildrop])
    Play(dialogue, stage).run()


def _equal(line: bytes, expected: bytes) -> None:
    assert line == expected, f"{line!r} instead of {expected!r}"


def _matches(line: bytes, pattern: bytes) -> None:
    assert re.fullmatch(pattern + b"\r\n", line), f"{line!r} does not match {pattern!r}"

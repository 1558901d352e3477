"""The vocabulary of dialogues: small values that say one thing or look at one reply.

Patterns are regular expressions over a whole reply line without its end. `tolerated` names an
answer that is not the expected one but a choice the texts leave: it makes the case differ.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from restante.examine.case import Start, Step
from restante.examine.fixtures import Fixture
from restante.examine.outcome import Broken, Differs, Ended, NotTried, Unmet
from restante.examine.replies import Status
from restante.examine.stage import Stage

OK = r"\+OK( .*)?"
ERR = r"-ERR( .*)?"
EITHER = r"(\+OK|-ERR)( .*)?"


def holds(reply: Status, pattern: str, command: str, tolerated: str = "") -> None:
    """Raise unless the reply fits the pattern."""
    if re.fullmatch(pattern, reply.line, re.DOTALL):
        return
    told = f"{command} is answered {reply.line[:120]!a}"
    if tolerated and re.fullmatch(tolerated, reply.line, re.DOTALL):
        raise Differs(f"{told}, which is a choice the texts leave")
    raise Unmet(f"{told}; expected {pattern}")


@dataclass(frozen=True, slots=True)
class Say:
    """Octets for the server, in segments of `cut` where it is given."""

    octets: bytes
    cut: int = 0

    def perform(self, stage: Stage) -> None:
        """Send them."""
        stage.send(self.octets, cut=self.cut)


@dataclass(frozen=True, slots=True)
class Hear:
    """A reply of one line."""

    pattern: str
    tolerated: str = ""
    to: str = "what was sent"

    def perform(self, stage: Stage) -> None:
        """Read it and compare."""
        holds(stage.wire.status(), self.pattern, self.to, self.tolerated)


@dataclass(frozen=True, slots=True)
class HearLine:
    """A line that is no status line, as it comes."""

    octets: bytes

    def perform(self, stage: Stage) -> None:
        """Read it and compare."""
        line = stage.wire.line()
        if line != self.octets + b"\r\n":
            raise Unmet(f"the line {line[:80]!a} comes where {self.octets!a} is due")


@dataclass(frozen=True, slots=True)
class Ask:
    """A command and the first line of its reply."""

    line: str
    pattern: str = OK
    tolerated: str = ""

    def perform(self, stage: Stage) -> None:
        """Send it, read the reply and compare."""
        holds(stage.ask(self.line), self.pattern, repr(self.line), self.tolerated)


@dataclass(frozen=True, slots=True)
class AskLines:
    """A command and its multi-line reply: these lines, or each like a pattern.

    A scan listing may have more behind the size (RFC 1939 §5), so lines need only begin like those.
    """

    line: str
    exactly: tuple[str, ...] | None = None
    each: str = ".*"

    def perform(self, stage: Stage) -> None:
        """Send it, read to the final dot and compare."""
        lines = stage.ask_lines(self.line).lines
        if self.exactly is not None and not _begin_alike(lines, self.exactly):
            raise Unmet(f"{self.line} lists {list(lines)[:8]!a}; expected {list(self.exactly)!a}")
        for line in lines:
            if not re.fullmatch(self.each, line, re.DOTALL):
                raise Unmet(f"{self.line} lists {line[:100]!a}; expected {self.each}")


def _begin_alike(lines: tuple[str, ...], due: tuple[str, ...]) -> bool:
    """Tell whether each line is the one due, alone or with a space and more behind it."""
    return len(lines) == len(due) and all(
        f"{line} ".startswith(f"{start} ") for line, start in zip(lines, due, strict=True)
    )


@dataclass(frozen=True, slots=True)
class AskMessage:
    """A RETR or TOP and the octets its reply has to carry, dot-stuffing undone."""

    line: str
    octets: bytes

    def perform(self, stage: Stage) -> None:
        """Send it, read to the final dot and compare."""
        content = stage.ask_lines(self.line).content
        if content == self.octets:
            return
        at = next(
            (n for n, (a, b) in enumerate(zip(content, self.octets, strict=False)) if a != b),
            min(len(content), len(self.octets)),
        )
        raise Unmet(
            f"{self.line} shows {len(content)} octets, expected {len(self.octets)}; the first "
            f"difference is at octet {at}: {content[at : at + 20]!a}, "
            f"not {self.octets[at : at + 20]!a}"
        )


@dataclass(frozen=True, slots=True)
class HearEnd:
    """The close of the connection by the server, with nothing before it."""

    def perform(self, stage: Stage) -> None:
        """Read to the end."""
        rest = stage.wire.rest()
        if rest:
            raise Unmet(f"more came before the close: {rest[:100]!a}")


@dataclass(frozen=True, slots=True)
class Given:
    """A step that only prepares: when it fails the case could not be tried."""

    step: Step

    def perform(self, stage: Stage) -> None:
        """Do the step."""
        try:
            self.step.perform(stage)
        except (Unmet, Broken) as failure:
            raise NotTried(f"the case needs this first: {failure}") from failure


@dataclass(frozen=True, slots=True)
class Upgrade:
    """STLS and the handshake."""

    def perform(self, stage: Stage) -> None:
        """Go under TLS on the current connection."""
        holds(stage.ask("STLS"), OK, "STLS")
        stage.start_tls()


@dataclass(frozen=True, slots=True)
class Open:
    """Another connection, which becomes the current one."""

    name: str = "second"
    start: Start = Start.GREETED

    def perform(self, stage: Stage) -> None:
        """Connect and go as far as `start`."""
        stage.begin(self.start, self.name)


@dataclass(frozen=True, slots=True)
class LogIn:
    """A login on the current connection, by the way the server offers."""

    def perform(self, stage: Stage) -> None:
        """Enter the Transaction state."""
        stage.log_in()


@dataclass(frozen=True, slots=True)
class LogInAgain:
    """A new connection and a login on it, which must succeed."""

    def perform(self, stage: Stage) -> None:
        """Connect and enter the Transaction state."""
        stage.log_in_again()


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT, its reply and the close."""

    pattern: str = OK

    def perform(self, stage: Stage) -> None:
        """Leave in good order."""
        Ask("QUIT", self.pattern).perform(stage)
        HearEnd().perform(stage)


@dataclass(frozen=True, slots=True)
class Drop:
    """The loss of the connection, seen from the server."""

    how: str = "close"

    def perform(self, stage: Stage) -> None:
        """Close, reset, or half-close and wait for the server's close."""
        if self.how == "reset":
            stage.wire.reset()
        elif self.how == "half-close":
            stage.wire.half_close()
            with contextlib.suppress(Ended):
                stage.wire.rest()
        else:
            stage.wire.close()


@dataclass(frozen=True, slots=True)
class Deliver:
    """One more message for the maildrop while the dialogue goes on."""

    fixture: Fixture

    def perform(self, stage: Stage) -> None:
        """Hand it to the store."""
        stage.deliver(self.fixture)


@dataclass(frozen=True, slots=True)
class Logic:
    """A plain function, for what the other words cannot say."""

    function: Callable[[Stage], None]

    def perform(self, stage: Stage) -> None:
        """Call it."""
        self.function(stage)


def asks(pattern: str, *lines: str) -> tuple[Step, ...]:
    """Return a step for each of these commands, all answered alike."""
    return tuple(Ask(line, pattern) for line in lines)


def refuses(*lines: str) -> tuple[Step, ...]:
    """Return a step for each of these commands, all refused."""
    return asks(ERR, *lines)


def still_refused(*lines: str) -> Step:
    """Return a step in which these are refused behind a refused login, or never come to be said.

    RFC 1939 §4: a server may close the connection when it has refused a login.
    """

    def say(stage: Stage) -> None:
        with contextlib.suppress(Ended):
            for line in lines:
                holds(stage.ask(line), ERR, line)

    return Logic(say)

"""Replies as the suite understands them: status lines, multi-line answers, capabilities.

The grammar is read from the RFCs once more, on purpose apart from the parser of the server and of
the client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_STATUS = re.compile(rb"(\+OK|-ERR)(?: (.*))?", re.DOTALL)
_CODE = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Status:
    """The first line of a reply, `raw` with its line end."""

    raw: bytes

    @property
    def line(self) -> str:
        """Return the line without its end, every octet one character."""
        return self.raw.removesuffix(b"\n").removesuffix(b"\r").decode("latin-1")

    @property
    def well_formed(self) -> bool:
        """Tell whether it is a status indicator, alone or followed by a space."""
        line, end = self.raw[:-2], self.raw[-2:]
        return end == b"\r\n" and _STATUS.fullmatch(line) is not None

    @property
    def positive(self) -> bool:
        """Tell whether the command succeeded."""
        return self.raw.startswith(b"+OK")

    @property
    def text(self) -> str:
        """Return what follows the indicator and its space."""
        return self.line.partition(" ")[2]

    @property
    def code(self) -> str | None:
        """Return the response code in upper case, without its brackets."""
        found = _CODE.match(self.text)
        return found[1].upper() if found else None


@dataclass(frozen=True, slots=True)
class Answer:
    """A positive multi-line reply: its status, and its lines as they came."""

    status: Status
    raw_lines: tuple[bytes, ...]

    @property
    def content(self) -> bytes:
        """Return the lines with dot-stuffing undone."""
        return b"".join(line[1:] if line[:1] == b"." else line for line in self.raw_lines)

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the lines without stuffing and ends, every octet one character."""
        ends = (line.removesuffix(b"\n").removesuffix(b"\r") for line in self.raw_lines)
        return tuple((e[1:] if e[:1] == b"." else e).decode("latin-1") for e in ends)


def capabilities_of(answer: Answer) -> Mapping[str, tuple[str, ...]]:
    """Return the parameters of each capability by its tag in upper case."""
    listed = {}
    for line in answer.lines:
        tag, *parameters = line.split(" ")
        listed[tag.upper()] = tuple(parameters)
    return listed

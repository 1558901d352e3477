"""The record of a dialogue: what was sent, what came back, secrets left out.

What goes out is recorded as it stands in the case, with its placeholders, so that no password is
in a report; what comes in is searched for the secrets. A record is bounded: of a long dialogue the
beginning and the end are kept, which is where the cause and the effect are.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from restante.examine.redaction import Redaction

KEPT_OCTETS = 4096
"""Of one utterance; a report needs the beginning of a long message, not all of it."""

KEPT_UTTERANCES = 400
KEPT_IN_ALL = 64 << 10
"""Octets of one record; the half of each bound is for the beginning, the other for the end."""

_MARGIN = 1024
"""Secrets are looked for so far beyond the cut, or it could go through one and spare its head."""

_PLACEHOLDER = re.compile(rb"(\{[a-z_]+\})")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing said on one connection: by "C", the suite, or "S", the server; "*" is an event."""

    connection: int
    speaker: str
    octets: bytes
    left_out: int = 0


class Record:
    """The utterances of one case, bounded in number and size."""

    def __init__(self, redaction: Redaction | None = None) -> None:
        self.redaction = redaction or Redaction()
        self._beginning: list[Utterance] = []
        self._end: deque[Utterance] = deque()
        self._left_out = 0
        self._room = KEPT_IN_ALL // 2
        self._end_octets = 0

    def hide(self, secrets: Iterable[bytes]) -> None:
        """Keep these octets out of the record, and out of what is said about it."""
        self.redaction.add(secrets)

    def told(self, why: str) -> str:
        """Return an explanation without secrets, cut where it is long."""
        begun = why[: KEPT_OCTETS + _MARGIN]
        hidden = self.redaction.text(begun)
        return (hidden if begun == why else hidden[:-_MARGIN])[:KEPT_OCTETS]

    def note(self, connection: int, speaker: str, octets: bytes) -> None:
        """Add one utterance."""
        begun = octets[: KEPT_OCTETS + _MARGIN]
        hidden = self._redacted(begun) if speaker == "C" else self.redaction.octets(begun)
        sound = hidden if len(begun) == len(octets) else hidden[:-_MARGIN]
        kept = sound[:KEPT_OCTETS]
        left_out = len(hidden) - len(kept) + len(octets) - len(begun)
        self._keep(Utterance(connection, speaker, kept, left_out))

    def utterances(self) -> tuple[Utterance, ...]:
        """Return what was said, in order, with a remark where some of it is left out."""
        if not self._left_out:
            return (*self._beginning, *self._end)
        gap = f"{self._left_out} utterances left out".encode()
        return (*self._beginning, Utterance(0, "*", gap), *self._end)

    def _keep(self, said: Utterance) -> None:
        """Put it behind the others, letting go of the middle where there is no room."""
        size = len(said.octets)
        if not self._end and len(self._beginning) < KEPT_UTTERANCES // 2 and size <= self._room:
            self._beginning.append(said)
            self._room -= size
            return
        self._end.append(said)
        self._end_octets += size
        while len(self._end) > KEPT_UTTERANCES // 2 or self._end_octets > KEPT_IN_ALL // 2:
            self._end_octets -= len(self._end.popleft().octets)
            self._left_out += 1

    def _redacted(self, octets: bytes) -> bytes:
        """Return what the suite said without secrets, its placeholders as they are."""
        parts = _PLACEHOLDER.split(octets)
        parts[::2] = [self.redaction.octets(part, cut=False) for part in parts[::2]]
        return b"".join(parts)

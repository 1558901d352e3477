"""The record of a dialogue: what was sent, what came back, secrets left out.

What goes out is recorded as it stands in the case, with its placeholders, so that no password is
in a report; what comes in is searched for the secrets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

KEPT_OCTETS = 4096
"""Of one utterance; a report needs the beginning of a long message, not all of it."""

KEPT_UTTERANCES = 400


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing said on one connection: by "C", the suite, or "S", the server; "*" is an event."""

    connection: int
    speaker: str
    octets: bytes
    left_out: int = 0


class Record:
    """The utterances of one case, bounded in number and size."""

    def __init__(self) -> None:
        self._utterances: list[Utterance] = []
        self._secrets: list[bytes] = []

    def hide(self, secrets: Iterable[bytes]) -> None:
        """Keep these octets out of what the server is recorded to say."""
        self._secrets.extend(secret for secret in secrets if len(secret) > 3)

    def note(self, connection: int, speaker: str, octets: bytes) -> None:
        """Add one utterance."""
        if len(self._utterances) >= KEPT_UTTERANCES:
            return
        kept = octets[:KEPT_OCTETS]
        if speaker == "S":
            for secret in self._secrets:
                kept = kept.replace(secret, b"{secret}")
        left_out = max(0, len(octets) - KEPT_OCTETS)
        self._utterances.append(Utterance(connection, speaker, kept, left_out))

    def utterances(self) -> tuple[Utterance, ...]:
        """Return what was said, in order."""
        return tuple(self._utterances)

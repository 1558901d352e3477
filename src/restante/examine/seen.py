"""What a vigil saw, part by part; what it did not come to see raises the reason when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from restante.examine.outcome import NotTried


@dataclass(frozen=True, slots=True)
class Silence:
    """How long nothing was said, how it ended, and what the server said of itself."""

    seconds: float
    closed: bool
    said: bytes = b""


@dataclass(slots=True)
class Seen:
    """What a vigil saw, by the name of the part; `failure` is why there is no more of it."""

    parts: dict[str, Silence | str] = field(default_factory=dict)
    failure: Exception = field(default_factory=lambda: NotTried("it did not come to that"))

    def silence(self, part: str) -> Silence:
        """Return one silence, or raise what kept it from being seen."""
        found = self.parts.get(part)
        if not isinstance(found, Silence):
            raise self.failure
        return found

    def text(self, part: str) -> str:
        """Return what was put down of one part, or raise what kept it from being seen."""
        found = self.parts.get(part)
        if not isinstance(found, str):
            raise self.failure
        return found

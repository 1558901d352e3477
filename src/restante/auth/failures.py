"""Failures: how often something failed lately, and at which passwords last.

The same wrong password again counts once, as a forgetful program sends it every minute; several
passwords are remembered, so that several such programs behind one address may alternate. What is
remembered of them are digests under a key that dies with the process: they are never written down.
"""

from dataclasses import dataclass

DIGEST_OCTETS = 8
PASSWORDS_KEPT = 8
"""Of each address, network and account, the last ones that failed."""


@dataclass(slots=True)
class Failures:
    """What is remembered of one address, network, account or credential."""

    count: int = 0
    last: float = 0.0
    """When it was counted last."""
    repeated: float = 0.0
    """When a wrong password was sent again last."""
    wrong: bytes = b""
    """Digests of wrong passwords one behind the other, the latest first."""
    lasting: bool = True
    """Whether it may be written down: a name that no account has may be a password."""

    def repeats(self, digest: bytes, now: float) -> bool:
        """Say whether this password failed here before, and remember it."""
        wrong, known = self.wrong, False
        for start in range(0, len(wrong), DIGEST_OCTETS):
            if wrong.startswith(digest, start):
                wrong = wrong[:start] + wrong[start + DIGEST_OCTETS :]
                self.repeated, known = now, True
                break
        self.wrong = (digest + wrong)[: PASSWORDS_KEPT * DIGEST_OCTETS]
        return known

    def settle(self, oldest: float) -> bool:
        """Forget what is older; return whether anything is left."""
        if self.last >= oldest:
            return True
        self.count = 0
        return self.repeated >= oldest


class Flood:
    """Failures of all together: a level that rises with each and falls with time."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._level = 0.0
        self._at = 0.0

    @property
    def level(self) -> float:
        """Failures that have not run off, as of the last look."""
        return self._level

    def add(self, now: float) -> None:
        """Count a failure; beyond twice what is free it rises no further, so that it ends soon."""
        self._level = min(self.look(now) + 1.0, 2.0 * self._per_minute)

    def look(self, now: float) -> float:
        """Return the level at this time."""
        run_off = max(now - self._at, 0.0) * self._per_minute / 60.0
        self._level, self._at = max(self._level - run_off, 0.0), now
        return self._level

    def doublings(self, now: float) -> int:
        """Return how often the first delay is doubled; negative: there is none."""
        beyond = self.look(now) - self._per_minute
        # A tenth of a minute's failures more, and the delay is twice as long.
        return -1 if beyond <= 0 else int(beyond * 10 / self._per_minute)

    def restore(self, level: float, now: float) -> None:
        """Begin with a level that was noted before."""
        self._level, self._at = min(max(level, 0.0), 2.0 * self._per_minute), now

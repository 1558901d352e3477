"""Salts for SCRAM: those of names that have none, and how many may be asked for.

A name that nobody has gets a salt that is made from it under a key which outlives restarts, and so
does one that has no verifier: whoever asks cannot tell them from those that have (RFC 5802 §9).
"""

import time
from collections.abc import Callable
from pathlib import Path
from secrets import token_bytes

from restante.auth.key_file import KEY_OCTETS, UnusableKey, make_key, read_key
from restante.auth.recent import Recent
from restante.auth.scram_verifiers import SALT_OCTETS, stand_in_salt
from restante.secret import Secret
from restante.telemetry import Event, Log

FILE_NAME = "auth/salts.key"
"""In the state directory, the auth process's own."""
UNPROVED_AT_ONCE = 10_000
UNPROVED_PER_SECOND = 100.0
_ADDRESSES = 20_000


class Salts:
    """The salts of names that have none."""

    def __init__(self, state_directory: Path, log: Log, key: Secret | None = None) -> None:
        self._path = state_directory / FILE_NAME
        self._log = log
        self._key = key

    def salt(self, name: str, family: str, octets: int = SALT_OCTETS) -> bytes:
        """Return the salt of a name, the same each time."""
        if self._key is None:
            self._key = self._read()
        return stand_in_salt(self._key, name, family, octets)

    def _read(self) -> Secret:
        """Return the key; one that cannot be kept serves until the process ends."""
        what = "the key of the salts"
        try:
            make_key(self._path)
            return read_key(self._path, what)
        except OSError as error:
            complaint = f"{what}: {error.strerror}"
        except UnusableKey as error:
            complaint = str(error)
        self._log(Event.WARNING, reason=f"{complaint}; unknown names can be told by a restart")
        return Secret(token_bytes(KEY_OCTETS))


class Unproved:
    """Salts that no right proof came for, by address.

    They cost little and tell nothing, so there may be many; a client that logs in with each of
    them has none here, however many it is.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: Recent[str, tuple[float, float]] = Recent(_ADDRESSES)

    def __len__(self) -> int:
        return len(self._counts)

    def ask(self, host: str) -> bool:
        """Count a salt, and say whether this address may have it."""
        now = self._clock()
        count, at = self._counts.get(host, (0.0, now))
        count = max(count - (now - at) * UNPROVED_PER_SECOND, 0.0)
        if count >= UNPROVED_AT_ONCE:
            return False
        self._counts.use(host, (count + 1, now))
        return True

    def prove(self, host: str) -> None:
        """Take one off: a right proof came."""
        count, at = self._counts.pop(host, (0.0, 0.0))
        if count > 1:
            self._counts[host] = count - 1, at

"""The cache of passwords found right, in the auth process alone.

It holds digests under a key that lives as long as the process. The key of an entry covers the
full identity, its source, the account's version and its stored password besides the password, so
that no user can meet another's entry and a changed, disabled or removed account has none, not even
one whose version came back with a backup (threats A8). Failures are never kept. The password of a
device is kept with its device: the rules it stands under are asked at every login.
"""

import time
from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes

from restante.auth.devices.device import ITSELF, Device
from restante.auth.options import CacheOptions
from restante.auth.recent import Recent, SharedClock
from restante.auth.sources import Account

_DIGEST_OCTETS = 15
"""As good as sixteen, with which an entry would take a third more."""


class PasswordCache:
    """Passwords found right not long ago."""

    def __init__(self, options: CacheOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        self._key = token_bytes(32)
        self._learnt_at: Recent[bytes, float | tuple[float, Device]] = Recent(options.entries)
        self._now = SharedClock(clock)

    def __len__(self) -> int:
        return len(self._learnt_at)

    def begin(self, account: Account) -> blake2b:
        """Return the digest of this version of an account, without a password yet."""
        # Names hold no NUL, versions neither, the stored password says how long it is, and the
        # password comes last: no two mean the same.
        stored = account.stored_password
        identity = f"{account.source}\0{account.name}\0{account.version}\0{len(stored)}\0{stored}"
        octets = identity.encode("utf-8", "surrogateescape")
        return blake2b(octets, key=self._key, digest_size=_DIGEST_OCTETS)

    def recall(self, begun: blake2b, password: bytes) -> Device | None:
        """Return whose password this was found to be, of an account that was begun with.

        None: it was not found right, or too long ago.
        """
        digest = _finish(begun, password)
        learnt = self._learnt_at.pop(digest, None)
        if learnt is None:
            return None
        at, device = learnt if isinstance(learnt, tuple) else (learnt, ITSELF)
        if at + self._options.seconds < self._clock():
            return None
        # As `use` does, which every login would have to call.
        self._learnt_at[digest] = learnt
        return device

    def learn(self, account: Account, password: bytes, device: Device = ITSELF) -> None:
        """Keep that this password is right."""
        if self._options.seconds > 0:
            now = self._now()
            learnt = (now, device) if device.id else now
            self._learnt_at.use(_finish(self.begin(account), password), learnt)


def _finish(begun: blake2b, password: bytes) -> bytes:
    digest = begun.copy()
    digest.update(password)
    return digest.digest()

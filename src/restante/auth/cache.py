"""The cache of passwords found right, in the auth process alone.

It holds digests under a key that lives as long as the process. The key of an entry covers the
full identity, its source, the account's version and its stored password besides the password, so
that no user can meet another's entry and a changed, disabled or removed account has none, not even
one whose version came back with a backup (threats A8). Failures are never kept.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes

from restante.auth.options import CacheOptions
from restante.auth.sources import Account


class PasswordCache:
    """Passwords found right not long ago."""

    def __init__(self, options: CacheOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        self._key = token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def knows(self, account: Account, password: bytes) -> bool:
        """Say whether this password was found right for this version of the account."""
        digest = self._digest(account, password)
        until = self._until.get(digest)
        if until is None:
            return False
        if until < self._clock():
            del self._until[digest]
            return False
        self._until.move_to_end(digest)
        return True

    def learn(self, account: Account, password: bytes) -> None:
        """Keep that this password is right."""
        if self._options.seconds <= 0:
            return
        self._until[self._digest(account, password)] = self._clock() + self._options.seconds
        while len(self._until) > self._options.entries:
            self._until.popitem(last=False)

    def _digest(self, account: Account, password: bytes) -> bytes:
        # Names hold no NUL, versions neither, the stored password says how long it is, and the
        # password comes last: no two mean the same.
        stored = account.stored_password
        identity = f"{account.source}\0{account.name}\0{account.version}\0{len(stored)}\0{stored}"
        octets = identity.encode("utf-8", "surrogateescape") + password
        return blake2b(octets, key=self._key, digest_size=16).digest()

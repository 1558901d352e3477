"""The throttle: failed logins slow down further ones, of who fails and of who is near.

Failures are counted by address (IPv6 by /64), by network (IPv4 /24, IPv6 /48) and by account; each
has some free and then a delay that doubles up to a bound. The delay comes before any hashing and
is a timer, so it holds no thread and no worker. Logins of one network that need a hash wait for
each other once one of them has failed, so that guessing in parallel gains nothing.

Nobody can lock an account from outside: its own count only ever delays, and a network that logged
in to it lately is past it. The same wrong password again, as a forgetful program sends it every
minute, counts once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from secrets import token_bytes

from restante.auth.options import ThrottleOptions
from restante.auth.recent import Recent, SharedClock

NETWORK_FACTOR = 4
"""A network may fail this many times as often as one address before it is slowed down."""
ACCOUNT_FACTOR = 2
_SHORT = 0x0FFF_FFFF_FFFF_FFFF
"""As much of a hash as an integer holds in two digits of its own."""


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0
    wrong: bytes = b""
    """Digest of the last wrong password."""


class Throttle:
    """What is remembered of failed logins."""

    def __init__(
        self, options: ThrottleOptions, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._options = options
        self._clock = clock
        self._key = token_bytes(16)
        self._failures: Recent[str, _Failures] = Recent(options.entries)
        self._successes: Recent[int, float] = Recent(options.entries)
        """When each account last logged in from each network, by hashes of both together.

        Python hashes strings under a key of the process; should two ever meet, one of them gets
        past the delay of the other's account.
        """
        self._now = SharedClock(clock)

    def __len__(self) -> int:
        return len(self._failures) + len(self._successes)

    def lets_by(self, address: str, account: str) -> bool:
        """Say whether a login waits neither for a delay nor for a turn of its network."""
        failures = self._failures
        if not failures:
            return True
        host, network = neighbourhood(address)
        if f"a{host}" in failures or f"n{network}" in failures or f"u{account}" in failures:
            return not self.suspects(address) and not self.delay(address, account)
        return True

    def delay(self, address: str, account: str) -> float:
        """Return how many seconds a login has to wait before it is looked at."""
        if not self._failures:
            return 0.0
        host, network = neighbourhood(address)
        free = self._options.free_failures
        longest = max(
            self._delay(f"a{host}", free), self._delay(f"n{network}", NETWORK_FACTOR * free)
        )
        if not self._succeeded_lately(network, account):
            longest = max(longest, self._delay(f"u{account}", ACCOUNT_FACTOR * free))
        return longest

    def suspects(self, address: str) -> bool:
        """Say whether somebody of this network has failed lately."""
        return self._fresh(f"n{neighbourhood(address)[1]}") is not None

    def failed(self, address: str, account: str, password: bytes) -> None:
        """Count a failure, unless it repeats the last one."""
        host, network = neighbourhood(address)
        digest = blake2b(f"{account}\0".encode() + password, key=self._key, digest_size=8)
        wrong = digest.digest()
        known = self._fresh(f"a{host}")
        if known is not None and known.wrong == wrong:
            known.last = self._clock()
            return
        for key in (f"a{host}", f"n{network}", f"u{account}"):
            self._count(key, wrong)

    def succeeded(self, address: str, account: str) -> None:
        """Remember a success; what the network failed at stays counted."""
        self._successes.use(hash((neighbourhood(address)[1], account)) & _SHORT, self._now())

    def _count(self, key: str, wrong: bytes) -> None:
        failures = self._fresh(key)
        if failures is None:
            failures = _Failures()
        failures.count += 1
        failures.last = self._clock()
        failures.wrong = wrong
        self._failures.use(key, failures)

    def _fresh(self, key: str) -> _Failures | None:
        failures = self._failures.get(key)
        if failures is None:
            return None
        if self._clock() - failures.last > self._options.forget_after_seconds:
            del self._failures[key]
            return None
        return failures

    def _delay(self, key: str, free: int) -> float:
        failures = self._fresh(key)
        if failures is None or failures.count <= free:
            return 0.0
        # Beyond some doublings the bound has long been reached, and the power would overflow.
        doublings = min(failures.count - free - 1, 16)
        seconds: float = self._options.first_delay_seconds * 2**doublings
        return min(seconds, self._options.longest_delay_seconds)

    def _succeeded_lately(self, network: str, account: str) -> bool:
        at = self._successes.get(hash((network, account)) & _SHORT)
        return at is not None and self._clock() - at <= self._options.forget_after_seconds


@lru_cache(maxsize=16_384)
def neighbourhood(address: str) -> tuple[str, str]:
    """Return what an address counts as, alone and among its neighbours."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address, address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return parsed.packed[:8].hex(), parsed.packed[:6].hex()
        parsed = parsed.ipv4_mapped
    return str(parsed), str(parsed).rpartition(".")[0]

"""The throttle: failed logins slow down further ones, of who fails and of who is near.

Failures are counted by address (IPv6 by /64), by network (IPv4 /24, IPv6 /48), by account and in
all; each has some free and then a delay that doubles up to a bound. Whoever comes through a named
gateway, where many people share an address, is counted by what they try to log in as instead.

Nobody can lock an account from outside: whatever others do, its owner waits no longer than the
bound, and a network that logged in to it lately is past its count and that of all. The address that
did so is past the count of its network as well, as long as it does not fail itself. The same wrong
password again counts once.

What does not live here: waiting (`gate`), and the file that outlives the process (`throttle_file`).
"""

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_network
from itertools import islice
from secrets import token_bytes
from typing import NamedTuple

from restante.auth.failures import DIGEST_OCTETS, Failures, Flood
from restante.auth.neighbourhood import Network, covered, neighbourhood, network_of, written
from restante.auth.options import ThrottleOptions
from restante.auth.recent import Recent, SharedClock

NETWORK_FACTOR = 4
"""A network may fail this many times as often as one address before it is slowed down."""
ACCOUNT_FACTOR = 2
KINDS = {"a": "address", "n": "network", "u": "account", "c": "credential", "*": "all"}
"""What a key of the table counts, by its first letter."""
IN_ALL = "*"
RUSH = 8
"""Of a network, logins within a second that were not right at once; further ones take turns."""
_SHORT = 0x0FFF_FFFF_FFFF_FFFF
"""As much of a hash as an integer holds in two digits of its own."""
_MOST_DOUBLINGS = 16
"""Beyond these the bound has long been reached, and the power would overflow."""

KNOWN, FRESH, FAILED = range(3)
"""Ranks: logged in to this account from this network lately; never failed; everybody else."""


class Place(NamedTuple):
    """Where a login is counted."""

    host: str
    """Key of its address; behind a gateway of its credential."""
    network: str
    """Key of its network; behind a gateway the same as `host`."""
    near: str
    """The network that successes are remembered by."""
    alone: str
    """What the address counts as alone."""


class Delay(NamedTuple):
    """How long a login has to wait, and what for."""

    seconds: float
    reason: str = ""


class Held(NamedTuple):
    """What is held against one address, network, account or credential."""

    kind: str
    name: str
    failures: int
    seconds_ago: float
    delay_seconds: float


class Throttle:
    """What is remembered of failed logins."""

    def __init__(
        self, options: ThrottleOptions, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._options = options
        self._clock = clock
        self._key = token_bytes(16)
        self._failures: Recent[str, Failures] = Recent(options.entries)
        self._flood = Flood(max(options.failures_per_minute, options.free_failures))
        self._flooded = False
        self._unnamed: Failures | None = None
        """Of names that no account has, from before a restart; see `throttle_file`."""
        self._successes: Recent[int, tuple[float, str, str]] = Recent(options.entries)
        """When each account last logged in from each network, from which address, by a hash.

        Python hashes strings under a key of the process; should two ever meet, one of them gets
        past the delay of the other's account.
        """
        self._rush: Recent[str, tuple[float, float]] = Recent(options.entries)
        """Logins of networks that were not right at once, and when they were counted."""
        self._rush_over = 0.0
        self._now = SharedClock(clock)
        self._gateways = tuple(ip_network(each, strict=False) for each in options.gateways)
        self._is_gateway = lru_cache(maxsize=4_096)(self._lies_in_gateway)
        self.changes = 0
        """Counts what a file would have to be written anew for."""

    def __len__(self) -> int:
        return len(self._failures) + len(self._successes)

    # ---- what logins ask

    def lets_by(self, address: str, account: str) -> bool:
        """Say whether a login waits neither for a delay nor for a turn of its network."""
        if self._rush and self._is_rushed(address, account):
            return False
        return self.spares(address, account)

    def spares(self, address: str, account: str) -> bool:
        """Say whether no failure has a login wait, neither for a delay nor for a turn."""
        failures = self._failures
        if not failures and not self._flooded and self._unnamed is None:
            return True
        host, network = neighbourhood(address)
        if self._gateways and self._is_gateway(host):
            noted = f"c{host} {account}" in failures
        else:
            noted = f"a{host}" in failures or f"n{network}" in failures
        if noted or f"u{account}" in failures or self._flooded or self._unnamed is not None:
            return not self.suspects(address, account) and not self.delay(address, account)
        return True

    def delay(self, address: str, account: str) -> float:
        """Return how many seconds a login has to wait before it is looked at."""
        return self.judge(address, account).seconds

    def judge(self, address: str, account: str) -> Delay:
        """Return how long a login has to wait, and because of what."""
        place, free = self.place(address, account), self._options.free_failures
        longest = Delay(self._delay(place.host, free), KINDS[place.host[0]])
        since, alone = self._succeeded_lately(place.near, account)
        if place.network != place.host and not (since and alone == place.alone and not longest[0]):
            of_network = self._delay(place.network, NETWORK_FACTOR * free)
            longest = max(longest, Delay(of_network, KINDS["n"]))
        if not since:
            of_account = self._delay_of_account(account, ACCOUNT_FACTOR * free)
            longest = max(longest, Delay(of_account, KINDS["u"]))
            longest = max(longest, Delay(self._delay_of_all(), KINDS[IN_ALL]))
        return longest if longest.seconds else Delay(0.0)

    def suspects(self, address: str, account: str = "") -> bool:
        """Say whether somebody of this network has failed lately; of a gateway: this account."""
        failures = self._fresh(self.place(address, account).network)
        return failures is not None and failures.count > 0

    def rank(self, address: str, account: str) -> int:
        """Return how far in front a login waits among its neighbours; the least comes first."""
        place = self.place(address, account)
        failures = self._fresh(place.host)
        failed = failures.count if failures is not None else 0
        if self._succeeded_lately(place.near, account)[0] and failed <= self._options.free_failures:
            return KNOWN
        return FAILED if failed else FRESH

    def place(self, address: str, account: str) -> Place:
        """Return where a login of this address is counted."""
        host, network = neighbourhood(address)
        if self._gateways and self._is_gateway(host):
            credential = f"c{host} {account}"
            return Place(credential, credential, network, host)
        return Place(f"a{host}", f"n{network}", network, host)

    # ---- what logins tell

    def failed(self, address: str, account: str, password: bytes, *, exists: bool = False) -> None:
        """Count a failure wherever it does not repeat one.

        `exists`: there is an account of this name. What is tried as a name and is none may be a
        password in the wrong place, and is never written down.
        """
        if self._count_everywhere(address, account, password, exists=exists):
            now = self._now()
            self._flood.add(now)
            self._flooded = self._flood.doublings(now) >= 0

    def missed(self, address: str, account: str) -> None:
        """Note a login that was not right at once, as whoever waits for its failure can tell.

        Of many that come in the same moment none has failed yet.
        """
        place = self.place(address, account)
        if not self._succeeded_lately(place.near, account)[0]:
            now = self._clock()
            self._rush.use(place.network, (self._rush_level(place.network, now) + 1.0, now))
            self._rush_over = now + 1.0

    def withdrawn(self, address: str, account: str, password: bytes) -> None:
        """Count a login that its client gave up, where it had learnt that it is not known as right.

        Or guessing would cost nothing: whoever hears no success at once goes away and comes again.
        Not among all together, whom one client could then delay without ever waiting itself.
        """
        self._count_everywhere(address, account, password, exists=False)

    def succeeded(self, address: str, account: str) -> None:
        """Remember a success; what the network failed at stays counted."""
        host, network = neighbourhood(address)
        self._successes.use(hash((network, account)) & _SHORT, (self._now(), host, account))

    # ---- what an administrator asks

    def keys(self) -> list[str]:
        """Return what may be held against anybody, by key."""
        return [*self._failures, IN_ALL]

    def weight(self, key: str) -> tuple[float, int]:
        """Return the delay and the failures of a key; no failures: nothing is held."""
        if key == IN_ALL:
            return self._delay_of_all(), int(self.flood_level())
        failures = self._fresh(key)
        if failures is None or not failures.count:
            return 0.0, 0
        factor = {"n": NETWORK_FACTOR, "u": ACCOUNT_FACTOR}.get(key[0], 1)
        return self._delay(key, factor * self._options.free_failures), failures.count

    def held_by(self, key: str) -> Held | None:
        """Return what is held against a key; None: nothing."""
        delay, count = self.weight(key)
        if not count:
            return None
        failures = self._failures.get(key)
        ago = 0.0 if failures is None else max(self._clock() - failures.last, 0.0)
        return Held(KINDS[key[0]], self._name_of(key), count, ago, delay)

    def held(self) -> Iterator[Held]:
        """Yield what is held against anybody."""
        for key in self.keys():
            held = self.held_by(key)
            if held is not None:
                yield held

    def forgive(self, network: Network | None = None, account: str | None = None) -> int:
        """Forget what addresses of a network failed at, or what an account did; return how many.

        Of a network that is larger than what was asked for, only their share is forgotten.
        """
        meant = [key for key in self._failures if self._is_meant(key, network, account)]
        forgotten = {key: self._failures.pop(key) for key in meant}
        for key, failures in forgotten.items():
            if key[0] == "a":
                self._take_off(f"n{network_of(key[1:])}", failures.count)
        self.changes += 1
        return sum(failures.count > 0 for failures in forgotten.values())

    def forgive_all(self) -> int:
        """Forget every failure; return how many addresses, networks and accounts had one."""
        forgotten = sum(failures.count > 0 for failures in self._failures.values())
        self._failures.clear()
        self._flood.restore(0.0, self._clock())
        self._flooded, self._unnamed = False, None
        self.changes += 1
        return forgotten

    # ---- what outlives the process

    def newest_failures(self, count: int) -> Iterator[tuple[str, Failures]]:
        """Yield what was used last, the latest first; not over a change."""
        return islice(reversed(self._failures.items()), count)

    def newest_successes(self, count: int) -> Iterator[tuple[float, str, str]]:
        """Yield times, hosts and accounts of successes, the latest first; not over a change."""
        return islice(reversed(self._successes.values()), count)

    def flood_level(self) -> float:
        """Return how high the failures of all together stand."""
        return self._flood.look(self._clock())

    def unnamed(self) -> Failures | None:
        """Return what stands for the names that no account has, from before a restart."""
        return self._unnamed

    def restore(self, key: str, failures: Failures) -> None:
        """Take in an entry of before a restart."""
        if key == IN_ALL:
            self._unnamed = failures
        else:
            self._failures.use(key, failures)

    def restore_success(self, at: float, host: str, account: str) -> None:
        """Take in a success of before a restart."""
        self._successes.use(hash((network_of(host), account)) & _SHORT, (at, host, account))

    def restore_flood(self, level: float) -> None:
        """Take in how high the failures of all together stood."""
        now = self._clock()
        self._flood.restore(level, now)
        self._flooded = self._flood.doublings(now) >= 0

    # ---- inside

    def _count_everywhere(
        self, address: str, account: str, password: bytes, *, exists: bool
    ) -> bool:
        """Count a failure of a place and an account; return whether its address had it anew."""
        place = self.place(address, account)
        digest = blake2b(
            f"{account}\0".encode("utf-8", "surrogatepass") + password,
            key=self._key,
            digest_size=DIGEST_OCTETS,
        ).digest()
        now = self._now()
        counted = self._count(place.host, digest, now, lasting=exists or place.host[0] != "c")
        if place.network != place.host:
            self._count(place.network, digest, now)
        self._count(f"u{account}", digest, now, lasting=exists)
        return counted

    def _is_rushed(self, address: str, account: str) -> bool:
        now = self._clock()
        if now >= self._rush_over:
            self._rush.clear()
            return False
        place = self.place(address, account)
        rushed = self._rush_level(place.network, now) > RUSH - 1
        return rushed and not self._succeeded_lately(place.near, account)[0]

    def _rush_level(self, network: str, now: float) -> float:
        level, at = self._rush.get(network, (0.0, now))
        return max(level - (now - at) * RUSH, 0.0)

    def _count(self, key: str, digest: bytes, now: float, *, lasting: bool = True) -> bool:
        failures = self._fresh(key)
        if failures is None:
            failures = Failures(lasting=lasting)
        failures.lasting |= lasting
        repeated = failures.repeats(digest, now)
        if not repeated:
            failures.count += 1
            failures.last = now
            self.changes += 1
        self._failures.use(key, failures)
        return not repeated

    def _fresh(self, key: str) -> Failures | None:
        failures = self._failures.get(key)
        if failures is None:
            return None
        if not failures.settle(self._clock() - self._options.forget_after_seconds):
            del self._failures[key]
            return None
        return failures

    def _delay(self, key: str, free: int) -> float:
        failures = self._fresh(key)
        if failures is None or failures.count <= free:
            return 0.0
        return self._doubled(failures.count - free - 1)

    def _delay_of_account(self, account: str, free: int) -> float:
        own = self._delay(f"u{account}", free)
        unnamed = self._unnamed
        if unnamed is None or own:
            return own
        if not unnamed.settle(self._clock() - self._options.forget_after_seconds):
            self._unnamed = None
            return own
        return self._doubled(unnamed.count - free - 1) if unnamed.count > free else own

    def _delay_of_all(self) -> float:
        if not self._flooded:
            return 0.0
        doublings = self._flood.doublings(self._clock())
        self._flooded = doublings >= 0
        return self._doubled(doublings) if self._flooded else 0.0

    def _doubled(self, times: int) -> float:
        seconds: float = self._options.first_delay_seconds * 2 ** min(times, _MOST_DOUBLINGS)
        return min(seconds, self._options.longest_delay_seconds)

    def _succeeded_lately(self, network: str, account: str) -> tuple[bool, str]:
        """Say whether somebody logged in to the account from this network, and who did last."""
        success = self._successes.get(hash((network, account)) & _SHORT)
        if success is None:
            return False, ""
        at, host, _ = success
        return self._clock() - at <= self._options.remember_success_seconds, host

    def _lies_in_gateway(self, host: str) -> bool:
        network = covered(host)
        return network is not None and any(
            network.version == gateway.version and network.overlaps(gateway)
            for gateway in self._gateways
        )

    @staticmethod
    def _name_of(key: str) -> str:
        if key[0] in ("u", IN_ALL):
            return key[1:]
        counted, _, account = key[1:].partition(" ")
        return f"{written(counted)} {account}" if key[0] == "c" else written(counted)

    @staticmethod
    def _is_meant(key: str, network: Network | None, account: str | None) -> bool:
        kind, (counted, _, name) = key[0], key[1:].partition(" ")
        if account is not None:
            return key[1:] == account if kind == "u" else kind == "c" and name == account
        if network is None or kind == "u":
            return False
        found = covered(counted)
        if found is None or found.version != network.version:
            return False
        if kind == "n":
            return _within(found, network)
        # An IPv6 address counts by its /64, so whoever asks for one means that.
        return _within(found, network) or _within(network, found)

    def _take_off(self, key: str, count: int) -> None:
        failures = self._failures.get(key)
        if failures is not None:
            failures.count = max(failures.count - count, 0)


def _within(inner: Network, outer: Network) -> bool:
    return inner.subnet_of(outer)  # type: ignore[arg-type]

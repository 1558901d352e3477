"""Limits on connections, counted over all workers in memory they share.

Every worker has a region of its own and is the only one to write there, so nothing is locked; a
count is the sum over the regions. Addresses and networks are counted in tables that they are hashed
into with a key nobody outside knows. A count is never too small; for a stranger to be taken for a
crowd it would have to share a place with one, of which there can be no more than the limit on all
connections divided by the limit of one address, among 65,536 places.

A worker that dies leaves its counts behind; the supervisor clears its region before the next one
takes it.
"""

import mmap
import secrets
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address

from restante.server.options import LimitOptions

_TABLE = 65_536
_BY_ADDRESS, _BY_NETWORK, _BEFORE_LOGIN = range(3)
_TOTAL = 3 * _TABLE
_IN_USE = _TOTAL + 1
_REGION = _TOTAL + 8
"""Counters of a region: three tables, the total, whether somebody has it; a multiple of eight."""

SLOTS = 64
"""Workers that can live at once, those of a generation that finishes its sessions included."""


class SharedCounts:
    """The memory that all workers of a server count in; made before they are."""

    def __init__(self, slots: int = SLOTS) -> None:
        self.slots = slots
        self.key = secrets.token_bytes(16)
        # Pages that no worker touches are never made.
        self._memory = mmap.mmap(-1, slots * _REGION * 4)
        self.counters = memoryview(self._memory).cast("i")

    def take(self) -> int | None:
        """Give a region to a worker that is about to begin; None: all are taken."""
        for slot in range(self.slots):
            if not self.counters[slot * _REGION + _IN_USE]:
                self.counters[slot * _REGION + _IN_USE] = 1
                return slot
        return None

    def free(self) -> int:
        """Return how many regions nobody has."""
        return self.slots - len(self.regions())

    def give_back(self, slot: int) -> None:
        """Forget what a worker that is gone has counted."""
        start = slot * _REGION * 4
        self._memory[start : start + _REGION * 4] = bytes(_REGION * 4)

    def regions(self) -> tuple[int, ...]:
        """Return where the regions that are taken begin."""
        starts = range(0, self.slots * _REGION, _REGION)
        return tuple(start for start in starts if self.counters[start + _IN_USE])


class Limits:
    """What one worker may let in."""

    def __init__(self, options: LimitOptions, shared: SharedCounts, slot: int) -> None:
        self._options = options
        self._shared = shared
        self._counters = shared.counters
        self._base = slot * _REGION
        self._regions = shared.regions()
        self._places = lru_cache(maxsize=4_096)(lambda address: _places(address, shared.key))

    def admit(self, address: str) -> "Places | str":
        """Let a connection in and say where it is counted until it leaves, or which limit it meets.

        Who comes from one address shares the value, so that a connection keeps none of its own.
        """
        options, counters, base = self._options, self._counters, self._base
        places: Places = self._places(address)
        host, network, before_login = places
        total = from_host = from_network = waiting = 0
        for region in self._regions:
            total += counters[region + _TOTAL]
            from_host += counters[region + host]
            from_network += counters[region + network]
            waiting += counters[region + before_login]
        if total >= options.connections:
            return "connections"
        if from_host >= options.connections_per_address:
            return "connections per address"
        if from_network >= options.connections_per_network:
            return "connections per network"
        if waiting >= options.before_login_per_address:
            return "connections before login per address"
        counters[base + _TOTAL] += 1
        counters[base + host] += 1
        counters[base + network] += 1
        counters[base + before_login] += 1
        return places

    def admit_unnamed(self) -> bool:
        """Let in whoever has still to say whom it comes for; False: there are too many in all.

        A proxy is the one address of all its clients, so none of the other limits is its own.
        """
        if self.total() >= self._options.connections:
            return False
        self._counters[self._base + _TOTAL] += 1
        return True

    def leave_unnamed(self) -> None:
        """Count one no longer that was let in so."""
        self._counters[self._base + _TOTAL] -= 1

    def refresh(self) -> None:
        """Look again which workers there are; called about once a second."""
        self._regions = self._shared.regions()

    def total(self) -> int:
        """Return how many connections there are over all workers."""
        return sum(self._counters[region + _TOTAL] for region in self._regions)

    def logged_in(self, places: "Places") -> None:
        """Count a connection no longer among those before their login; called once at most."""
        self._counters[self._base + places[_BEFORE_LOGIN]] -= 1

    def leave(self, places: "Places", *, logged_in: bool) -> None:
        """Count a connection no longer; `logged_in`: it was said to be."""
        if not logged_in:
            self.logged_in(places)
        counters, base = self._counters, self._base
        counters[base + _TOTAL] -= 1
        counters[base + places[_BY_ADDRESS]] -= 1
        counters[base + places[_BY_NETWORK]] -= 1


def networks(address: str) -> tuple[str, str]:
    """Return what an address counts as: IPv4 /32 and /24, IPv6 /64 and /48."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address, address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            packed = parsed.packed
            return packed[:8].hex(), packed[:6].hex()
        parsed = parsed.ipv4_mapped
    return str(parsed), str(parsed).rpartition(".")[0]


Places = tuple[int, int, int]
"""Where a connection is counted: by address, by network, before its login."""


def _places(address: str, key: bytes) -> Places:
    host, network = networks(address)
    return (
        _place(_BY_ADDRESS, host, key),
        _place(_BY_NETWORK, network, key),
        _place(_BEFORE_LOGIN, host, key),
    )


def _place(table: int, counted: str, key: bytes) -> int:
    digest = blake2b(counted.encode(), key=key, digest_size=4).digest()
    return table * _TABLE + int.from_bytes(digest, "big") % _TABLE

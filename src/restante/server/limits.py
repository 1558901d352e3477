"""Limits on connections, counted over all workers in memory they share.

Every worker has a region of its own and is the only one to write there, so nothing is locked; a
count is the sum over the regions. Addresses and networks are counted in sketches: two rows of
counters, each address hashed into both with a key nobody outside knows, the smaller counter its
count. A count is never too small, and for a stranger to be taken for a crowd it would have to
meet crowds in both rows.

A worker that dies leaves its counts behind; the supervisor clears its region before the next one
takes it.
"""

import mmap
import secrets
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address

from restante.server.options import LimitOptions

_ROWS = 2
_COLUMNS = 8_192
_BY_ADDRESS, _BY_NETWORK, _BEFORE_LOGIN = range(3)
_TABLE = _ROWS * _COLUMNS
_TOTAL = 3 * _TABLE
_IN_USE = _TOTAL + 1
_REGION = _TOTAL + 8
"""Counters of a region: three sketches, the total, whether somebody has it; a multiple of eight."""

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

    def give_back(self, slot: int) -> None:
        """Forget what a worker that is gone has counted."""
        start = slot * _REGION * 4
        self._memory[start : start + _REGION * 4] = bytes(_REGION * 4)

    def regions(self) -> tuple[int, ...]:
        """Return where the regions that are taken begin."""
        starts = range(0, self.slots * _REGION, _REGION)
        return tuple(start for start in starts if self.counters[start + _IN_USE])


class Admission:
    """One connection that was let in, until it is released."""

    __slots__ = ("_before_login", "_limits", "_places")

    def __init__(self, limits: "Limits", places: tuple[int, ...]) -> None:
        self._limits = limits
        self._places: tuple[int, ...] | None = places
        self._before_login = True

    def logged_in(self) -> None:
        """Count it no longer among those before their login."""
        if self._places is not None and self._before_login:
            self._before_login = False
            self._limits.add(self._places[4:], -1)

    def release(self) -> None:
        """Count it no longer; may be called twice."""
        if self._places is None:
            return
        places = self._places if self._before_login else self._places[:4]
        self._places = None
        self._limits.add(places, -1)
        self._limits.add_total(-1)


class Limits:
    """What one worker may let in."""

    def __init__(self, options: LimitOptions, shared: SharedCounts, slot: int) -> None:
        self._options = options
        self._shared = shared
        self._counters = shared.counters
        self._base = slot * _REGION
        self._regions = shared.regions()
        self._places = lru_cache(maxsize=4_096)(lambda address: _places(address, shared.key))

    def admit(self, address: str) -> Admission | str:
        """Let a connection in, or say which limit it meets."""
        options = self._options
        places: tuple[int, ...] = self._places(address)
        if self.total() >= options.connections:
            return "connections"
        if self._count(places[0:2]) >= options.connections_per_address:
            return "connections per address"
        if self._count(places[2:4]) >= options.connections_per_network:
            return "connections per network"
        if self._count(places[4:6]) >= options.before_login_per_address:
            return "connections before login per address"
        self.add(places, 1)
        self.add_total(1)
        return Admission(self, places)

    def refresh(self) -> None:
        """Look again which workers there are; called about once a second."""
        self._regions = self._shared.regions()

    def total(self) -> int:
        """Return how many connections there are over all workers."""
        counters = self._counters
        return sum(counters[region + _TOTAL] for region in self._regions)

    def add(self, places: tuple[int, ...], change: int) -> None:
        """Change this worker's counters."""
        counters, base = self._counters, self._base
        for place in places:
            counters[base + place] += change

    def add_total(self, change: int) -> None:
        """Change this worker's total."""
        self._counters[self._base + _TOTAL] += change

    def _count(self, places: tuple[int, ...]) -> int:
        counters, regions = self._counters, self._regions
        return min(sum(counters[region + place] for region in regions) for place in places)


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


def _places(address: str, key: bytes) -> tuple[int, ...]:
    host, network = networks(address)
    places: list[int] = []
    for table, counted in ((_BY_ADDRESS, host), (_BY_NETWORK, network), (_BEFORE_LOGIN, host)):
        digest = blake2b(counted.encode(), key=key, digest_size=8).digest()
        for row in range(_ROWS):
            column = int.from_bytes(digest[4 * row : 4 * row + 4], "big") % _COLUMNS
            places.append(table * _TABLE + row * _COLUMNS + column)
    return tuple(places)

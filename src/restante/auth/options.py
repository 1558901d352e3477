"""Settings of the Authorization state: sources of accounts, hashing, throttle.

Values only. A value that cannot stand raises ValueError with a sentence; `config` adds file, key
and line.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """One source of accounts; the first that knows a name decides."""

    type: Literal["accounts", "passwd-file"] = "accounts"
    path: Path | None = None
    """Of the passwd-file; `accounts` lives in the state directory."""

    def __post_init__(self) -> None:
        if self.type == "passwd-file" and self.path is None:
            raise ValueError("a passwd-file source needs a path")
        if self.type == "accounts" and self.path is not None:
            raise ValueError("the accounts source takes no path: it lives in state_directory")


@dataclass(frozen=True, slots=True, kw_only=True)
class HashOptions:
    """Cost of argon2id for new passwords, and bounds of the pool that computes hashes."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1
    threads: int = 2
    """Hashes computed at once; each takes `memory_kib`."""
    queue: int = 64
    """Hashes waiting; more are refused with [SYS/TEMP]."""

    def __post_init__(self) -> None:
        if self.memory_kib < 8 * self.lanes or self.passes < 1 or self.lanes < 1:
            raise ValueError("argon2id needs at least one pass, one lane and 8 KiB a lane")
        if self.threads < 1 or self.queue < 1:
            raise ValueError("threads and queue are at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleOptions:
    """How failed logins slow down further ones."""

    free_failures: int = 3
    """Failures of one address and account before any delay."""
    first_delay_seconds: float = 2.0
    longest_delay_seconds: float = 15.0
    forget_after_seconds: float = 900.0
    entries: int = 100_000
    """Addresses, networks and accounts remembered; the longest unused go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheOptions:
    """The cache of passwords found right."""

    entries: int = 50_000
    seconds: float = 3_600.0
    """0 turns it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthOptions:
    """Everything an authenticator needs to know."""

    state_directory: Path
    default_domain: str = ""
    sources: tuple[SourceOptions, ...] = (SourceOptions(),)
    hashing: HashOptions = field(default_factory=HashOptions)
    throttle: ThrottleOptions = field(default_factory=ThrottleOptions)
    cache: CacheOptions = field(default_factory=CacheOptions)

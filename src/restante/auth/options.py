"""Settings of the Authorization state: sources of accounts, hashing, throttle.

Values only. A value that cannot stand raises ValueError with a sentence; `config` adds file, key
and line.
"""

from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from restante.auth.oauth2.options import OAuth2Options
from restante.auth.sql.options import SqlOptions

MAXIMUM_MEMORY_KIB = 4_194_304
MAXIMUM_PASSES = 1_000
MAXIMUM_LANES = 255
MINIMUM_ITERATIONS = 4_096
"""RFC 7677 §4: clients refuse fewer."""
MAXIMUM_ITERATIONS = 10_000_000
"""Seconds of anybody's time; what asks for more is a mistake or an attack."""


ScramFamily = Literal["SCRAM-SHA-256", "SCRAM-SHA-1"]
"""Verifiers of SCRAM are kept for one of these; it serves with -PLUS and without."""

FurtherMechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "APOP"]
"""What entries of a passwd-file may be good for besides passwords sent as they are."""

_BY_TABLE = ("sql", "command", "oauth2")
"""Types of sources with a table of their own, by its name."""
_ASKS = ("sql", "command")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingOptions:
    """Bounds of a source that has to ask somebody else."""

    deadline_seconds: float = 5.0
    """Until a question has failed with [SYS/TEMP], its wait for
    others included."""
    at_once: int = 4
    """Questions that are open at once."""
    queue: int = 64
    """Questions waiting; more are refused with [SYS/TEMP]."""
    remember_seconds: float = 30.0
    """How long an account is taken for what it was said to be; what
    changes there counts after that. 0: everybody is asked for each time."""
    floor_seconds: float = 0.5
    """What a refusal takes at the least, so that time does not tell
    whether there is such an account, or where. It has to be longer than an answer mostly takes."""

    def __post_init__(self) -> None:
        # The other way round, NaN would pass.
        if not self.deadline_seconds > 0:
            raise ValueError("deadline_seconds is above 0")
        for name in ("at_once", "queue"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1")
        for name in ("remember_seconds", "floor_seconds"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOptions:
    """A program that speaks as checkpassword does."""

    program: Path
    """The program; it is run without a shell, by `auth_user`, once for each question."""
    arguments: tuple[str, ...] = ()
    """What it is called with, in front of the program that it is to run in turn."""
    maildir: str = ""
    """Where in the home of an account (HOME) its mail lies, as "Maildir", unless the program says
    it (MAILDIR); empty: mail.path decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """One source of accounts; the first that knows a name decides."""

    type: Literal["accounts", "passwd-file", "sql", "command", "certificate", "oauth2"] = "accounts"
    """accounts: our own database; passwd-file: a file in Dovecot's format; sql: a query to a
    database, with a table `[auth.source.sql]` behind it; command: a program as checkpassword is,
    with a table `[auth.source.command]`; certificate: who a client's certificate names, for
    EXTERNAL; oauth2: whose a bearer token is, for OAUTHBEARER and XOAUTH2,
    with a table `[auth.source.oauth2]`."""
    path: Path | None = None
    """Of the passwd-file; of a file of fingerprints for certificates, which may be left out.
    `accounts` lives in the state directory."""
    verifies: tuple[FurtherMechanism, ...] = ()
    """Of a passwd-file: mechanisms its entries serve besides USER, PLAIN and LOGIN. SCRAM takes
    entries of its own scheme or {PLAIN}, CRAM-MD5 {CRAM-MD5} or {PLAIN}, APOP {PLAIN} alone."""
    certificate_name: Literal["mail", "common-name", "none"] | None = None
    """What in a certificate names the account: its only rfc822Name (which is the default), its only
    common name, or nothing, so that the file of fingerprints alone decides."""
    sql: SqlOptions | None = None
    command: CommandOptions | None = None
    asking: AskingOptions | None = None
    oauth2: OAuth2Options | None = None

    def __post_init__(self) -> None:
        if self.type == "passwd-file" and self.path is None:
            raise ValueError("path: a passwd-file source needs one")
        if self.type == "accounts" and self.path is not None:
            raise ValueError("path: the accounts source takes none, it lives in state_directory")
        if self.type != "passwd-file" and self.verifies:
            raise ValueError("verifies: only a passwd-file source takes it")
        if self.type != "certificate" and self.certificate_name is not None:
            raise ValueError("certificate_name: only a certificate source takes it")
        if self.certificate_name == "none" and self.path is None:
            raise ValueError('certificate_name: "none" takes a file of fingerprints, by path')
        if self.type in _BY_TABLE and self.path is not None:
            raise ValueError(f"path: a source of type {self.type} takes none")
        for name in _BY_TABLE:
            if (self.type == name) != (getattr(self, name) is not None):
                raise ValueError(f'type: "{name}" and a table [auth.source.{name}] belong together')
        if self.type not in _ASKS and self.asking is not None:
            raise ValueError(f'type: "{self.type}" asks nobody, and takes no [auth.source.asking]')


@dataclass(frozen=True, slots=True, kw_only=True)
class HashOptions:
    """Cost of argon2id for new passwords, and bounds of the pool that computes hashes."""

    memory_kib: int = 19_456
    """Memory one hash takes while it is computed."""
    passes: int = 2
    """How often that memory is gone over."""
    lanes: int = 1
    """Parts of that memory that could be filled side by side."""
    threads: int = 2
    """Hashes computed at once; each takes `memory_kib`."""
    queue: int = 64
    """Hashes waiting; more are refused with [SYS/TEMP]."""
    scram: tuple[ScramFamily, ...] = ("SCRAM-SHA-256",)
    """Mechanisms that new passwords of our own database are kept for besides; empty: for none."""
    scram_iterations: int = 32_768
    """How often SCRAM digests a new password; every client has to do the same."""

    def __post_init__(self) -> None:
        for name in ("passes", "lanes", "threads", "queue"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1")
        if not 8 * self.lanes <= self.memory_kib <= MAXIMUM_MEMORY_KIB:
            raise ValueError(
                f"memory_kib is 8 for each lane at least, {MAXIMUM_MEMORY_KIB} at most"
            )
        if self.passes > MAXIMUM_PASSES or self.lanes > MAXIMUM_LANES:
            raise ValueError(f"passes is {MAXIMUM_PASSES} at most, lanes {MAXIMUM_LANES}")
        if not MINIMUM_ITERATIONS <= self.scram_iterations <= MAXIMUM_ITERATIONS:
            raise ValueError(
                f"scram_iterations is {MINIMUM_ITERATIONS} at least, {MAXIMUM_ITERATIONS} at most"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleOptions:
    """How failed logins slow down further ones."""

    free_failures: int = 3
    """Failures of one address and account before any delay."""
    first_delay_seconds: float = 2.0
    """After the first failure that is not free; it doubles with each further one."""
    longest_delay_seconds: float = 15.0
    """Where it stops doubling."""
    forget_after_seconds: float = 900.0
    """Without a failure, until those before are forgotten."""
    failures_per_minute: int = 600
    """Of all clients together before everybody is delayed who did not log in lately from where they
    are; never fewer than `free_failures`."""
    remember_success_seconds: float = 86_400.0
    """How long a login gets its network past the delays of its account and of all."""
    gateways: tuple[str, ...] = ()
    """Networks in which an address is many people's: failures there count by account, not by
    address."""
    entries: int = 100_000
    """Addresses, networks and accounts remembered; the longest unused go first."""

    def __post_init__(self) -> None:
        # The other way round, NaN would pass.
        for name in (
            "free_failures",
            "first_delay_seconds",
            "forget_after_seconds",
            "remember_success_seconds",
        ):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is not negative")
        if not self.first_delay_seconds <= self.longest_delay_seconds:
            raise ValueError("longest_delay_seconds is not below first_delay_seconds")
        for name in ("failures_per_minute", "entries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1")
        for each in self.gateways:
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(f"gateways: {each!a} is no network, as 10.0.0.0/8 is") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheOptions:
    """The cache of passwords found right."""

    entries: int = 50_000
    """Passwords remembered, as keyed digests; the longest unused go first."""
    seconds: float = 3_600.0
    """How long a password is remembered; 0 turns the cache off."""

    def __post_init__(self) -> None:
        if self.entries < 1:
            raise ValueError("entries is at least 1")
        if not self.seconds >= 0:
            raise ValueError("seconds is not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthOptions:
    """Everything an authenticator needs to know."""

    state_directory: Path
    default_domain: str = ""
    """The domain of a name that is given without one; empty: such a name stays as it is."""
    sources: tuple[SourceOptions, ...] = (SourceOptions(),)
    hashing: HashOptions = field(default_factory=HashOptions)
    throttle: ThrottleOptions = field(default_factory=ThrottleOptions)
    cache: CacheOptions = field(default_factory=CacheOptions)

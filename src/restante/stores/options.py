"""Settings of the mail stores.

Values only. A value that cannot stand raises ValueError with a sentence; `config` adds file, key
and line.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOptions:
    """Where mail lies and in which form."""

    store: Literal["maildir", "memory"] = "maildir"
    """maildir: one file a message, on disk; memory: for tests, gone with the process."""
    path: str = "/var/vmail/{domain}/{local}/Maildir"
    """Template of a mailbox path: {name} the account, {local} and {domain} its two parts; a source
    that gives a path of its own goes before it."""
    default_domain: str = ""
    """What {domain} is for a name without one."""
    state_directory: Path | None = None
    """Where lock files lie; None: a store that is used by one process alone."""
    cache_octets: int = 268_435_456
    """Bound on listings kept in memory by one process."""
    prepared_octets: int = 67_108_864
    """Bound on messages one process keeps ready to be sent, from the login that counted their
    octets on; 0: every RETR reads its message again."""
    verify_at_login: int = 400
    """Messages whose size in the name is checked at once; where more have come, they are checked in
    the background."""
    verify_at_login_octets: int = 4_194_304
    """What is read for that; the sizes of what lies behind are checked in the background too."""

    def __post_init__(self) -> None:
        if self.cache_octets < 0:
            raise ValueError("cache_octets is not negative")
        if self.prepared_octets < 0:
            raise ValueError("prepared_octets is not negative")
        if self.verify_at_login < 0:
            raise ValueError("verify_at_login is not negative")
        if self.verify_at_login_octets < 0:
            raise ValueError("verify_at_login_octets is not negative")

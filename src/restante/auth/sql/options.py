"""Settings of one source of accounts in an SQL database.

Values only. A value that cannot stand raises ValueError with a sentence.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from restante.auth.sql.parameters import PARAMETERS, named

SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOptions:
    """One database: exactly one of `path` and `url`."""

    path: Path | None = None
    """A database of SQLite. It is only read."""
    url: str = ""
    """A database of PostgreSQL, as postgresql://user@host/database; without a password."""
    password_file: Path | None = None
    """A file that has the password for `url` in its first line; it is read for each connection."""
    query: str
    """What is asked: one SELECT with the columns password, and if there are any mailbox (a path)
    and disabled. It finds one row by :name, or by :local and :domain, which are given as values,
    never as text of the query."""

    def __post_init__(self) -> None:
        if (self.path is None) == (not self.url):
            raise ValueError("path: either it or url has to be set")
        if self.url:
            self._check_url()
        elif self.password_file is not None:
            raise ValueError("password_file: only url takes it")
        found = named(self.query)
        if unknown := sorted(found - set(PARAMETERS)):
            raise ValueError(f"query: knows :name, :local and :domain, not :{unknown[0]}")
        if not found & {"name", "local"}:
            raise ValueError("query: needs :name or :local, or all names would be the same account")

    def _check_url(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in SCHEMES:
            raise ValueError("url: has to begin with postgresql://")
        if parts.password is not None:
            raise ValueError(
                "url: takes no password; put it into a file, and name it by password_file"
            )

"""The accounts database: our own source of accounts, SQLite in the state directory.

The auth process reads it, the account commands write it. A login sees every change that was
committed before it, so nothing has to be told to a running server.
"""

import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from restante.auth.sources import Account
from restante.errors import AccountError, TemporaryFailure, UnknownAccount

FILE_NAME = "accounts.sqlite"
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE account (
    name TEXT PRIMARY KEY,
    stored_password TEXT NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    mailbox TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE counter (value INTEGER NOT NULL);
INSERT INTO counter VALUES (1);
"""


@dataclass(frozen=True, slots=True)
class AccountDescription:
    """What an administrator is shown of an account."""

    name: str
    disabled: bool
    mailbox: str | None
    created_at: int


class AccountsDatabase:
    """The accounts of a state directory."""

    name = "accounts"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    # ---- as a source

    def look_up(self, name: str) -> Account | None:
        """Return the account of a prepared name; None: there is none.

        Raises:
            TemporaryFailure: the database cannot be read.
        """
        try:
            connection = self._open_existing()
            if connection is None:
                return None
            row = connection.execute(
                "SELECT stored_password, disabled, mailbox, version FROM account WHERE name = ?",
                (name,),
            ).fetchone()
        except sqlite3.Error as error:
            self.close()
            raise TemporaryFailure from error
        if row is None:
            return None
        return Account(name, row[0], self.name, str(row[3]), bool(row[1]), row[2])

    def usual_password(self) -> str | None:
        """Return None: new passwords are hashed in the usual way, which is the default."""
        return None

    # ---- for the administrator

    def add(self, name: str, stored_password: str, mailbox: str | None = None) -> None:
        """Add an account.

        Raises:
            AccountError: there is one of that name already.
        """
        try:
            with self._open() as connection:
                version = _next_version(connection)
                connection.execute(
                    "INSERT INTO account (name, stored_password, mailbox, version, created_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (name, stored_password, mailbox, version, int(time.time())),
                )
        except sqlite3.IntegrityError:
            raise AccountError(f"there is an account {name} already") from None
        except sqlite3.Error as error:
            raise _unusable() from error

    def list(self) -> list[AccountDescription]:
        """Return all accounts, by name."""
        try:
            connection = self._open_existing()
            if connection is None:
                return []
            rows = connection.execute(
                "SELECT name, disabled, mailbox, created_at FROM account ORDER BY name"
            ).fetchall()
        except sqlite3.Error as error:
            raise _unusable() from error
        return [AccountDescription(row[0], bool(row[1]), row[2], row[3]) for row in rows]

    def show(self, name: str) -> AccountDescription:
        """Return one account.

        Raises:
            AccountError: there is none of that name.
        """
        for account in self.list():
            if account.name == name:
                return account
        raise _unknown(name)

    def set_password(self, name: str, stored_password: str) -> None:
        """Replace the password of an account."""
        self._change(name, "stored_password", stored_password)

    def disable(self, name: str) -> None:
        """Refuse every login of an account from now on."""
        self._change(name, "disabled", 1)

    def enable(self, name: str) -> None:
        """Let an account log in again."""
        self._change(name, "disabled", 0)

    def remove(self, name: str) -> None:
        """Forget an account; its mail stays where it is."""
        try:
            with self._open() as connection:
                removed = connection.execute("DELETE FROM account WHERE name = ?", (name,))
        except sqlite3.Error as error:
            raise _unusable() from error
        if not removed.rowcount:
            raise _unknown(name)

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ---- the file

    def _change(self, name: str, column: str, value: str | int) -> None:
        try:
            with self._open() as connection:
                changed = connection.execute(
                    f"UPDATE account SET {column} = ?, version = ? WHERE name = ?",  # noqa: S608
                    (value, _next_version(connection), name),
                )
        except sqlite3.Error as error:
            raise _unusable() from error
        if not changed.rowcount:
            raise _unknown(name)

    def _open_existing(self) -> sqlite3.Connection | None:
        """Return the database for reading; None: nobody has made an account yet."""
        if self._connection is None and not self._path.exists():
            return None
        return self._open()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        if not self._path.exists():
            # Made here and not by SQLite, so that it is never readable by others for a moment.
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(self._path, timeout=5.0, check_same_thread=False)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            connection.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;"
            )
        elif version != _SCHEMA_VERSION:
            connection.close()
            raise sqlite3.DatabaseError("the database is of another version")
        self._connection = connection
        return connection


def _next_version(connection: sqlite3.Connection) -> int:
    """Return a number no account had before, so that a name given again is another account."""
    connection.execute("UPDATE counter SET value = value + 1")
    value: int = connection.execute("SELECT value FROM counter").fetchone()[0]
    return value


def _unknown(name: str) -> UnknownAccount:
    return UnknownAccount(f"there is no account {name}")


def _unusable() -> AccountError:
    return AccountError("the accounts database cannot be used")

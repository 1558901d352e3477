"""The accounts database: our own source of accounts, SQLite in the state directory.

The auth process reads it, the account commands write it. A login sees every change that was
committed before it, so nothing has to be told to a running server; a file put in the place of
another, as a backup is, counts at once as well.
"""

import os
import sqlite3
import string
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restante.auth import schema
from restante.auth.sources import Account
from restante.auth.verifiable import PASSWORDS
from restante.errors import AccountError, TemporaryFailure, UnknownAccount

FILE_NAME = "auth/accounts.sqlite"
"""In the state directory. The folder is the auth process's own, no other role can look into it,
and whoever reads first after a power cut has to undo what was half done, which takes a file away.
"""
_DESCRIBE = "SELECT name, disabled, mailbox, created_at, scram FROM account"
_DESCRIBE_ALL = f"{_DESCRIBE} ORDER BY name"
_DESCRIBE_ONE = f"{_DESCRIBE} WHERE name = ?"
_SELECT = "SELECT name, stored_password, disabled, mailbox, version, scram FROM account"
_BEHIND = f"{_SELECT} WHERE name >= ? ORDER BY name LIMIT 1"
_BEFORE = f"{_SELECT} WHERE name < ? ORDER BY name LIMIT 1"
_WITH_SCRAM = (_DESCRIBE_ALL, _DESCRIBE_ONE, _BEHIND, _BEFORE)
_OLDER = {each: each.replace("scram", "''") for each in _WITH_SCRAM}
"""What a database without verifiers of SCRAM is asked instead."""
_NO_ROW = ("\0", "", 0, None, 0, "")
"""In the place of the row of somebody behind the last account; nobody has this name."""

READER_WAIT_SECONDS = 0.25
"""For a writer to finish: every other login waits as long, so a writer has to be quick."""
WRITER_WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class AccountDescription:
    """What an administrator is shown of an account."""

    name: str
    disabled: bool
    mailbox: str | None
    created_at: int
    scram: tuple[str, ...] = ()
    """The mechanisms that a verifier is kept for."""


_Stamp = tuple[int, int, int, int, int]


class AccountsDatabase:
    """The accounts of a state directory."""

    name = "accounts"

    def __init__(self, path: Path, verifies: frozenset[str] = PASSWORDS) -> None:
        self._path = path
        self._verifies = verifies
        self._connection: sqlite3.Connection | None = None
        self._opened: _Stamp | None = None
        """Of the file that is open, as it was then."""
        self._version = 0

    # ---- as a source

    def look_up(self, name: str) -> Account | None:
        """Return the account of a prepared name; None: there is none.

        Raises:
            TemporaryFailure: the database cannot be read.
        """
        try:
            # Whoever comes next where nobody has the name: reading a row takes its time.
            row = self._row(_BEHIND, name) or _NO_ROW
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise TemporaryFailure(reason=f"accounts database: {error}") from error
        account = self._account(row)
        return account if account.name == name else None

    def state(self) -> object:
        """Return what is open and its count of commits; see the contract."""
        try:
            connection = self._reading()
            if connection is None:
                return None if self._path.exists() else "absent"
            # Counts what others commit; what this connection does, nobody does in the auth process.
            return connection, connection.execute("PRAGMA data_version").fetchone()
        except (sqlite3.Error, OSError):
            self.close()
            return None

    def decoy(self, pick: int) -> Account | None:
        """Return somebody; see the contract."""
        letters = string.digits + string.ascii_lowercase
        start = "".join(letters[(pick >> shift) % len(letters)] for shift in range(0, 64, 8))
        try:
            row = self._row(_BEHIND, start) or self._row(_BEFORE, start)
        except (sqlite3.Error, OSError):
            self.close()
            return None
        return None if row is None else self._account(row)

    def _account(self, row: tuple[Any, ...]) -> Account:
        name, stored, disabled, mailbox, version, scram = row
        return Account(
            name, stored, self.name, str(version), bool(disabled), mailbox, scram, self._verifies
        )

    # ---- for the administrator

    def add(
        self, name: str, stored_password: str, mailbox: str | None = None, scram: str = ""
    ) -> None:
        """Add an account.

        Raises:
            AccountError: there is one of that name already.
        """
        with self.changing() as connection:
            version = _next_version(connection)
            try:
                connection.execute(
                    "INSERT INTO account"
                    " (name, stored_password, mailbox, scram, version, created_at)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (name, stored_password, mailbox, scram, version, int(time.time())),
                )
            except sqlite3.IntegrityError:
                raise AccountError(f"there is an account {name} already") from None

    def list(self) -> list[AccountDescription]:
        """Return all accounts, by name."""
        try:
            connection = self._reading()
            if connection is None:
                return []
            rows = connection.execute(self._fitting(_DESCRIBE_ALL, connection)).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise _unusable(error) from error
        return [_description(row) for row in rows]

    def show(self, name: str) -> AccountDescription:
        """Return one account.

        Raises:
            UnknownAccount: there is none of that name.
        """
        try:
            row = self._row(_DESCRIBE_ONE, name)
        except (sqlite3.Error, OSError) as error:
            raise _unusable(error) from error
        if row is None:
            raise _unknown(name)
        return _description(row)

    def set_password(self, name: str, stored_password: str, scram: str = "") -> None:
        """Replace the password of an account, with all that it is verified by."""
        self._change(name, stored_password=stored_password, scram=scram)

    def disable(self, name: str) -> None:
        """Refuse every login of an account from now on."""
        self._change(name, disabled=1)

    def enable(self, name: str) -> None:
        """Let an account log in again."""
        self._change(name, disabled=0)

    def remove(self, name: str) -> None:
        """Forget an account; its mail stays where it is."""
        with self.changing() as connection:
            if not connection.execute("DELETE FROM account WHERE name = ?", (name,)).rowcount:
                raise _unknown(name)

    # ---- for the tables beside that of the accounts

    def rows(self, statement: str, name: str, *, since: int) -> Sequence[tuple[Any, ...]]:
        """Return what a statement finds for a name; nothing in a database of an older version.

        Raises:
            TemporaryFailure: the database cannot be read.
        """
        try:
            connection = self._reading()
            if connection is None or self._version_of(connection) < since:
                return []
            return connection.execute(statement, (name,)).fetchall()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise TemporaryFailure(reason=f"accounts database: {error}") from error

    def touch(self, connection: sqlite3.Connection, name: str) -> int:
        """Give an account a new version, and return it; within a change that is under way.

        Raises:
            UnknownAccount: there is none of that name.
        """
        version = _next_version(connection)
        update = "UPDATE account SET version = ? WHERE name = ?"
        if not connection.execute(update, (version, name)).rowcount:
            raise _unknown(name)
        return version

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ---- the file

    def _change(self, name: str, **values: str | int) -> None:
        columns = "".join(f"{column} = ?, " for column in values)
        with self.changing() as connection:
            changed = connection.execute(
                f"UPDATE account SET {columns}version = ? WHERE name = ?",  # noqa: S608
                (*values.values(), _next_version(connection), name),
            )
            if not changed.rowcount:
                raise _unknown(name)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Hold the database alone; what raises changes nothing.

        Raises:
            AccountError: it cannot be used.
        """
        try:
            # Made here and not by SQLite, so that it is never readable by others for a moment.
            flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(self._path, flags, 0o600))
            connection = self._open()
            connection.execute(f"PRAGMA busy_timeout = {int(WRITER_WAIT_SECONDS * 1000)}")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            try:
                schema.bring_up_to_date(connection)
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise _unusable(error) from error

    def _row(self, statement: str, name: str) -> tuple[Any, ...] | None:
        connection = self._reading()
        if connection is None:
            return None
        if self._version < schema.NEWEST:
            statement = self._fitting(statement, connection)
        row: tuple[Any, ...] | None = connection.execute(statement, (name,)).fetchone()
        return row

    def _fitting(self, statement: str, connection: sqlite3.Connection) -> str:
        older = self._version_of(connection) < schema.SCRAM_SINCE
        return _OLDER[statement] if older else statement

    def _version_of(self, connection: sqlite3.Connection) -> int:
        if self._version < schema.NEWEST:
            # A command may have brought it up to date meanwhile.
            self._version = schema.version_of(connection)
        return self._version

    def _reading(self) -> sqlite3.Connection | None:
        """Return the database for reading; None: nobody has made an account yet."""
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            self.close()
            return None
        if self._connection is not None and self._opened == _stamp(status):
            return self._connection
        connection = self._open()
        self._version = schema.version_of(connection)
        if self._version == 0:
            # Its first account is being made at this moment.
            self.close()
            return None
        return connection

    def _open(self) -> sqlite3.Connection:
        self.close()
        status = os.stat(self._path)
        connection = sqlite3.connect(
            self._path,
            timeout=READER_WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        self._connection, self._opened = connection, _stamp(status)
        return connection


def _stamp(status: os.stat_result) -> _Stamp:
    """Return what a file is told by from another one, and from what is copied over it.

    SQLite goes by a count of commits, which a backup and the changes behind it can have as well.
    """
    return (
        status.st_dev,
        status.st_ino,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
    )


def _description(row: tuple[Any, ...]) -> AccountDescription:
    kept = tuple(text.partition("}")[0].removeprefix("{") for text in row[4].split())
    return AccountDescription(row[0], bool(row[1]), row[2], row[3], kept)


def _next_version(connection: sqlite3.Connection) -> int:
    """Return a number no account had before, so that a name given again is another account."""
    connection.execute("UPDATE counter SET value = value + 1")
    value: int = connection.execute("SELECT value FROM counter").fetchone()[0]
    return value


def _unknown(name: str) -> UnknownAccount:
    return UnknownAccount(f"there is no account {name}")


def _unusable(error: Exception) -> AccountError:
    cause = error.strerror if isinstance(error, OSError) else error
    return AccountError(f"the accounts database cannot be used: {cause}")

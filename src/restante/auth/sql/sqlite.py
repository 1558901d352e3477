"""Accounts in a database of SQLite, read in threads of their own.

A connection is used again as long as the same file stands at the path. It cannot write: the file
is opened for reading, and the connection is told so besides.
"""

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from restante.auth.sources import Account
from restante.auth.sql import rows
from restante.auth.sql.parameters import values
from restante.errors import TemporaryFailure

BUSY_SECONDS = 2.0
"""How long a database is waited for that somebody is writing to."""
_Stamp = tuple[int, int]
_Idle = tuple[sqlite3.Connection, _Stamp]


class SqliteAccounts:
    """The accounts that a query finds in one file."""

    def __init__(self, path: Path, query: str, threads: int) -> None:
        self.name = "sql"
        self._path = os.fspath(path)
        self._query = query
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="sqlite")
        self._idle: list[_Idle] = []
        self._running: set[sqlite3.Connection] = set()

    async def find(self, name: str) -> Account | None:
        """Return the account of a prepared name; see the contract."""
        question = _Question()
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._executor, self._ask, name, question)
        except asyncio.CancelledError:
            question.withdraw()
            raise
        except (OSError, sqlite3.Error, UnicodeError) as error:
            raise TemporaryFailure(reason=f"SQLite: {type(error).__name__}") from error
        return rows.account(name, self.name, found)

    async def close(self) -> None:
        """Let go of threads and connections."""
        for connection in tuple(self._running):
            connection.interrupt()
        self._executor.shutdown(wait=False, cancel_futures=True)
        while self._idle:
            self._idle.pop()[0].close()

    # ---- in a thread

    def _ask(self, name: str, question: "_Question") -> list[dict[str, object]]:
        connection, stamp = self._connection()
        kept = False
        self._running.add(connection)
        try:
            question.begin(connection)
            cursor = connection.execute(self._query, values(name))
            found = cursor.fetchmany(2)
            columns = [each[0] for each in cursor.description or ()]
            cursor.close()
            kept = question.end()
        finally:
            self._running.discard(connection)
            if kept:
                self._idle.append((connection, stamp))
            else:
                connection.close()
        return [dict(zip(columns, row, strict=True)) for row in found]

    def _connection(self) -> _Idle:
        status = os.stat(self._path)
        stamp = status.st_dev, status.st_ino
        while self._idle:
            connection, of = self._idle.pop()
            if of == stamp:
                return connection, stamp
            connection.close()
        uri = f"file:{quote(self._path)}?mode=ro"
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA query_only = ON").close()
        return connection, stamp


class _Question:
    """A question that may be withdrawn while a thread is at it."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._withdrawn = False

    def begin(self, connection: sqlite3.Connection) -> None:
        """Note what is asked by."""
        self._connection = connection
        if self._withdrawn:
            raise sqlite3.OperationalError("withdrawn")

    def end(self) -> bool:
        """Say whether the connection may be used again: nobody is about to interrupt it."""
        self._connection = None
        return not self._withdrawn

    def withdraw(self) -> None:
        """Have the thread stop."""
        self._withdrawn = True
        connection = self._connection
        if connection is not None:
            try:
                connection.interrupt()
            except sqlite3.ProgrammingError:
                return  # it has just been closed

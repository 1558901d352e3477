"""Accounts in a database of PostgreSQL.

The query stands within one of ours that takes two rows at most: whatever it finds, no more is sent,
and nothing can be changed by it. Connections are told so besides; they are made when they are
wanted.
"""

import asyncio
from pathlib import Path

import asyncpg

from restante.auth.sources import Account
from restante.auth.sql import rows
from restante.auth.sql.parameters import numbered, values
from restante.errors import TemporaryFailure

_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError)


class PostgresqlAccounts:
    """The accounts that a query finds in one database."""

    def __init__(
        self,
        url: str,
        query: str,
        password_file: Path | None,
        connections: int,
        deadline_seconds: float,
    ) -> None:
        self.name = "sql"
        self._url = url
        text, self._parameters = numbered(query.strip().removesuffix(";"))
        self._query = f"SELECT * FROM (\n{text}\n) AS asked LIMIT 2"  # noqa: S608 (the administrator's)
        self._password_file = password_file
        self._connections = connections
        self._deadline = deadline_seconds
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._begun = asyncio.Lock()

    async def find(self, name: str) -> Account | None:
        """Return the account of a prepared name; see the contract."""
        given = values(name)
        try:
            pool = await self._connected()
            found = await pool.fetch(self._query, *(given[each] for each in self._parameters))
        except _FAILURES as error:
            raise TemporaryFailure(reason=f"PostgreSQL: {type(error).__name__}") from error
        return rows.account(name, self.name, [dict(row) for row in found])

    async def close(self) -> None:
        """Let go of the connections."""
        if self._pool is not None:
            self._pool.terminate()

    async def _connected(self) -> "asyncpg.Pool[asyncpg.Record]":
        async with self._begun:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._connections,
                    timeout=self._deadline,
                    command_timeout=self._deadline,
                    password=None if self._password_file is None else self._password,
                    server_settings={
                        "application_name": "restante",
                        "default_transaction_read_only": "on",
                        "statement_timeout": str(max(int(self._deadline * 1_000), 1)),
                    },
                )
        return self._pool

    def _password(self) -> str:
        assert self._password_file is not None
        return self._password_file.read_text().partition("\n")[0]

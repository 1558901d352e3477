"""Accounts in a real PostgreSQL: the contract, and a server that dies and comes back."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from postgresql import PASSWORD, Postgresql, programs
from restante.auth.asked import AskedFinder
from restante.auth.asking import Asker, Finder
from restante.auth.options import AskingOptions
from restante.auth.sql.postgresql import PostgresqlAccounts
from restante.errors import TemporaryFailure
from restante.telemetry import RecordingLog
from restante.testing.authenticators import BOB, KnownAccount, bounded
from restante.testing.sources import FinderContract

QUERY = "SELECT password, mailbox, disabled FROM people WHERE name = :name -- :other\n;"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgresql]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with Postgresql() as running:
        yield running


async def execute(
    server: Postgresql, *statements: str, rows: tuple[tuple[object, ...], ...] = ()
) -> None:
    connection = await asyncpg.connect(server.url, password=PASSWORD)
    for statement in statements:
        await connection.execute(statement)
    if rows:
        await connection.executemany("INSERT INTO people VALUES ($1, $2, $3, $4)", rows)
    await connection.close()


def stored(account: KnownAccount) -> str:
    return "{PLAIN}" + account.password.decode()


async def fill(server: Postgresql, accounts: tuple[KnownAccount, ...]) -> None:
    table = "CREATE TABLE people (name text, password text, mailbox text, disabled boolean)"
    rows = tuple((each.name, stored(each), each.mailbox, each.disabled) for each in accounts)
    await execute(
        server, "DROP TABLE IF EXISTS people", "DROP TABLE IF EXISTS nobody", table, rows=rows
    )


def source(server: Postgresql, query: str = QUERY) -> PostgresqlAccounts:
    return PostgresqlAccounts(server.url, query, server.password_file, 3, 30.0)


class TestPostgresql(FinderContract):
    @pytest.fixture(autouse=True)
    def served(self, server: Postgresql) -> None:
        self.server = server

    @asynccontextmanager
    async def source(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AsyncIterator[Finder]:
        await fill(self.server, accounts)
        made = source(self.server)
        yield made
        await made.close()

    def stored(self, account: KnownAccount) -> str:
        return stored(account)

    def _do(self, statement: str) -> bool:
        # Beside the loop that the test runs in.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, execute(self.server, statement)).result()
        return True

    def change(self, directory: Path, account: KnownAccount) -> bool:
        return self._do(
            f"UPDATE people SET password = '{stored(account)}' WHERE name = '{account.name}'"
        )

    def silence(self, directory: Path) -> bool:
        return self._do("ALTER TABLE people RENAME TO nobody")


def test_nothing_can_be_changed_by_a_query(server: Postgresql) -> None:
    async def story() -> None:
        await fill(server, (BOB,))
        await execute(
            server,
            "CREATE OR REPLACE FUNCTION strike(who text) RETURNS text LANGUAGE sql VOLATILE AS"
            " $$ DELETE FROM people WHERE name = who RETURNING password $$",
        )
        for query in (
            "SELECT strike(:name) AS password",
            "DELETE FROM people WHERE name = :name RETURNING password",
            "SELECT password FROM people WHERE name = :name; DROP TABLE people",
        ):
            made = source(server, query)
            with pytest.raises(TemporaryFailure):
                await made.find(BOB.name)
            await made.close()
        made = source(server)
        assert await made.find(BOB.name) is not None
        await made.close()

    bounded(story())


def test_a_query_without_end_brings_two_rows(server: Postgresql) -> None:
    async def story() -> None:
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        made = source(server, f"{endless} SELECT 'x' AS password FROM n WHERE :name <> ''")
        with pytest.raises(TemporaryFailure) as caught:
            await made.find(BOB.name)
        assert caught.value.reason == "more than one row"
        await made.close()

    bounded(story())


def test_local_part_and_domain_are_given(server: Postgresql) -> None:
    async def story() -> None:
        made = source(server, "SELECT '{PLAIN}' || :domain::text || ' ' || :local AS password")
        account = await made.find("bob@example.org")
        assert account is not None
        assert account.stored_password == "{PLAIN}example.org bob"
        await made.close()

    bounded(story())


def test_a_wrong_password_of_ours_is_no_refusal(server: Postgresql, tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "password").write_text("wrong\n")
        made = PostgresqlAccounts(server.url, QUERY, tmp_path / "password", 1, 30.0)
        for file in ("password", "nowhere"):
            made._password_file = tmp_path / file
            with pytest.raises(TemporaryFailure):
                await made.find(BOB.name)
        made._password_file = server.password_file
        await fill(server, (BOB,))
        assert await made.find(BOB.name) is not None
        await made.close()

    bounded(story())


def test_a_server_that_dies_and_comes_back(server: Postgresql) -> None:
    async def story() -> None:
        await fill(server, (BOB,))
        made = source(server)
        assert await made.find(BOB.name) is not None
        server.stop()
        for _ in range(4):
            with pytest.raises(TemporaryFailure):
                await made.find(BOB.name)
        server.start()
        assert await made.find(BOB.name) is not None
        await made.close()

    bounded(story())


def test_a_server_that_hangs_is_given_up_in_time(server: Postgresql) -> None:
    """Neither the deadline nor the next login waits for a connection that says nothing."""

    async def story() -> None:
        await fill(server, (BOB,))
        log = RecordingLog()
        options = AskingOptions(deadline_seconds=0.5, at_once=2, remember_seconds=0)
        asked = AskedFinder(source(server), options, log)
        assert await asked.ask(BOB.name, None, Asker()) is not None
        with server.frozen():
            begun = time.monotonic()
            for _ in range(4):
                with pytest.raises(TemporaryFailure):
                    await asked.ask(BOB.name, None, Asker())
            assert time.monotonic() - begun < 20
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(TemporaryFailure):
                    assert await asked.ask(BOB.name, None, Asker()) is not None
                    break
        await asked.close()

    bounded(story())

"""SQLite: only read, asked by value, and the file of now."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from restante.auth.sql.sqlite import SqliteAccounts
from restante.errors import TemporaryFailure
from unit.auth.scene import run

QUERY = "SELECT password FROM people WHERE name = :name"
ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT :name AS password FROM n WHERE i < 0"
)


def database(path: Path, password: str = "{PLAIN}x") -> Path:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (name TEXT, password TEXT)")
        connection.execute("INSERT INTO people VALUES ('bob', ?)", (password,))
    connection.close()
    return path


def test_another_file_at_the_path_counts_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        source = SqliteAccounts(database(tmp_path / "db"), QUERY, 1)
        for password in ("{PLAIN}x", "{PLAIN}y"):
            found = await source.find("bob")
            assert found is not None
            assert found.stored_password == password
            database(tmp_path / "new", "{PLAIN}y").replace(tmp_path / "db")
        await source.close()

    run(story())


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM people WHERE name = :name RETURNING password",
        "INSERT INTO people VALUES (:name, 'x') RETURNING password",
        "SELECT password FROM people WHERE name = :name; DROP TABLE people",
    ],
)
def test_nothing_is_written(tmp_path: Path, query: str) -> None:
    async def story() -> None:
        path = database(tmp_path / "db")
        before = path.read_bytes()
        source = SqliteAccounts(path, query, 1)
        with pytest.raises(TemporaryFailure):
            await source.find("bob")
        await source.close()
        assert path.read_bytes() == before
        assert [each.name for each in tmp_path.iterdir()] == ["db"]

    run(story())


def test_no_file_is_made(tmp_path: Path) -> None:
    async def story() -> None:
        source = SqliteAccounts(tmp_path / "db", QUERY, 1)
        with pytest.raises(TemporaryFailure):
            await source.find("bob")
        await source.close()
        assert list(tmp_path.iterdir()) == []

    run(story())


def test_a_question_without_end_is_interrupted_and_its_thread_free(tmp_path: Path) -> None:
    async def story() -> None:
        path = database(tmp_path / "db")
        source = SqliteAccounts(path, ENDLESS, 1)
        endless = asyncio.ensure_future(source.find("bob"))
        while not source._running:
            await asyncio.sleep(0.001)
        endless.cancel()
        await asyncio.gather(endless, return_exceptions=True)
        source._query = QUERY
        assert await source.find("bob") is not None
        await source.close()

    run(story())


def test_a_path_may_hold_anything(tmp_path: Path) -> None:
    async def story() -> None:
        source = SqliteAccounts(database(tmp_path / "d?b#%20&mode=rwc"), QUERY, 1)
        assert await source.find("bob") is not None
        assert await source.find("alice") is None
        await source.close()

    run(story())

"""Versions of the accounts database: the next one at once or not at all, and none mistaken."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.auth import schema
from restante.auth.accounts import AccountsDatabase
from restante.auth.sources import Account
from restante.errors import AccountError

VERSION_1 = (
    "CREATE TABLE account (name TEXT PRIMARY KEY, stored_password TEXT NOT NULL,"
    " disabled INTEGER NOT NULL DEFAULT 0, mailbox TEXT, version INTEGER NOT NULL DEFAULT 1,"
    " created_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE counter (value INTEGER NOT NULL)",
    "INSERT INTO counter VALUES (3)",
    "INSERT INTO account VALUES ('bob', '{PLAIN}one', 0, '/mail/bob', 2, 1000)",
    "INSERT INTO account VALUES ('gone', '{PLAIN}two', 1, NULL, 3, 2000)",
    "PRAGMA user_version = 1",
)
"""As the first program made it, written out here so that it can never change with the source."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.sqlite"
    connection = sqlite3.connect(path)
    for statement in VERSION_1:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def source(old: Path) -> Iterator[AccountsDatabase]:
    database = AccountsDatabase(old)
    yield database
    database.close()


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    found = schema.version_of(connection)
    connection.close()
    return found


def test_the_newest_of_nothing_is_the_newest_of_the_oldest(old: Path, tmp_path: Path) -> None:
    """The order of columns apart."""
    fresh = tmp_path / "fresh.sqlite"
    shapes = []
    for path in (old, fresh):
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        schema.bring_up_to_date(connection)
        schema.bring_up_to_date(connection)
        connection.execute("COMMIT")
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema")]
        shapes.append(
            {
                table: sorted(row[1:] for row in connection.execute(f"PRAGMA table_info({table})"))
                for table in tables
            }
        )
        connection.close()
    assert shapes[0] == shapes[1]
    assert version(old) == version(fresh) == schema.NEWEST


def test_reading_an_old_one_changes_nothing(old: Path, source: AccountsDatabase) -> None:
    before = old.read_bytes()
    assert source.look_up("bob") == Account(
        "bob", "{PLAIN}one", "accounts", "2", mailbox="/mail/bob"
    )
    assert source.look_up("nobody") is None
    assert source.decoy(5) in (source.look_up("bob"), source.look_up("gone"))
    assert [(each.name, each.scram) for each in source.list()] == [("bob", ()), ("gone", ())]
    assert source.show("bob").created_at == 1000
    assert source.state() is not None
    assert old.read_bytes() == before


def test_a_command_brings_it_up_to_date_under_who_reads(
    old: Path, source: AccountsDatabase
) -> None:
    assert source.look_up("bob") is not None
    administrator = AccountsDatabase(old)
    administrator.set_password("bob", "{PLAIN}new", "{SCRAM-SHA-256}x")
    assert version(old) == schema.NEWEST
    bob, gone = source.look_up("bob"), source.look_up("gone")
    assert bob is not None
    assert gone is not None
    assert (bob.stored_password, bob.scram, bob.mailbox) == (
        "{PLAIN}new",
        "{SCRAM-SHA-256}x",
        "/mail/bob",
    )
    assert (gone.stored_password, gone.scram, gone.disabled) == ("{PLAIN}two", "", True)
    assert int(bob.version) > 3
    assert administrator.show("gone").created_at == 2000
    administrator.close()


def test_who_reads_sees_it_though_the_file_looks_the_same(
    old: Path, source: AccountsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times of files have a grain, within which a change does not show."""
    assert source.look_up("bob") is not None
    monkeypatch.setattr("restante.auth.accounts._stamp", lambda status: source._opened)
    administrator = AccountsDatabase(old)
    administrator.set_password("bob", "{PLAIN}new", "{SCRAM-SHA-256}x")
    administrator.close()
    account = source.look_up("bob")
    assert account is not None
    assert account.scram == "{SCRAM-SHA-256}x"


def test_a_command_that_fails_leaves_it_old(old: Path) -> None:
    administrator = AccountsDatabase(old)
    with pytest.raises(AccountError):
        administrator.add("bob", "{PLAIN}x")
    with pytest.raises(AccountError):
        administrator.disable("nobody")
    administrator.close()
    assert version(old) == 1


@pytest.mark.parametrize("statements", range(1, 1 + len(schema._STEPS[1]) + 1))
def test_a_crash_in_the_midst_leaves_it_old(
    old: Path, source: AccountsDatabase, statements: int
) -> None:
    """Killed behind each statement, with what was changed on the disk already."""
    script = (
        "import os, signal, sqlite3, sys\n"
        "from restante.auth import schema\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "class Dying:\n"
        "    left = int(sys.argv[2])\n"
        "    def execute(self, statement):\n"
        "        done = connection.execute(statement)\n"
        "        if not statement.endswith('user_version'):\n"
        "            self.left -= 1\n"
        "        if not self.left:\n"
        "            connection.execute('UPDATE account SET mailbox = hex(zeroblob(50000))')\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return done\n"
        "schema.bring_up_to_date(Dying())\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(old), str(statements)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert os.stat(old.with_name("accounts.sqlite-journal")).st_size > 0
    account = source.look_up("bob")
    assert account is not None
    assert (account.stored_password, account.mailbox) == ("{PLAIN}one", "/mail/bob")
    assert version(old) == 1
    administrator = AccountsDatabase(old)
    administrator.enable("gone")
    administrator.close()
    assert version(old) == schema.NEWEST


@pytest.mark.parametrize("other", [schema.NEWEST + 1, 999, -1])
def test_another_programs_version_is_told(tmp_path: Path, other: int) -> None:
    connection = sqlite3.connect(tmp_path / "x.sqlite")
    connection.execute(f"PRAGMA user_version = {other}")
    with pytest.raises(sqlite3.DatabaseError, match=f"version {other}"):
        schema.bring_up_to_date(connection)
    connection.close()

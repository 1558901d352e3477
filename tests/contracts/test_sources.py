"""The contracts of sources that are asked, held against each of ours and against the tests' own."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from restante.auth.asking import Answer, Finder, Verifier
from restante.auth.command import Command
from restante.auth.options import CommandOptions
from restante.auth.sources import Account
from restante.auth.sql.sqlite import SqliteAccounts
from restante.errors import TemporaryFailure
from restante.secret import Secret
from restante.testing.authenticators import KnownAccount
from restante.testing.sources import FinderContract, VerifierContract
from unit.auth.programs import CHECKPASSWORD, program


class _InMemory:
    name = "memory"

    def __init__(self, accounts: tuple[KnownAccount, ...]) -> None:
        self.accounts = {account.name: account for account in accounts}
        self.silent = False

    async def _known(self, name: str) -> KnownAccount | None:
        if self.silent:
            raise TemporaryFailure(reason="silent")
        return self.accounts.get(name)

    async def find(self, name: str) -> Account | None:
        known = await self._known(name)
        if known is None:
            return None
        stored = known.password.decode()
        return Account(name, stored, self.name, stored, known.disabled, known.mailbox)

    async def verify(self, name: str, password: Secret) -> Account | Answer:
        known = await self._known(name)
        if known is None:
            return Answer.NOT_MINE
        if known.disabled or known.password != password.reveal():
            return Answer.NO
        return Account(name, "", self.name, "", mailbox=known.mailbox)

    async def close(self) -> None:
        pass


class TestFinderInMemory(FinderContract):
    @asynccontextmanager
    async def source(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AsyncIterator[Finder]:
        self.made = _InMemory(accounts)
        yield self.made

    def stored(self, account: KnownAccount) -> str:
        return account.password.decode()

    def change(self, directory: Path, account: KnownAccount) -> bool:
        self.made.accounts[account.name] = account
        return True

    def silence(self, directory: Path) -> bool:
        self.made.silent = True
        return True


class TestVerifierInMemory(VerifierContract):
    unknown = Answer.NOT_MINE

    @asynccontextmanager
    async def source(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AsyncIterator[Verifier]:
        self.made = _InMemory(accounts)
        yield self.made

    def silence(self, directory: Path) -> bool:
        self.made.silent = True
        return True


class TestCommand(VerifierContract):
    """By a program of the test's that speaks as checkpassword does."""

    @asynccontextmanager
    async def source(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AsyncIterator[Verifier]:
        known = {
            account.name: {
                "password": account.password.decode(),
                "mailbox": account.mailbox,
                "disabled": account.disabled,
            }
            for account in accounts
        }
        path = directory / "accounts.json"
        path.write_text(json.dumps(known))
        unknown = "1" if self.unknown is Answer.NO else "3"
        options = CommandOptions(
            program=program(directory, CHECKPASSWORD), arguments=(str(path), unknown)
        )
        command = Command(options)
        yield command
        await command.close()

    def silence(self, directory: Path) -> bool:
        (directory / "accounts.json").write_text("null")
        return True


class TestCommandThatDisownsNames(TestCommand):
    unknown = Answer.NOT_MINE


class TestSqlite(FinderContract):
    @asynccontextmanager
    async def source(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AsyncIterator[Finder]:
        with closing(sqlite3.connect(directory / "db")) as database, database:
            database.execute("CREATE TABLE people (name, password, mailbox, disabled)")
            rows = [
                (each.name, self.stored(each), each.mailbox, each.disabled) for each in accounts
            ]
            database.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
        query = "SELECT password, mailbox, disabled FROM people WHERE name = :name"
        made = SqliteAccounts(directory / "db", query, 3)
        yield made
        await made.close()

    def stored(self, account: KnownAccount) -> str:
        return "{PLAIN}" + account.password.decode()

    def change(self, directory: Path, account: KnownAccount) -> bool:
        with closing(sqlite3.connect(directory / "db")) as database, database:
            change = "UPDATE people SET password = ? WHERE name = ?"
            database.execute(change, (self.stored(account), account.name))
        return True

    def silence(self, directory: Path) -> bool:
        (directory / "db").write_bytes(b"this is no database" * 100)
        return True

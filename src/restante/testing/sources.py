"""The contracts of sources that are asked as tests, for any source of any project.

Inherit `FinderContract` or `VerifierContract` in a class that pytest collects, and say in `source`
what is tested:

    class TestMine(FinderContract):
        @asynccontextmanager
        async def source(self, directory, accounts):
            yield MySource(...)

Every sentence of `restante.auth.asking` that can be shown from outside has its test here.
"""

# ruff: noqa: D102 (the name of a test says what it holds)

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from restante.auth.asking import Answer, Finder, Verifier
from restante.auth.sources import Account
from restante.errors import TemporaryFailure
from restante.secret import Secret
from restante.testing.authenticators import ACCOUNTS, ALICE, BOB, GONE, JOERG, KnownAccount, bounded

HOSTILE = (
    "' or '1'='1",
    "'; drop table accounts; --",
    'x" or ""="',
    "bob@example.org' --",
    "bob@example.org\\",
    "%",
    "bob@example._rg",
    "*",
    "*)(uid=*",
    "bob@example.org)(|(uid=*",
    "$(id)",
    "`id`",
    "{0}",
    "%(name)s",
    ":name",
    "--help",
    "../bob@example.org",
    "\U0001f600" * 60,
)
"""Names that mean something to somebody else. Most of them are never asked for."""


class FinderContract:
    """The tests of a source that gives what is stored."""

    def source(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AbstractAsyncContextManager[Finder]:
        """Return a new source that has these accounts, for as long as it is entered."""
        raise NotImplementedError

    def stored(self, account: KnownAccount) -> str:
        """Return what the source has stored of a password."""
        raise NotImplementedError

    def change(self, directory: Path, account: KnownAccount) -> bool:
        """Have the source store the password of this account; False: nobody can."""
        return False

    def silence(self, directory: Path) -> bool:
        """Make the source unable to say; False: it always can."""
        return False

    def test_an_account_is_found(self, tmp_path: Path) -> None:
        async def story(source: Finder) -> None:
            for known in (ALICE, BOB, JOERG, BOB):
                account = await source.find(known.name)
                assert account is not None
                assert (account.name, account.source) == (known.name, source.name)
                assert account.stored_password == self.stored(known)
                assert (account.mailbox, account.disabled) == (known.mailbox, False)
                assert account.proved is None

        self._tell_finder(tmp_path, story)

    def test_a_disabled_account_is_found_disabled(self, tmp_path: Path) -> None:
        async def story(source: Finder) -> None:
            account = await source.find(GONE.name)
            assert account is not None
            assert account.disabled

        self._tell_finder(tmp_path, story)

    def test_who_is_not_there_is_not_found(self, tmp_path: Path) -> None:
        async def story(source: Finder) -> None:
            for name in ("nobody@example.org", "bob", "bob@example.orgx", "bob@example.or"):
                assert await source.find(name) is None

        self._tell_finder(tmp_path, story)

    def test_a_name_is_data(self, tmp_path: Path) -> None:
        async def story(source: Finder) -> None:
            before = await source.find(BOB.name)
            for name in HOSTILE:
                assert await source.find(name) is None
            assert await source.find(BOB.name) == before

        self._tell_finder(tmp_path, story)

    def test_the_version_goes_with_the_password(self, tmp_path: Path) -> None:
        async def story(source: Finder) -> None:
            first, again = await source.find(BOB.name), await source.find(BOB.name)
            assert first == again
            if not self.change(tmp_path, KnownAccount(BOB.name, b"changed", BOB.mailbox)):
                return
            changed = await source.find(BOB.name)
            assert first is not None
            assert changed is not None
            assert changed.version != first.version
            assert changed.stored_password != first.stored_password

        self._tell_finder(tmp_path, story)

    def test_everybody_gets_their_own_answer(self, tmp_path: Path) -> None:
        async def story(source: Finder) -> None:
            names = [(ALICE, BOB, JOERG)[number % 3].name for number in range(60)]
            found = await asyncio.gather(*(source.find(name) for name in names))
            assert [account and account.name for account in found] == names

        self._tell_finder(tmp_path, story)

    def test_a_withdrawn_question_does_no_harm(self, tmp_path: Path) -> None:
        async def story(source: Finder) -> None:
            for steps in range(12):
                tasks = [asyncio.ensure_future(source.find(ALICE.name)) for _ in range(4)]
                await withdrawn(tasks, steps)
                account = await source.find(BOB.name)
                assert account is not None
                assert account.name == BOB.name

        self._tell_finder(tmp_path, story)

    def test_what_cannot_say_is_a_temporary_failure(self, tmp_path: Path) -> None:
        async def story(source: Finder) -> None:
            if not self.silence(tmp_path):
                return
            for name in (BOB.name, "nobody@example.org"):
                await fails(source.find(name), tmp_path)

        self._tell_finder(tmp_path, story)

    def _tell_finder(self, directory: Path, story: Callable[[Finder], Awaitable[None]]) -> None:
        async def told() -> None:
            async with self.source(directory, ACCOUNTS) as source:
                await story(source)

        bounded(told())


class VerifierContract:
    """The tests of a source that says yes or no."""

    unknown: Answer = Answer.NO
    """What it says of names that it has nobody of."""

    def source(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AbstractAsyncContextManager[Verifier]:
        """Return a new source that has these accounts, for as long as it is entered."""
        raise NotImplementedError

    def silence(self, directory: Path) -> bool:
        """Make the source unable to say; False: it always can."""
        return False

    def test_a_right_password_proves_an_account(self, tmp_path: Path) -> None:
        async def story(source: Verifier) -> None:
            for known in (ALICE, BOB, JOERG, BOB):
                account = await source.verify(known.name, Secret(known.password))
                assert isinstance(account, Account)
                assert (account.name, account.source) == (known.name, source.name)
                assert (account.mailbox, account.disabled) == (known.mailbox, False)
                assert account.stored_password == account.scram == ""

        self._tell_verifier(tmp_path, story)

    def test_every_other_password_is_refused(self, tmp_path: Path) -> None:
        async def story(source: Verifier) -> None:
            for password in (b"wrong", b"", ALICE.password, b"tanstaaf\n", b"\xff\xfe", b"x" * 400):
                assert await source.verify(BOB.name, Secret(password)) is Answer.NO
            for password in (b"tanstaaf\0", b"\0tanstaaf", b"tanstaaf\0wrong"):
                assert await source.verify(BOB.name, Secret(password)) is Answer.NO

        self._tell_verifier(tmp_path, story)

    def test_a_disabled_account_is_refused_or_disabled(self, tmp_path: Path) -> None:
        async def story(source: Verifier) -> None:
            said = await source.verify(GONE.name, Secret(GONE.password))
            assert said is Answer.NO or (isinstance(said, Account) and said.disabled)

        self._tell_verifier(tmp_path, story)

    def test_who_is_not_there_gets_no_account(self, tmp_path: Path) -> None:
        async def story(source: Verifier) -> None:
            for name in ("nobody@example.org", "bob", "bob@example.orgx"):
                assert await source.verify(name, Secret(BOB.password)) is self.unknown

        self._tell_verifier(tmp_path, story)

    def test_a_name_is_data(self, tmp_path: Path) -> None:
        async def story(source: Verifier) -> None:
            for name in HOSTILE:
                assert await source.verify(name, Secret(BOB.password)) is self.unknown
            assert isinstance(await source.verify(BOB.name, Secret(BOB.password)), Account)

        self._tell_verifier(tmp_path, story)

    def test_everybody_gets_their_own_answer(self, tmp_path: Path) -> None:
        async def story(source: Verifier) -> None:
            async def ask(number: int) -> bool:
                known, right = (ALICE, BOB, JOERG)[number % 3], number % 2 == 0
                said = await source.verify(known.name, Secret(known.password if right else b"x"))
                if not right:
                    return said is Answer.NO
                return isinstance(said, Account) and said.name == known.name

            assert all(await asyncio.gather(*map(ask, range(24))))

        self._tell_verifier(tmp_path, story)

    def test_a_withdrawn_question_does_no_harm(self, tmp_path: Path) -> None:
        async def story(source: Verifier) -> None:
            for steps in range(6):
                question = source.verify(ALICE.name, Secret(ALICE.password))
                await withdrawn([asyncio.ensure_future(question)], steps)
                assert isinstance(await source.verify(BOB.name, Secret(BOB.password)), Account)

        self._tell_verifier(tmp_path, story)

    def test_what_cannot_say_is_a_temporary_failure(self, tmp_path: Path) -> None:
        async def story(source: Verifier) -> None:
            if not self.silence(tmp_path):
                return
            for name, password in ((BOB.name, BOB.password), ("nobody@example.org", b"wrong")):
                await fails(source.verify(name, Secret(password)), tmp_path)

        self._tell_verifier(tmp_path, story)

    def _tell_verifier(self, directory: Path, story: Callable[[Verifier], Awaitable[None]]) -> None:
        async def told() -> None:
            async with self.source(directory, ACCOUNTS) as source:
                await story(source)

        bounded(told())


async def withdrawn(tasks: "Sequence[asyncio.Future[Any]]", steps: int) -> None:
    """Cancel questions after so many turns of the loop, and wait for their end."""
    for _ in range(steps):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def fails(question: Awaitable[object], directory: Path) -> None:
    """Hold a question to fail as it has to."""
    try:
        answer = await question
    except TemporaryFailure as refusal:
        words = refusal.text
    else:
        raise AssertionError(f"{answer!r} came of a source that cannot say")
    assert str(directory) not in words

"""The contract of authenticators as tests, for any authenticator of any project.

Inherit `AuthenticatorContract` in a class that pytest collects and say in `authenticator` what is
tested:

    class TestMine(AuthenticatorContract):
        @asynccontextmanager
        async def authenticator(self, directory, accounts):
            yield MyAuthenticator(accounts)

Every sentence of `restante.identity` that can be shown from outside has its test here.
"""

# ruff: noqa: D102 (the name of a test says what it holds)

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from restante.errors import AuthenticationFailed, Refusal, TemporaryFailure
from restante.identity import (
    AnswersByCall,
    Authenticator,
    Identity,
    Outcome,
    PasswordCredentials,
    Peer,
)
from restante.secret import Secret

_T = TypeVar("_T")

PATIENCE_SECONDS = 60.0
"""Bound of every wait: reached by a test that would hang, and by no other."""
PEER = Peer("192.0.2.1", 49152, "192.0.2.254", 110, "session-1")


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account that the tested authenticator is to know."""

    name: str
    password: bytes
    mailbox: str | None = None
    disabled: bool = False


ALICE = KnownAccount("alice@example.org", b"sesame open")
BOB = KnownAccount("bob@example.org", b"tanstaaf", mailbox="/var/mail/bob")
GONE = KnownAccount("gone@example.org", b"formerly", disabled=True)
JOERG = KnownAccount("j\u00f6rg@example.org", "gr\u00fc\u00dfe".encode())
ACCOUNTS = (ALICE, BOB, GONE, JOERG)

REFUSED: dict[str, tuple[str, bytes]] = {
    "wrong password": (BOB.name, b"tanstaaf!"),
    "another's password": (BOB.name, ALICE.password),
    "another case": (BOB.name, BOB.password.upper()),
    "the beginning of it": (BOB.name, BOB.password[:-1]),
    "no password": (BOB.name, b""),
    "no UTF-8": (BOB.name, b"\xff\xfe"),
    "a very long password": (BOB.name, b"x" * 9_000),
    "unknown": ("nobody@example.org", b"tanstaaf"),
    "unknown without password": ("nobody@example.org", b""),
    "disabled": (GONE.name, GONE.password),
    "disabled and wrong": (GONE.name, b"wrong"),
    "no name": ("", b"tanstaaf"),
    "a path": ("../bob@example.org", b"tanstaaf"),
    "an absolute path": ("/etc/passwd", b"tanstaaf"),
    "a NUL": ("bob\0@example.org", b"tanstaaf"),
    "a line end": ("bob@example.org\r\nalice@example.org", b"tanstaaf"),
    "an escape": ("\x1b]0;owned\x07", b"tanstaaf"),
    "SQL": ("' OR '1'='1", b"tanstaaf"),
    "four octets a character": ("\U0001f600" * 8, b"tanstaaf"),
    "a very long name": ("x" * 9_000, b"tanstaaf"),
}
"""Logins that prove nothing, for every reason there is."""


class AuthenticatorContract:
    """The tests of one authenticator."""

    def authenticator(
        self, directory: Path, accounts: tuple[KnownAccount, ...]
    ) -> AbstractAsyncContextManager[Authenticator]:
        """Return a new authenticator that knows these accounts, for as long as it is entered.

        It delays nobody for failures; `directory` is the test's own.
        """
        raise NotImplementedError

    def silence(self, directory: Path) -> bool:
        """Make what knows the accounts unable to say; False: it always can."""
        return False

    def work_begun(self) -> int | None:
        """Return how many passwords have been compared; None: nobody can tell."""
        return None

    # ---- who gets in

    def test_a_right_password_proves_an_identity(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            for account in (ALICE, BOB, JOERG, BOB):
                identity = await authenticator.authenticate(asked(account), PEER)
                assert identity.name == account.name
                assert identity.mailbox == account.mailbox
                assert identity.source

        self._tell(tmp_path, story)

    def test_the_mechanism_does_not_matter(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            for mechanism in ("USER", "PLAIN"):
                credentials = PasswordCredentials(BOB.name, Secret(BOB.password), mechanism)
                assert (await authenticator.authenticate(credentials, PEER)).name == BOB.name

        self._tell(tmp_path, story)

    def test_acting_as_oneself_is_no_matter_either(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            identity = await authenticator.authenticate(asked(BOB, who=BOB.name), PEER)
            assert identity.name == BOB.name

        self._tell(tmp_path, story)

    # ---- who does not

    def test_every_refusal_is_the_same(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            seen: dict[tuple[type[Refusal], str | None, str], list[str]] = {}
            for cause, (name, password) in REFUSED.items():
                refusal = await refused(authenticator, name, password)
                what = type(refusal), refusal.code, refusal.text
                seen.setdefault(what, []).append(cause)
            refusal = await refused(authenticator, BOB.name, BOB.password, who=ALICE.name)
            seen.setdefault((type(refusal), refusal.code, refusal.text), []).append("acting")
            assert len(seen) == 1, seen
            ((kind, code, _),) = seen
            assert (issubclass(kind, AuthenticationFailed), code) == (True, "AUTH")

        self._tell(tmp_path, story)

    def test_a_refusal_holds_no_secret(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            for name in (BOB.name, GONE.name, "nobody@example.org"):
                refusal = await refused(authenticator, name, b"kanarienvogel")
                words = f"{refusal!r} {refusal} {refusal.reason} {refusal.__dict__}"
                assert "kanarienvogel" not in words
                assert name not in refusal.text

        self._tell(tmp_path, story)

    def test_a_refusal_is_not_remembered_against_the_right_password(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            for password in (b"wrong", b"wrong", b"", b"tanstaaf "):
                await refused(authenticator, BOB.name, password)
                identity = await authenticator.authenticate(asked(BOB), PEER)
                assert identity.name == BOB.name

        self._tell(tmp_path, story)

    def test_a_right_password_is_not_remembered_for_others(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            await authenticator.authenticate(asked(BOB), PEER)
            for name in (ALICE.name, GONE.name, "nobody@example.org"):
                await refused(authenticator, name, BOB.password)
            await refused(authenticator, BOB.name, b"wrong")
            await refused(authenticator, BOB.name, BOB.password, who=ALICE.name)

        self._tell(tmp_path, story)

    # ---- many

    def test_everybody_gets_their_own_answer(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            async def ask(number: int) -> bool:
                account = (ALICE, BOB, JOERG)[number % 3]
                peer = Peer(f"198.51.{number}.1", 1, "", 2, f"session-{number}")
                right = number % 2 == 0
                try:
                    identity = await authenticator.authenticate(
                        asked(account) if right else asked(account, b"wrong"), peer
                    )
                except AuthenticationFailed:
                    return not right
                return right and identity.name == account.name

            assert all(await asyncio.gather(*map(ask, range(40))))

        self._tell(tmp_path, story)

    # ---- withdrawing

    def test_a_cancelled_call_is_withdrawn(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            await authenticator.authenticate(asked(ALICE), PEER)
            before = self.work_begun()
            tasks = [
                asyncio.create_task(
                    authenticator.authenticate(asked(BOB), Peer(f"198.51.{n}.1", 1, "", 2))
                )
                for n in range(30)
            ]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
            # What is asked behind them is answered, and nothing of theirs is done any more.
            await refused(authenticator, ALICE.name, b"wrong")
            after = self.work_begun()
            if before is not None and after is not None:
                assert after - before < len(tasks)
            identity = await authenticator.authenticate(asked(BOB), PEER)
            assert identity.name == BOB.name

        self._tell(tmp_path, story)

    def test_a_question_asked_by_call_is_answered_once_and_later(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            if not isinstance(authenticator, AnswersByCall):
                return
            for _ in range(2):
                await self._check_answers(authenticator)

        self._tell(tmp_path, story)

    async def _check_answers(self, authenticator: AnswersByCall) -> None:
        came: list[Outcome] = []
        both = asyncio.Event()

        def answer(outcome: Outcome) -> None:
            came.append(outcome)
            if len(came) == 2:
                both.set()

        authenticator.submit(asked(BOB), PEER, answer)
        authenticator.submit(asked(BOB, b"wrong"), PEER, answer)
        assert came == []
        await both.wait()
        await asyncio.sleep(0)
        assert len(came) == 2
        assert {type(outcome) for outcome in came} == {Identity, AuthenticationFailed}

    def test_a_question_withdrawn_is_not_answered(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            if not isinstance(authenticator, AnswersByCall):
                return
            await authenticator.authenticate(asked(ALICE), PEER)
            came: list[Outcome] = []
            for account in (ALICE, BOB):
                withdraw = authenticator.submit(asked(account), PEER, came.append)
                withdraw()
                withdraw = authenticator.submit(asked(account), PEER, came.append)
                await asyncio.sleep(0)
                withdraw()
                withdraw()
            await refused(authenticator, ALICE.name, b"wrong")
            await authenticator.authenticate(asked(BOB), PEER)
            assert came == []

        self._tell(tmp_path, story)

    # ---- when nobody can say

    def test_what_cannot_say_is_no_refusal_of_credentials(self, tmp_path: Path) -> None:
        async def story(authenticator: Authenticator) -> None:
            if not self.silence(tmp_path):
                return
            for name, password in (
                (BOB.name, BOB.password),
                (BOB.name, b"wrong"),
                ("nobody@example.org", b"wrong"),
            ):
                credentials = PasswordCredentials(name, Secret(password))
                try:
                    await authenticator.authenticate(credentials, PEER)
                except TemporaryFailure as refusal:
                    words = refusal.text
                else:
                    raise AssertionError("somebody got in")
                assert str(tmp_path) not in words
                assert name not in words

        self._tell(tmp_path, story)

    # ---- how

    def _tell(self, directory: Path, story: Callable[[Authenticator], Awaitable[None]]) -> None:
        async def told() -> None:
            async with self.authenticator(directory, ACCOUNTS) as authenticator:
                await story(authenticator)

        bounded(told())


def bounded(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that ends within bounds, and return its result."""

    async def wait() -> _T:
        return await asyncio.wait_for(work, PATIENCE_SECONDS)

    return asyncio.run(wait())


def asked(
    account: KnownAccount, password: bytes | None = None, *, who: str = ""
) -> PasswordCredentials:
    """Return what somebody offers who has this account, or another password."""
    offered = account.password if password is None else password
    return PasswordCredentials(account.name, Secret(offered), "PLAIN", who)


async def refused(
    authenticator: Authenticator, name: str, password: bytes, *, who: str = ""
) -> AuthenticationFailed:
    """Return the refusal of a login that proves nothing."""
    credentials = PasswordCredentials(name, Secret(password), "PLAIN", who)
    try:
        identity = await authenticator.authenticate(credentials, PEER)
    except AuthenticationFailed as refusal:
        return refusal
    raise AssertionError(f"{identity.name} got in")

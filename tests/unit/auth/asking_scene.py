"""Sources that are asked, of the test's own: they count questions, and answer when told to."""

import asyncio

from restante.auth.asking import Answer
from restante.auth.sources import Account
from restante.secret import Secret


class _Counting:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = 0
        self.most_open = 0
        self.closed = False
        self.answers = asyncio.Event()
        """Cleared: nobody is answered until it is set."""
        self.answers.set()
        self.fails: BaseException | None = None

    async def _answer(self, name: str) -> None:
        self.asked.append(name)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self.answers.wait()
        finally:
            self.open -= 1
        if self.fails is not None:
            raise self.fails

    async def close(self) -> None:
        self.closed = True


class FakeFinder(_Counting):
    """A finder of the accounts it is given: name and stored password."""

    name = "finder"

    def __init__(self, accounts: dict[str, str] | None = None, *, disabled: bool = False) -> None:
        super().__init__()
        self.accounts = accounts or {}
        self._disabled = disabled

    async def find(self, name: str) -> Account | None:
        await self._answer(name)
        stored = self.accounts.get(name)
        if stored is None:
            return None
        return Account(name, stored, self.name, stored, self._disabled, f"/mail/{name}")


class FakeVerifier(_Counting):
    """A verifier of the passwords it is given; it disowns other names where it is told to."""

    name = "verifier"

    def __init__(
        self, passwords: dict[str, str] | None = None, *, otherwise: Answer = Answer.NO
    ) -> None:
        super().__init__()
        self.passwords = passwords or {}
        self._otherwise = otherwise

    async def verify(self, name: str, password: Secret) -> Account | Answer:
        await self._answer(name)
        expected = self.passwords.get(name)
        if expected is None:
            return self._otherwise
        if password.reveal() != expected.encode():
            return Answer.NO
        return Account(name, "", self.name, "", mailbox=f"/mail/{name}")

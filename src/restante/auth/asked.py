"""Sources that are asked, each within bounds of its own: a deadline, a queue, few open questions.

What one said is kept for a short while, so that a login soon after another needs no question and
may be let in without a wait, by the password cache. As long as that, and no longer, does an account
outlive its end at the source. Nothing but an account is kept: names that nobody has would fill the
memory, and a failure passes.

A question ends at its deadline wherever it is, in the queue or on its way, and even if the source
does not let go of it. What fails is logged
once, until the source has answered again.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import replace
from secrets import token_hex
from typing import TypeVar

from restante.auth.asking import Answer, Asker, Finder, Verifier
from restante.auth.options import AskingOptions
from restante.auth.recent import Recent
from restante.auth.sources import Account, Unasked
from restante.auth.turns import Turns
from restante.auth.verifiable import PASSWORDS
from restante.errors import Refusal, TemporaryFailure
from restante.secret import Secret
from restante.telemetry import Event, Log

_T = TypeVar("_T")

ACCOUNTS_KEPT = 16_384
FULL = "too many questions to this source wait"
_EVERYBODY = ""


class Asked(ABC):
    """A source that is asked, as a source in a chain."""

    asks_for_passwords = False
    """It cannot say anything before it is told a password."""

    def __init__(
        self,
        source: Finder | Verifier,
        options: AskingOptions,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = source.name
        self.floor_seconds = options.floor_seconds
        self._source = source
        self._options = options
        self._log = log
        self._clock = clock
        self._turns = Turns(options.queue, FULL)
        self._kept: Recent[str, tuple[float, Account]] = Recent(ACCOUNTS_KEPT)
        self._failed = False
        self._for_nobody = 0
        """Questions given up that the source has not let go of yet: they keep their room."""

    def look_up(self, name: str) -> Account | None:
        """Return an account that the source gave not long ago.

        Raises:
            Unasked: it has to be asked.
        """
        account = self._recall(name)
        if account is None:
            raise Unasked(self)
        return account

    def state(self) -> object:
        """Return nothing: it may have changed at any time."""
        return None

    def decoy(self, pick: int) -> Account | None:
        """Return nobody: what accounts cost here is not known before one is asked for."""
        return None

    @abstractmethod
    async def ask(self, name: str, password: Secret | None, asker: Asker) -> Account | None:
        """Return the account that decides about a name; None: it is not this source's.

        Raises:
            TemporaryFailure: the source cannot say now.
        """

    async def close(self) -> None:
        """Let go of the source."""
        await self._source.close()

    # ---- what was said

    def _recall(self, name: str) -> Account | None:
        kept = self._kept.get(name)
        if kept is None or not 0 <= self._clock() - kept[0] < self._options.remember_seconds:
            return None
        return kept[1]

    def _keep(self, name: str, account: Account) -> None:
        if self._options.remember_seconds > 0:
            self._kept.use(name, (self._clock(), account))

    # ---- bounds

    async def _bounded(self, question: Callable[[], Awaitable[_T]], asker: Asker) -> _T:
        """Return an answer that comes in time.

        Raises:
            TemporaryFailure: none does.
        """
        try:
            async with asyncio.timeout(self._options.deadline_seconds):
                async with self._turns.turn(_EVERYBODY, self._free, *asker):
                    answer = await self._apart(question())
        except TimeoutError as error:
            raise self._failure("no answer in time", error) from error
        except Refusal as error:
            raise self._failure(error.reason or error.text, error) from error
        except Exception as error:
            raise self._failure(type(error).__name__, error) from error
        self._failed = False
        return answer

    async def _apart(self, answer: Awaitable[_T]) -> _T:
        """Wait for an answer; whoever gives it up does not wait for the source to let go."""
        task = asyncio.ensure_future(answer)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            self._for_nobody += 1
            task.add_done_callback(self._let_go)
            task.cancel()
            raise
        if task.cancelled():
            raise TemporaryFailure(reason="the source gave up")
        return task.result()

    def _let_go(self, task: "asyncio.Future[_T]") -> None:
        if not task.cancelled():
            task.exception()  # nobody else will ask for it
        self._for_nobody -= 1
        self._turns.hand_over(_EVERYBODY, self._free)

    def _free(self) -> int:
        return self._options.at_once - self._for_nobody

    def _failure(self, reason: str, error: Exception) -> TemporaryFailure:
        """Return what a failure is for a client, whatever the source made of it."""
        if not self._failed:
            self._log(Event.AUTH_UNAVAILABLE, reason=f"{self.name}: {reason}")
        self._failed = True
        text = error.text if isinstance(error, TemporaryFailure) else None
        return TemporaryFailure(text, reason=f"{self.name}: {reason}")


class AskedFinder(Asked):
    """A finder with its bounds."""

    def __init__(
        self,
        source: Finder,
        options: AskingOptions,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(source, options, log, clock)
        self._finder = source
        self._decoy: Account | None = None

    def decoy(self, pick: int) -> Account | None:
        """Return the first account there was; see the contract."""
        return self._decoy

    async def ask(self, name: str, password: Secret | None, asker: Asker) -> Account | None:
        """Return the account of a name; see `Asked`."""
        account = self._recall(name)
        if account is None:
            account = await self._bounded(lambda: self._finder.find(name), asker)
            if account is not None:
                self._decoy = self._decoy or account
                self._keep(name, account)
        return account


class AskedVerifier(Asked):
    """A verifier with its bounds."""

    asks_for_passwords = True

    def __init__(
        self,
        source: Verifier,
        options: AskingOptions,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(source, options, log, clock)
        self._verifier = source

    async def ask(self, name: str, password: Secret | None, asker: Asker) -> Account | None:
        """Return an account with what was said to a password; see `Asked`.

        Without one there is no asking, and it refuses: a source behind it could let somebody in
        whom it would have refused.
        """
        refused = Account(name, "", self.name, "", verifies=PASSWORDS, proved=False)
        if password is None:
            return refused
        said = await self._bounded(lambda: self._verifier.verify(name, password), asker)
        if said is Answer.NOT_MINE:
            return None
        if said is Answer.NO:
            return refused
        assert isinstance(said, Account)
        return replace(self._let_in(name, said), proved=True)

    def _let_in(self, name: str, said: Account) -> Account:
        """Keep an account, and return it with the version that its password is remembered under.

        A version ends with what was kept, and every password that was found right under it.
        """
        kept = self._recall(name)
        version = "" if kept is None else kept.version
        account = replace(said, name=name, source=self.name, version=version, proved=None)
        if account == kept:
            return kept
        account = replace(account, version=token_hex(8))
        self._keep(name, account)
        return account

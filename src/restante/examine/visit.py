"""Visits: sessions of the suite's own between the cases, to see to the maildrop."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from restante.examine.case import Case, Level, Start
from restante.examine.fixtures import Fixture
from restante.examine.outcome import Broken, NotTried, Unmet
from restante.examine.record import Record
from restante.examine.stage import Capabilities, Stage
from restante.examine.target import Account, Target

VISIT = Case(id="visit", title="A visit", source="", level=Level.MAY, steps=())
MOST_REMOVED = 100
"""A maildrop with more messages than this is somebody's, whatever was said of it."""

_DROP_LISTING = re.compile(r"\+OK (\d{1,10})( .*)?")


class Visitor:
    """Whoever logs in between the cases, always as the same account."""

    def __init__(self, account: Account, announced: Capabilities | None) -> None:
        self.account = account
        self._announced = announced
        self._target: Target | None = None

    def attach(self, target: Target) -> None:
        """Say which server is visited; a target has to have its accounts first."""
        self._target = target

    def take_time(self) -> None:
        """Have time left to clear up, whatever the run still had."""
        assert self._target is not None
        self._target.pace.extend(3 * self._target.patience_seconds)

    def count(self) -> int:
        """Return how many messages there are."""
        with self._session(self.account) as stage:
            return _count(stage)

    def await_messages(self, count: int) -> None:
        """Wait until there are so many messages, and no more of them."""
        assert self._target is not None
        pauses = self._target.pace.pauses(self._target.patience_seconds)
        while (found := self.count()) < count:
            if not pauses.take():
                raise NotTried("what is put in does not arrive in the maildrop")
        if found > count:
            raise NotTried("mail of others arrives in the maildrop")

    def altered(self, messages: Mapping[int, bytes]) -> set[bytes]:
        """Return those of the messages, each with its number, that are not as they were put in."""
        with self._session(self.account) as stage:
            return {
                octets
                for number, octets in messages.items()
                if stage.ask_lines(f"RETR {number}").content != Fixture("", octets).wire
            }

    def remove_everything(self) -> None:
        """Remove all messages that are there by now."""
        with self._session(self.account) as stage:
            count = _count(stage)
            if count > MOST_REMOVED:
                raise NotTried(
                    f"there are {count} messages in the maildrop; --scratch-maildrop removes no"
                    f" more than {MOST_REMOVED}, so empty it first"
                )
            for number in range(1, count + 1):
                if not stage.ask(f"DELE {number}").positive:
                    raise NotTried(f"the maildrop cannot be emptied: DELE {number} is refused")
            if not stage.ask("QUIT").positive:
                raise NotTried("the maildrop cannot be emptied: QUIT is refused")

    def problem_with(self, account: Account) -> str:
        """Say why another account is of no use; nothing where its maildrop opens and is empty."""
        try:
            with self._session(account) as stage:
                found = _count(stage)
        except NotTried as obstacle:
            return f"the second account is of no use: {obstacle}"
        return f"the maildrop of the second account has {found} messages in it" if found else ""

    @contextmanager
    def _session(self, account: Account) -> Iterator[Stage]:
        """Log in and, if nothing was raised, leave in good order; raises NotTried."""
        assert self._target is not None
        stage = Stage(VISIT, self._target, self._target.endpoints[0], Record())
        stage.capabilities = lambda: self._announced
        stage.cast(account)
        try:
            stage.begin(Start.TRANSACTION)
            yield stage
            with suppress(Unmet, Broken):
                stage.ask("QUIT")
        except (Unmet, Broken, NotTried) as failure:
            told = stage.record.redaction.text(str(failure))
            raise NotTried(f"the maildrop cannot be seen to: {told}") from failure
        finally:
            stage.close()


def _count(stage: Stage) -> int:
    """Return how many messages STAT tells."""
    reply = stage.ask("STAT")
    told = _DROP_LISTING.fullmatch(reply.line)
    if told is None:
        raise NotTried(f"STAT is answered {reply.line[:80]!a}")
    return int(told[1])

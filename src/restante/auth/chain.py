"""Sources in their order: the first that knows a name decides, whatever it decides.

A source that cannot say ends the search: asking on could let somebody in whom it would have
refused. Sources that have to be asked stand among the others. Those in front of the first of them
are near: what they know is known without a wait and until it changes, whatever becomes of others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from restante.auth.asked import Asked
from restante.auth.asking import Asker
from restante.auth.sources import Account, Source, Unasked
from restante.secret import Secret


@dataclass(slots=True)
class Answers:
    """What sources said that were asked for one login."""

    said: dict[Source, Account | None] = field(default_factory=dict)
    wants_password: bool = False
    """The next source to be asked cannot say anything without the password."""


class Chain:
    """Sources in their order."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)
        self._asked = tuple(source for source in sources if isinstance(source, Asked))
        self.asks = bool(self._asked)
        """Somebody may have to be asked."""
        self.floor_seconds = max((source.floor_seconds for source in self._asked), default=0.0)
        """What a refusal takes at the least, where time could tell which source was asked."""
        first = self._sources.index(self._asked[0]) if self._asked else len(self._sources)
        self._near = self._sources[:first]
        behind = {source.name for source in self._sources[first:]}
        self._near_names = frozenset(source.name for source in self._near) - behind

    def look_up(self, name: str) -> Account | None:
        """Return the account of the first source that has the name, without a wait.

        Raises:
            Unasked: a source would have to be asked before.
            TemporaryFailure: a source cannot say now.
        """
        for source in self._sources:
            account = source.look_up(name)
            if account is not None:
                return account
        return None

    def look_near(self, name: str) -> Account | None:
        """Return the account of a name, as far as nobody has to be asked.

        Raises:
            TemporaryFailure: a source cannot say now.
        """
        for source in self._near:
            account = source.look_up(name)
            if account is not None:
                return account
        return None

    async def ask(self, name: str, asker: Asker) -> Answers:
        """Ask what can be asked about a name before its password is looked at.

        Raises:
            TemporaryFailure: a source cannot say now.
        """
        answers = Answers()
        while self.asks:
            try:
                self._decide(name, answers)
                break
            except Unasked as unasked:
                source = unasked.source
            assert isinstance(source, Asked)
            if source.asks_for_passwords:
                answers.wants_password = True
                break
            answers.said[source] = await source.ask(name, None, asker)
        return answers

    async def find(
        self, name: str, password: Secret | None, asker: Asker, answers: Answers | None = None
    ) -> Account | None:
        """Return the account of the first source that has the name, whoever has to be asked.

        `answers` are those that there are for this login already.

        Raises:
            TemporaryFailure: a source cannot say now.
        """
        answers = answers or Answers()
        while True:
            try:
                return self._decide(name, answers)
            except Unasked as unasked:
                source = unasked.source
            assert isinstance(source, Asked)
            answers.said[source] = await source.ask(name, password, asker)

    def lasts(self, account: Account) -> bool:
        """Say whether an account stands as it is as long as the state is the same."""
        return account.source in self._near_names

    def state(self) -> object:
        """Return what stays equal as long as no near source has changed; None: one may have."""
        states = []
        for source in self._near:
            state = source.state()
            if state is None:
                return None
            states.append(state)
        return states

    def decoy(self, name: str) -> Account | None:
        """Return whom an unknown name is taken for, so that it costs what a known one does.

        Accounts may differ in what their proofs cost to verify. The name itself picks one of
        them, so that an unknown name costs the same each time and looks like one of those there
        are. The picking has no key: one made anew at every start would tell names apart by it.
        """
        digest = blake2b(name.encode(), digest_size=16).digest()
        source, pick = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big")
        found = [decoy for each in self._sources if (decoy := each.decoy(pick)) is not None]
        return found[source % len(found)] if found else None

    async def close(self) -> None:
        """Let go of those who are asked."""
        for source in self._asked:
            await source.close()

    def _decide(self, name: str, answers: Answers) -> Account | None:
        """Return what the answers come to.

        Raises:
            Unasked: one is missing.
            TemporaryFailure: a source cannot say now.
        """
        for source in self._sources:
            if not isinstance(source, Asked):
                account = source.look_up(name)
            elif source in answers.said:
                account = answers.said[source]
            else:
                raise Unasked(source)
            if account is not None:
                return account
        return None

"""CONTRACT: a source of accounts, and the order in which several are asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from restante.auth.verifiable import PASSWORDS


@dataclass(frozen=True, slots=True)
class Account:
    """What a source knows of a name."""

    name: str
    stored_password: str = field(repr=False)
    source: str
    version: str
    """Changes with the password and with everything else a login depends on."""
    disabled: bool = False
    mailbox: str | None = None
    scram: str = field(default="", repr=False)
    """Verifiers of SCRAM kept beside the password, `{MECHANISM}text` with spaces between."""
    verifies: frozenset[str] = PASSWORDS
    """The mechanisms that this account may be proved by."""


NOBODY = Account("", "", "", "")
"""What is worked on where there is nobody."""


class Source(Protocol):
    """Where accounts are looked up."""

    name: str

    def look_up(self, name: str) -> Account | None:
        """Return the account of a prepared name; None: it is not this source's.

        Raises:
            TemporaryFailure: the source cannot say now.
        """
        ...

    def state(self) -> object:
        """Return what is equal to what was returned before as long as nothing has changed.

        None: something may have. Accounts that were looked up after a state was returned stand
        as they are when it is returned again.
        """
        ...

    def decoy(self, pick: int) -> Account | None:
        """Return somebody here, anybody but always the same for a number.

        Of the account only what it is verified by is asked for. None: there is nobody, or all cost
        what new accounts do.
        """
        ...


class Chain:
    """Sources in their order: the first that knows a name decides, whatever it decides."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)

    def look_up(self, name: str) -> Account | None:
        """Return the account of the first source that has the name.

        A source that cannot say ends the search: asking on could let somebody in whom it would
        have refused.

        Raises:
            TemporaryFailure: a source cannot say now.
        """
        for source in self._sources:
            account = source.look_up(name)
            if account is not None:
                return account
        return None

    def state(self) -> object:
        """Return what stays equal as long as no source has changed; None: one may have."""
        states = []
        for source in self._sources:
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

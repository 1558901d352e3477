"""CONTRACT: a source of accounts, and the order in which several are asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Account:
    """What a source knows of a name."""

    name: str
    stored_password: str
    source: str
    version: str
    """Changes with the password and with everything else a login depends on."""
    disabled: bool = False
    mailbox: str | None = None


class Source(Protocol):
    """Where accounts are looked up."""

    name: str

    def look_up(self, name: str) -> Account | None:
        """Return the account of a prepared name; None: it is not this source's.

        Raises:
            TemporaryFailure: the source cannot say now.
        """
        ...

    def usual_password(self) -> str | None:
        """Return a stored password that costs what those of this source usually cost."""
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

    def usual_password(self) -> str | None:
        """Return what an unknown name is compared with, so that it costs what a known one does."""
        for source in self._sources:
            stored = source.usual_password()
            if stored is not None:
                return stored
        return None

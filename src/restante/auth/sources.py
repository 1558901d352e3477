"""CONTRACT: a source of accounts that answers at once: it has what it knows at hand.

`asking` is the contract of those that have to ask somebody else, `chain` the order of all of them.
"""

from dataclasses import dataclass, field
from typing import Protocol

from restante.auth.verifiable import PASSWORDS
from restante.errors import TemporaryFailure


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
    proved: bool | None = None
    """What its source said to the password of this very login; None: it is compared here."""


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


class Unasked(TemporaryFailure):
    """A source that cannot say before it is asked; whoever cannot wait has no answer now."""

    def __init__(self, source: Source) -> None:
        super().__init__(reason=f"{source.name} was not asked")
        self.source = source

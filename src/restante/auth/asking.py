"""CONTRACT: sources of accounts that have to ask somebody else, who may be slow, dead or lying.

There are two kinds. A `Finder` gives what is stored of an account, and passwords are compared here.
A `Verifier` says yes or no to a name and a password, and nothing is known of anybody before that.

Either may take its time: `asked` gives it a deadline and a queue of its own. It is asked about
prepared names only, which it has to take for data, whatever they look like. Whatever it cannot
understand of an answer is a `TemporaryFailure`, never a refusal and never an account.
"""

from enum import Enum
from typing import NamedTuple, Protocol

from restante.auth.sources import Account
from restante.secret import Secret


class Answer(Enum):
    """What a verifier says where it lets nobody in."""

    NO = "no"
    """It decides about this name, and refuses: no source behind it is asked."""
    NOT_MINE = "not mine"
    """It has nobody of this name: the next source is asked."""


class Asker(NamedTuple):
    """Who waits for an answer: the least rank comes first, and in it the networks in turn."""

    network: str = ""
    rank: int = 0


class Finder(Protocol):
    """A source that gives what is stored of an account."""

    name: str

    async def find(self, name: str) -> Account | None:
        """Return the account of a prepared name; None: it is not this source's.

        Cancelling the call withdraws the question, and leaves the source fit for the next one.

        Raises:
            TemporaryFailure: the source cannot say now.
        """
        ...

    async def close(self) -> None:
        """Let go of everything; questions that are open may fail."""
        ...


class Verifier(Protocol):
    """A source that says yes or no to a name and a password."""

    name: str

    async def verify(self, name: str, password: Secret) -> Account | Answer:
        """Return the account if this is the password of a prepared name.

        Cancelling the call withdraws the question, and leaves the source fit for the next one.

        Raises:
            TemporaryFailure: the source cannot say now.
        """
        ...

    async def close(self) -> None:
        """Let go of everything; questions that are open may fail."""
        ...

"""CONTRACT: the client's side of a mechanism, challenges in, responses out.

    first_message   what the client begins with; None: the server begins
    step            the response to a challenge
    verified        whether a positive reply may be believed now

`ClientExchange` drives one: it knows when the first message goes out, and what a positive reply is
worth. Nothing here waits, but `step` of SCRAM takes as long as the server's iteration count says:
where other work must go on it belongs into a thread.
"""

from typing import Protocol

from restante.errors import RestanteError
from restante.sasl.fields import is_password, write_name
from restante.secret import Secret


class MechanismUnusable(RestanteError):
    """Credentials that a mechanism cannot carry, or a channel that it cannot go over."""


class ServerUnproved(RestanteError):
    """A server that has not shown that it knows the password, or has shown that it does not."""


class ClientMechanism(Protocol):
    """One exchange; a new object for each."""

    name: str

    def first_message(self) -> bytes | None:
        """Return what the client begins with, which may be empty; None: the server begins."""
        ...

    def step(self, challenge: bytes) -> bytes:
        """Return the response to a challenge.

        Raises:
            MechanismError: the challenge is malformed, or none is due; the exchange is cancelled.
            ServerUnproved: it shows that the server is another one.
        """
        ...

    @property
    def verified(self) -> bool:
        """Whether all is said that has to be, and the server has proved what it has to."""
        ...

    @property
    def failure(self) -> str:
        """What the server has told of a failure, in printable ASCII; empty: nothing."""
        ...


def usable_name(name: str) -> bytes:
    """Return the octets of a name that somebody logs in by.

    Raises:
        MechanismUnusable: it is empty, or no message can carry it.
    """
    octets = write_name(name)
    if not octets:
        raise MechanismUnusable("this user name cannot be sent")
    return octets


def usable_authorization_name(name: str) -> bytes:
    """Return the octets of whom to act as, empty for oneself.

    Raises:
        MechanismUnusable: no message can carry it.
    """
    octets = write_name(name)
    if octets is None:
        raise MechanismUnusable("this authorization identity cannot be sent")
    return octets


def usable_password(password: Secret) -> bytes:
    """Return the octets of a password.

    Raises:
        MechanismUnusable: it is empty, or no message can carry it.
    """
    if not is_password(password.reveal()):
        raise MechanismUnusable("this password cannot be sent")
    return password.reveal()

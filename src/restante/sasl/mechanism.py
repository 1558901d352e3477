"""CONTRACT: the server's side of a mechanism, messages in, challenges or credentials out."""

from dataclasses import dataclass
from typing import Protocol

from restante.errors import RestanteError
from restante.identity import Credentials


class MechanismError(RestanteError):
    """A message that the mechanism's own grammar does not allow; the text is for the client.

    RFC 3206 §5: this is no failure of credentials, so it carries no response code.
    """


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the client has to answer next."""

    data: bytes


class ServerMechanism(Protocol):
    """One exchange; a new object for each."""

    name: str

    def start(self, initial_response: bytes | None) -> Challenge | Credentials:
        """Begin, with the initial response where there was one.

        Raises:
            MechanismError: the message is malformed, or the mechanism takes none here.
        """
        ...

    def respond(self, response: bytes) -> Challenge | Credentials:
        """Go on with the client's response.

        Raises:
            MechanismError: the message is malformed.
        """
        ...

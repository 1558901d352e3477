"""PLAIN: an authorization identity, a name and a password, parted by NULs (RFC 4616)."""

from restante.identity import PasswordCredentials
from restante.sasl.client_mechanism import (
    usable_authorization_name,
    usable_name,
    usable_password,
)
from restante.sasl.fields import is_password, read_name
from restante.sasl.mechanism import Challenge, MechanismError, Step
from restante.secret import Secret


class PlainServer:
    """The server's side of one PLAIN exchange."""

    name = "PLAIN"

    def start(self, initial_response: bytes | None) -> Step:
        """Ask for the message, or take it at once."""
        return Challenge(b"") if initial_response is None else self.respond(initial_response)

    def respond(self, response: bytes) -> PasswordCredentials:
        """Take the message.

        RFC 4616 §2: exactly two NULs, name and password not empty, all of it UTF-8.
        """
        parts = response.split(b"\0")
        if len(parts) != 3:
            raise MechanismError("a PLAIN message has three parts")
        authorization_name, name = map(read_name, parts[:2])
        if authorization_name is None or not name or not is_password(parts[2]):
            raise MechanismError("a PLAIN message has a name and a password, both UTF-8")
        return PasswordCredentials(
            name=name,
            password=Secret(parts[2]),
            mechanism=self.name,
            authorization_name=authorization_name,
        )


class PlainClient:
    """The client's side of one PLAIN exchange.

    RFC 4616 §2: the server prepares what comes, so it goes as it was typed.
    """

    name = "PLAIN"
    failure = ""

    def __init__(self, user: str, password: Secret, authorization_name: str = "") -> None:
        self._parts = (
            usable_authorization_name(authorization_name),
            usable_name(user),
            usable_password(password),
        )

    def first_message(self) -> bytes:
        """Return the one message there is."""
        return b"\0".join(self._parts)

    def step(self, challenge: bytes) -> bytes:
        """Refuse: the message has said everything."""
        raise MechanismError("PLAIN has no challenge")

    @property
    def verified(self) -> bool:
        """Nothing proves the server but TLS."""
        return True

"""CONTRACT: the server's side of a mechanism, messages in, challenges or credentials out.

A mechanism parses and phrases; whether credentials prove anything is the authenticator's to say.
Between the two stands whoever drives the exchange:

    start, respond  →  Challenge      send it, and come back with the response
                    →  SaltRequest    ask the authenticator, and come back with `salted`
                    →  Credentials    ask the authenticator, and come back with the verdict

A mechanism whose verdict is told in a last challenge has `admitted` or `refused`; the client's
response to that one goes to `acknowledge`, and only then does the verdict count (RFC 5034 §4).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from restante.errors import Refusal, RestanteError
from restante.identity import Credentials, Identity, SaltRequest, ScramParameters


class MechanismError(RestanteError):
    """A message that the mechanism's own grammar does not allow; the text is for the client.

    RFC 3206 §5: this is no failure of credentials, so it carries no response code. The text is
    one of the mechanism's own and holds no octet of the message.
    """


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the client has to answer next."""

    data: bytes


Step = Challenge | SaltRequest | Credentials

RANDOM_OCTETS = 18
"""144 bits, and no padding in base64."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What a mechanism may have to know of the connection; randomness comes in with it.

    The same for both sides, each with its own view: a client's hostname is the server's that it
    has connected to, and what is offered is what it has been told.
    """

    hostname: str = "localhost"
    other_names: frozenset[str] = frozenset()
    """What else clients may have connected to: an address, names of certificates (`*.` for one
    level of any)."""
    random: bytes = field(default=b"", repr=False)
    """Unpredictable octets of this exchange alone, 18 at least where a mechanism needs any."""
    bindings: Mapping[str, bytes] = field(default_factory=dict)
    """Channel binding data by type (RFC 5929); none in clear."""
    binding_offered: bool = False
    """Whether a mechanism with channel binding is offered on this connection (RFC 5802 §6)."""
    certificate: bytes | None = None
    """The client's certificate in DER, verified by TLS."""
    port: int = 0
    """The port that the client has connected to; 0: unknown."""

    def fresh(self) -> bytes:
        """Return the random octets of this exchange.

        Raises:
            ValueError: there are too few of them, which is a defect of whoever made the channel.
        """
        if len(self.random) < RANDOM_OCTETS:
            raise ValueError("a mechanism that needs random octets was given too few")
        return self.random


class ServerMechanism(Protocol):
    """One exchange; a new object for each."""

    name: str

    def start(self, initial_response: bytes | None) -> Step:
        """Begin, with the initial response where there was one.

        Raises:
            MechanismError: the message is malformed, or the mechanism takes none here.
            AuthenticationFailed: it proves nothing, whoever is asked.
        """
        ...

    def respond(self, response: bytes) -> Step:
        """Go on with the client's response.

        Raises:
            MechanismError: the message is malformed.
            AuthenticationFailed: it proves nothing, whoever is asked.
        """
        ...


@runtime_checkable
class Salted(Protocol):
    """A mechanism that asks for the parameters of a name (SCRAM)."""

    def salted(self, parameters: ScramParameters) -> Challenge:
        """Go on with the parameters that were asked for."""
        ...


@runtime_checkable
class HasLastWord(Protocol):
    """A mechanism that tells its verdict in a challenge of its own."""

    def admitted(self, identity: Identity) -> Challenge | None:
        """Return what has to be said before a success counts; None: nothing."""
        ...

    def refused(self, refusal: Refusal) -> Challenge | None:
        """Return what has to be said before a refusal; None: nothing."""
        ...

    def acknowledge(self, response: bytes) -> None:
        """Take the client's response to the last word.

        Raises:
            MechanismError: it is not the one there has to be.
        """
        ...

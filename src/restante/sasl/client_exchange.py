"""Client exchange: one run of a mechanism, from AUTH to the reply (RFC 5034 §4)."""

from restante.sasl.client_mechanism import ClientMechanism, ServerUnproved
from restante.sasl.fields import write_base64
from restante.sasl.mechanism import MechanismError

COMMAND_OCTETS = 255
"""RFC 5034 §4: the longest command line, with its end."""
STEPS = 8
"""More challenges than any mechanism has."""


class ClientExchange:
    """A client's mechanism at work."""

    def __init__(self, mechanism: ClientMechanism, *, initial_response: bool = True) -> None:
        self._mechanism = mechanism
        self._steps = 0
        message = mechanism.first_message()
        at_once = message is not None and initial_response and _fits(mechanism.name, message)
        self.initial_response = message if at_once else None
        """What goes with AUTH itself; empty: `=` stands for it; None: nothing goes with it."""
        self._waiting = None if at_once else message

    @property
    def mechanism(self) -> str:
        """The name of the mechanism."""
        return self._mechanism.name

    @property
    def failure(self) -> str:
        """What the server has told of a failure, in printable ASCII; empty: nothing."""
        return self._mechanism.failure

    def respond(self, challenge: bytes) -> bytes:
        """Return the response to a challenge; an error asks for `*` and the reply to that.

        Raises:
            MechanismError: the challenge is malformed, or none is due.
            ServerUnproved: it shows that the server is another one.
        """
        self._steps += 1
        if self._steps > STEPS:
            raise MechanismError("the server never comes to an end")
        message, self._waiting = self._waiting, None
        if message is None:
            return self._mechanism.step(challenge)
        if challenge:
            raise MechanismError("the client was to begin")
        return message

    def succeeded(self) -> None:
        """Take a positive reply for what it is worth.

        RFC 5802 §5: without its proof a server's success is none.

        Raises:
            ServerUnproved: the server has not done what makes the reply believable.
        """
        if self._waiting is not None or not self._mechanism.verified:
            raise ServerUnproved("the server says yes without the proof that belongs to it")


def _fits(name: str, message: bytes) -> bool:
    """Tell whether AUTH with this message is a command line still (RFC 5034 §4)."""
    return len(f"AUTH {name} \r\n") + len(write_base64(message) or b"=") <= COMMAND_OCTETS

"""Exchange: one run of a SASL mechanism, and the verdict on it while the client has to hear of it.

Some mechanisms tell their verdict in a last challenge (RFC 5802 §5, RFC 7628 §3.2.2). Until its
response has come a success opens nothing, and a refusal is no reply yet.
"""

from functools import cache
from typing import NamedTuple, TypeGuard, cast

from restante.errors import Refusal
from restante.identity import Credentials, Identity, SaltRequest, ScramParameters
from restante.sasl.mechanism import Challenge, HasLastWord, Salted, ServerMechanism, Step


class Verdict(NamedTuple):
    """What was said of credentials."""

    credentials: Credentials
    outcome: Identity | Refusal


class Exchange:
    """A mechanism at work."""

    __slots__ = ("_held", "_mechanism", "name")

    def __init__(self, mechanism: ServerMechanism) -> None:
        self._mechanism = mechanism
        self._held: Verdict | None = None
        self.name = ""
        """Whom the client wants to be, once a salt was asked for it."""

    @property
    def mechanism(self) -> str:
        """The name of the mechanism."""
        return self._mechanism.name

    @property
    def proved(self) -> Identity | None:
        """Who was proved, while the mechanism's last word waits for its response."""
        held = self._held
        return held.outcome if held is not None and isinstance(held.outcome, Identity) else None

    def start(self, initial_response: bytes | None) -> Step:
        """Begin; see the contract of mechanisms for what may be raised."""
        return self._noted(self._mechanism.start(initial_response))

    def respond(self, response: bytes) -> Step | Verdict:
        """Go on with a response; a verdict that was held back counts from now on."""
        if self._held is None:
            return self._noted(self._mechanism.respond(response))
        # `hold` has asked it for its last word.
        cast(HasLastWord, self._mechanism).acknowledge(response)
        return self._held

    def salted(self, parameters: ScramParameters) -> Challenge:
        """Go on with the parameters that the mechanism asked for."""
        return cast(Salted, self._mechanism).salted(parameters)

    def hold(self, credentials: Credentials, outcome: Identity | Refusal) -> Challenge | None:
        """Return the last word of the mechanism, and hold the verdict; None: there is none."""
        mechanism = self._mechanism
        if not _has_last_word(mechanism):
            return None
        word = (
            mechanism.refused(outcome)
            if isinstance(outcome, Refusal)
            else mechanism.admitted(outcome)
        )
        if word is not None:
            self._held = Verdict(credentials, outcome)
        return word

    def _noted(self, step: Step) -> Step:
        if isinstance(step, SaltRequest):
            self.name = step.name
        return step


def _has_last_word(mechanism: ServerMechanism) -> TypeGuard[HasLastWord]:
    return _is_one_with_last_word(type(mechanism))


@cache
def _is_one_with_last_word(kind: type[ServerMechanism]) -> bool:
    """Say it once for each kind: a protocol takes longer to ask than the whole exchange."""
    return issubclass(kind, HasLastWord)

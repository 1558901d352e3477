"""The mechanisms of a server: what it can carry out, and what each needs of its connection."""

from collections.abc import Callable

from restante.sasl import PlainServer, ServerMechanism

MECHANISMS: dict[str, Callable[[], ServerMechanism]] = {"PLAIN": PlainServer}
"""What this server can carry out; which of them is offered the configuration says."""


def begin(name: str) -> ServerMechanism:
    """Return a new exchange of a mechanism."""
    return MECHANISMS[name]()

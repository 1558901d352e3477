"""CONTRACT: what is offered as proof, who it proved to be, and what proves it.

An `Authenticator` turns credentials into an identity or raises a refusal. It knows nothing of
maildrops; a store knows nothing of credentials. Between them stands `Identity`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

from restante.errors import Refusal
from restante.secret import Secret


class Peer(NamedTuple):
    """The two ends of one connection, as log, throttle and policy see them."""

    address: str
    port: int
    local_address: str
    local_port: int
    session: str = ""
    """Unique for as long as the server runs; stands in every log line of the session."""
    tls: str | None = None
    """Version and cipher, `TLSv1.3/TLS_AES_256_GCM_SHA384`; None in clear."""


class PasswordCredentials(NamedTuple):
    """A name and a password in clear, by USER/PASS or SASL PLAIN."""

    name: str
    """As sent; preparing and completing it is the authenticator's."""
    password: Secret
    mechanism: str = "USER"
    authorization_name: str = ""
    """Empty: act as oneself (RFC 4422 §3.4.1)."""


Credentials = PasswordCredentials


_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who has been proved to be who they say."""

    name: str
    """The canonical account name: prepared, with its domain where one applies."""
    source: str = ""
    """Which source of accounts answered."""
    mailbox: str | None = None
    """Path of the mailbox where the source gives one; None: the store's template decides."""
    attributes: Mapping[str, str] = field(default_factory=lambda: _NO_ATTRIBUTES, compare=False)
    """What else the source says of the account; unknown ones are ignored."""


class Authenticator(Protocol):
    """What proves identities."""

    async def authenticate(self, credentials: Credentials, peer: Peer) -> Identity:
        """Return who the credentials prove to be.

        Cancelling the call withdraws it: work not yet begun is not begun.

        Raises:
            AuthenticationFailed: they prove nothing, for whatever reason.
            TemporaryFailure: nobody can say now.
        """
        ...


Answer = Callable[[Identity | Refusal], None]


@runtime_checkable
class AnswersByCall(Protocol):
    """An authenticator that can answer by a call instead of a coroutine.

    Of a login that finds everything ready, a task is the most expensive part.
    """

    def submit(self, credentials: Credentials, peer: Peer, answer: Answer) -> Callable[[], None]:
        """Ask; `answer` is called once, later, with the identity or the refusal.

        What is returned withdraws the question: `answer` is not called any more.
        """
        ...

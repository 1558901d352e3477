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


class DigestCredentials(NamedTuple):
    """A name and a digest that a secret was mixed into: APOP and CRAM-MD5."""

    name: str
    challenge: bytes
    """What was to be digested, fresh and our own (RFC 1939 §7, RFC 2195 §2)."""
    digest: Secret
    """16 octets of MD5."""
    mechanism: str
    authorization_name: str = ""


class ScramCredentials(NamedTuple):
    """A name and the proof that belongs to one exchange of SCRAM (RFC 5802 §3)."""

    name: str
    auth_message: bytes
    """AuthMessage: the three messages that both sides have seen."""
    proof: Secret
    """ClientProof, as long as a digest of the mechanism."""
    mechanism: str
    authorization_name: str = ""


class TokenCredentials(NamedTuple):
    """A bearer token, which says itself whose it is: OAUTHBEARER and XOAUTH2."""

    name: str
    """Whom the client wants to be; empty: whoever the token belongs to."""
    token: Secret
    mechanism: str
    authorization_name: str = ""


class CertificateCredentials(NamedTuple):
    """The certificate that a client has shown under TLS, verified there: EXTERNAL."""

    name: str
    """Whom the client wants to be; empty: whoever the certificate belongs to."""
    certificate: bytes
    """DER."""
    mechanism: str = "EXTERNAL"
    authorization_name: str = ""


Credentials = (
    PasswordCredentials
    | DigestCredentials
    | ScramCredentials
    | TokenCredentials
    | CertificateCredentials
)


class SaltRequest(NamedTuple):
    """A name that wants to prove itself by SCRAM, before there is a proof (RFC 5802 §5)."""

    name: str
    mechanism: str


class ScramParameters(NamedTuple):
    """What a client derives its proof with; unknown names have some as well."""

    salt: bytes
    iterations: int


Question = Credentials | SaltRequest

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
    device: str = ""
    """The device whose password it was; empty: the account's own proof."""
    read_only: bool = False
    """Mail may be collected and not be removed."""
    attributes: Mapping[str, str] = field(default_factory=lambda: _NO_ATTRIBUTES, compare=False)
    """What else the source says of the account; unknown ones are ignored."""


@dataclass(frozen=True, slots=True)
class MutualIdentity(Identity):
    """An identity proved by SCRAM, with what proves the server to the client in return."""

    server_signature: bytes = field(default=b"", repr=False, compare=False)
    """ServerSignature (RFC 5802 §3)."""


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


@runtime_checkable
class GivesSalts(Protocol):
    """An authenticator that SCRAM can work with."""

    async def salt(self, request: SaltRequest, peer: Peer) -> ScramParameters:
        """Return the parameters of a name, the same each time, whether somebody has it or not.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        ...


Outcome = Identity | ScramParameters | Refusal
"""Of a question: parameters for a request of a salt, else an identity; or the refusal."""
Answer = Callable[[Outcome], None]


@runtime_checkable
class AnswersByCall(Protocol):
    """An authenticator that can answer by a call instead of a coroutine.

    Of a login that finds everything ready, a task is the most expensive part.
    """

    def submit(self, question: Question, peer: Peer, answer: Answer) -> Callable[[], None]:
        """Ask; `answer` is called once, later, with what was asked for or the refusal.

        What is returned withdraws the question: `answer` is not called any more.
        """
        ...

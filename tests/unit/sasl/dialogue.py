"""Both sides of a mechanism talking: a post office that knows one account, and who drives them."""

from collections.abc import Callable
from dataclasses import dataclass

from restante.errors import AuthenticationFailed, Refusal
from restante.identity import (
    CertificateCredentials,
    Credentials,
    DigestCredentials,
    Identity,
    MutualIdentity,
    PasswordCredentials,
    SaltRequest,
    ScramCredentials,
    ScramParameters,
    TokenCredentials,
)
from restante.sasl.client_exchange import ClientExchange
from restante.sasl.cram_md5 import check_cram_md5
from restante.sasl.mechanism import Challenge, HasLastWord, Salted, ServerMechanism, Step
from restante.sasl.saslprep import prepare_password, saslprep
from restante.sasl.scram import check_proof, derive, server_signature
from restante.secret import Secret

PARAMETERS = ScramParameters(b"sixteen octets of", 4096)


@dataclass
class Account:
    """One account, with everything that proves it."""

    name: str = "alice"
    password: bytes = b"pencil"
    token: bytes = b"token"
    certificate: bytes = b"DER"
    parameters: ScramParameters = PARAMETERS

    def prove(self, credentials: Credentials) -> Identity | Refusal:
        """Return whom credentials prove to be."""
        name, proved = self._judge(credentials)
        named = name and _prepared(name)
        authorized = credentials.authorization_name in ("", self.name)
        if named not in ("", self.name) or not authorized or proved is None:
            return AuthenticationFailed()
        return proved

    def _judge(self, credentials: Credentials) -> tuple[str, Identity | None]:
        identity = Identity(self.name)
        match credentials:
            case PasswordCredentials(name, password):
                found = prepare_password(password.reveal()) == prepare_password(self.password)
                return name, identity if found else None
            case DigestCredentials(name, challenge, digest):
                found = check_cram_md5(challenge, self.password, digest.reveal())
                return name, identity if found else None
            case TokenCredentials(name, token):
                return name, identity if token == Secret(self.token) else None
            case CertificateCredentials(name, certificate):
                return name, identity if certificate == self.certificate else None
            case ScramCredentials(name):
                return name, self._judge_proof(credentials)

    def _judge_proof(self, credentials: ScramCredentials) -> Identity | None:
        mechanism, message = credentials.mechanism, credentials.auth_message
        password = prepare_password(self.password)
        keys = derive(mechanism, password, *self.parameters)
        if not check_proof(mechanism, keys.stored_key, message, credentials.proof.reveal()):
            return None
        signature = server_signature(mechanism, keys.server_key, message)
        return MutualIdentity(self.name, server_signature=signature)


def _prepared(name: str) -> str | None:
    try:
        return saslprep(name, allow_unassigned=True)
    except ValueError:
        return None


class Host:
    """A server's mechanism at work for one account."""

    def __init__(self, mechanism: ServerMechanism, account: Account) -> None:
        self._mechanism = mechanism
        self._account = account
        self._held: Identity | Refusal | None = None
        self.outcome: Identity | Refusal | None = None
        """What the reply says; None: there is a challenge still."""

    def start(self, initial_response: bytes | None) -> bytes | None:
        """Begin; return the challenge, or None where there is an outcome."""
        return self._go(lambda: self._mechanism.start(initial_response))

    def respond(self, response: bytes) -> bytes | None:
        """Go on; return the challenge, or None where there is an outcome."""
        if self._held is None:
            return self._go(lambda: self._mechanism.respond(response))
        assert isinstance(self._mechanism, HasLastWord)
        self._mechanism.acknowledge(response)
        self.outcome = self._held
        return None

    def _go(self, take: Callable[[], Step]) -> bytes | None:
        try:
            step = take()
        except Refusal as refusal:
            self.outcome = refusal
            return None
        if isinstance(step, SaltRequest):
            assert isinstance(self._mechanism, Salted)
            step = self._mechanism.salted(self._account.parameters)
        if isinstance(step, Challenge):
            return step.data
        return self._conclude(self._account.prove(step))

    def _conclude(self, outcome: Identity | Refusal) -> bytes | None:
        mechanism, word = self._mechanism, None
        if isinstance(mechanism, HasLastWord):
            if isinstance(outcome, Refusal):
                word = mechanism.refused(outcome)
            else:
                word = mechanism.admitted(outcome)
        if word is None:
            self.outcome = outcome
            return None
        self._held = outcome
        return word.data


def converse(client: ClientExchange, host: Host) -> Identity | Refusal:
    """Let both talk to the end; a success has to convince the client."""
    challenge = host.start(client.initial_response)
    while host.outcome is None:
        assert challenge is not None
        challenge = host.respond(client.respond(challenge))
    if isinstance(host.outcome, Identity):
        client.succeeded()
    return host.outcome

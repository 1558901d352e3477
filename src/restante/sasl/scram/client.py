"""SCRAM, the client's side (RFC 5802, RFC 7677)."""

import hmac

from restante.sasl.client_mechanism import (
    MechanismUnusable,
    ServerUnproved,
    usable_authorization_name,
    usable_name,
    usable_password,
)
from restante.sasl.fields import write_base64
from restante.sasl.gs2 import Gs2Header, escape
from restante.sasl.mechanism import Channel, MechanismError
from restante.sasl.saslprep import prepare_password, saslprep
from restante.sasl.scram.keys import (
    MINIMUM_ITERATIONS,
    client_keys,
    client_proof,
    server_signature,
)
from restante.sasl.scram.messages import read_server_final, read_server_first
from restante.secret import Secret

ITERATIONS = range(MINIMUM_ITERATIONS, 1_000_001)
"""Fewer would help whoever guesses passwords from what passed by; more keep the client busy."""
BINDING = "tls-server-end-point"


class ScramClient:
    """The client's side of one SCRAM exchange; a name that ends in -PLUS binds the channel."""

    def __init__(
        self,
        name: str,
        user: str,
        password: Secret,
        channel: Channel,
        *,
        authorization_name: str = "",
        binding: str = BINDING,
        iterations: range = ITERATIONS,
    ) -> None:
        usable_authorization_name(authorization_name)
        self.name = name
        self.failure = ""
        self._password = Secret(prepare_password(usable_password(password)))
        header = Gs2Header(_flag(name, binding, channel), authorization_name=authorization_name)
        if header.flag == "p":
            header = Gs2Header("p", binding, authorization_name)
        self._header = header.encode()
        self._binding = channel.bindings[binding] if header.flag == "p" else b""
        self._iterations = iterations
        self._nonce = write_base64(channel.fresh())
        self._bare = b"n=%s,r=%s" % (escape(_prepared(user)), self._nonce)
        self._signature: bytes | None = None
        self._verified = False
        self._ended = False

    def first_message(self) -> bytes:
        """Return the header, the name and a nonce."""
        return self._header + self._bare

    def step(self, challenge: bytes) -> bytes:
        """Answer salt and iteration count with the proof, and the server's proof with nothing."""
        if self._ended:
            raise MechanismError("SCRAM has two challenges")
        if self._signature is None:
            return self._prove(challenge)
        self._ended = True
        return self._verify(challenge, self._signature)

    @property
    def verified(self) -> bool:
        """The server has proved that it has keys of the password."""
        return self._verified

    def _prove(self, challenge: bytes) -> bytes:
        first = read_server_first(challenge)
        if not first.nonce.startswith(self._nonce) or first.nonce == self._nonce:
            raise ServerUnproved("the server's nonce is not made from ours")
        if first.iterations not in self._iterations:
            raise MechanismError("the iteration count is too low or too high")
        binding = write_base64(self._header + self._binding)
        without_proof = b"c=%s,r=%s" % (binding, first.nonce)
        message = b",".join((self._bare, challenge, without_proof))
        password = self._password.reveal()
        keys = client_keys(self.name, password, first.salt, first.iterations)
        self._signature = server_signature(self.name, keys.server_key, message)
        proof = client_proof(self.name, keys.client_key, message)
        return without_proof + b",p=" + write_base64(proof)

    def _verify(self, challenge: bytes, signature: bytes) -> bytes:
        found = read_server_final(challenge)
        if isinstance(found, str):
            self.failure = found
            return b""
        if not hmac.compare_digest(found, signature):
            raise ServerUnproved("the server's proof is wrong")
        self._verified = True
        return b""


def _flag(name: str, binding: str, channel: Channel) -> str:
    """Return the channel binding flag (RFC 5802 §6).

    Raises:
        MechanismUnusable: there is nothing to bind to, or something and the server wants it bound.
    """
    can_bind = binding in channel.bindings
    if name.endswith("-PLUS"):
        if not can_bind:
            raise MechanismUnusable("there is no channel binding of this type")
        return "p"
    if can_bind and channel.binding_offered:
        raise MechanismUnusable("the server offers channel binding, so it has to be used")
    return "y" if can_bind else "n"


def _prepared(user: str) -> str:
    """Return a name prepared (RFC 5802 §5.1, n).

    Raises:
        MechanismUnusable: it cannot be.
    """
    usable_name(user)
    prepared = _saslprep(user)
    if prepared is None:
        raise MechanismUnusable("this user name cannot be prepared")
    return prepared


def _saslprep(user: str) -> str | None:
    try:
        return saslprep(user, allow_unassigned=True)
    except ValueError:
        return None

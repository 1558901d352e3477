"""SCRAM, the server's side (RFC 5802, RFC 7677)."""

from collections.abc import Callable

from restante.errors import AuthenticationFailed, Refusal
from restante.identity import (
    Identity,
    MutualIdentity,
    SaltRequest,
    ScramCredentials,
    ScramParameters,
)
from restante.sasl.fields import write_base64
from restante.sasl.gs2 import Gs2Header
from restante.sasl.mechanism import Challenge, Channel, MechanismError, Step
from restante.sasl.scram.keys import digest_octets
from restante.sasl.scram.messages import ClientFirst, read_client_final, read_client_first
from restante.secret import Secret


class ScramServer:
    """The server's side of one SCRAM exchange; a name that ends in -PLUS binds the channel."""

    def __init__(self, name: str, channel: Channel) -> None:
        self.name = name
        self._channel = channel
        self._server_nonce = write_base64(channel.fresh())
        self._proof_octets = digest_octets(name)
        self._take: Callable[[bytes], Step] = self._take_first
        self._first: ClientFirst | None = None
        self._server_first = b""

    def start(self, initial_response: bytes | None) -> Step:
        """Ask for the first message, or take it at once."""
        return Challenge(b"") if initial_response is None else self.respond(initial_response)

    def respond(self, response: bytes) -> Step:
        """Take the first message, then the final one."""
        take, self._take = self._take, _out_of_turn
        return take(response)

    def salted(self, parameters: ScramParameters) -> Challenge:
        """Send nonce, salt and iteration count."""
        salt = write_base64(parameters.salt)
        self._server_first = b"r=%s,s=%s,i=%d" % (self._nonce, salt, parameters.iterations)
        self._take = self._take_final
        return Challenge(self._server_first)

    def admitted(self, identity: Identity) -> Challenge:
        """Prove the server in return.

        RFC 5034 §4: a positive reply carries no data, so it goes into a challenge of its own.
        """
        assert isinstance(identity, MutualIdentity)
        return Challenge(b"v=" + write_base64(identity.server_signature))

    def refused(self, refusal: Refusal) -> None:
        """Say nothing: RFC 5802 §5.1 (e) leaves it to the reply, which tells less."""

    def acknowledge(self, response: bytes) -> None:
        """Take the empty response to the server's proof."""
        if response:
            raise MechanismError("the response to the server's proof is empty")

    @property
    def _begun(self) -> ClientFirst:
        assert self._first is not None
        return self._first

    @property
    def _nonce(self) -> bytes:
        return self._begun.nonce + self._server_nonce

    def _take_first(self, message: bytes) -> SaltRequest:
        first = read_client_first(message)
        self._check_flag(first.header)
        self._first = first
        return SaltRequest(first.name, self.name)

    def _check_flag(self, header: Gs2Header) -> None:
        """Hold flag, mechanism and connection to one another (RFC 5802 §6).

        `y` says that the client could bind and was told that this server cannot. Where it was told
        otherwise somebody has changed the list of mechanisms on the way.
        """
        if (header.flag == "p") != self.name.endswith("-PLUS"):
            raise MechanismError("the channel binding flag is not the mechanism's")
        if header.flag == "p" and header.binding not in self._channel.bindings:
            raise MechanismError("this type of channel binding is not supported")
        if header.flag == "y" and self._channel.binding_offered:
            raise AuthenticationFailed(reason="channel binding was hidden from the client")

    def _take_final(self, message: bytes) -> ScramCredentials:
        first, final = self._begun, read_client_final(message)
        if len(final.proof) != self._proof_octets:
            raise MechanismError("the proof is malformed")
        if final.nonce != self._nonce:
            raise AuthenticationFailed(reason="another nonce")
        data = self._channel.bindings.get(first.header.binding, b"")
        # RFC 5802 §6: in every case, also where nothing is bound.
        if final.binding != write_base64(first.header_octets + data):
            raise AuthenticationFailed(reason="another channel binding")
        return ScramCredentials(
            name=first.name,
            auth_message=b",".join((first.bare, self._server_first, final.without_proof)),
            proof=Secret(final.proof),
            mechanism=self.name,
            authorization_name=first.header.authorization_name,
        )


def _out_of_turn(response: bytes) -> Step:
    raise MechanismError("no message is due")

"""EXTERNAL: who TLS says the client is (RFC 4422, appendix A)."""

from restante.errors import AuthenticationFailed
from restante.identity import CertificateCredentials
from restante.sasl.client_mechanism import usable_authorization_name
from restante.sasl.fields import read_name
from restante.sasl.mechanism import Challenge, Channel, MechanismError, Step


class ExternalServer:
    """The server's side of one EXTERNAL exchange."""

    name = "EXTERNAL"

    def __init__(self, channel: Channel) -> None:
        self._certificate = channel.certificate

    def start(self, initial_response: bytes | None) -> Step:
        """Ask for the message, or take it at once."""
        return Challenge(b"") if initial_response is None else self.respond(initial_response)

    def respond(self, response: bytes) -> CertificateCredentials:
        """Take whom the client wants to be, mostly nobody in particular."""
        name = read_name(response)
        if name is None:
            raise MechanismError("an EXTERNAL message is a name in UTF-8, or empty")
        if self._certificate is None:
            raise AuthenticationFailed(reason="no client certificate")
        return CertificateCredentials(name, self._certificate)


class ExternalClient:
    """The client's side of one EXTERNAL exchange: TLS has shown the certificate already."""

    name = "EXTERNAL"
    failure = ""

    def __init__(self, authorization_name: str = "") -> None:
        self._message = usable_authorization_name(authorization_name)

    def first_message(self) -> bytes:
        """Return whom to act as; empty: whom the certificate belongs to."""
        return self._message

    def step(self, challenge: bytes) -> bytes:
        """Refuse: the message has said everything."""
        raise MechanismError("EXTERNAL has no challenge")

    @property
    def verified(self) -> bool:
        """Nothing proves the server but TLS."""
        return True

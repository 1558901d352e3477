"""XOAUTH2: a user name and a bearer token, as large mail providers had it before RFC 7628."""

from restante.identity import TokenCredentials
from restante.sasl.bearer import SEPARATOR, BearerServer, read_pairs, read_token
from restante.sasl.bearer_client import BearerClient
from restante.sasl.client_mechanism import MechanismUnusable, usable_name
from restante.sasl.fields import read_name
from restante.sasl.mechanism import Channel, MechanismError
from restante.secret import Secret


class XOAuth2Server(BearerServer):
    """The server's side of one XOAUTH2 exchange."""

    name = "XOAUTH2"
    invalid_request = "400"
    invalid_token = "401"

    def __init__(self, channel: Channel, *, scope: str = "") -> None:
        super().__init__(channel, scope)

    def _read(self, message: bytes) -> TokenCredentials | str:
        pairs = read_pairs(message)
        name = read_name(pairs.get(b"user", b""))
        if not name:
            raise MechanismError("an XOAUTH2 message has a user in UTF-8")
        token = read_token(pairs.get(b"auth", b""))
        return (
            "no bearer token" if token is None else TokenCredentials(name, Secret(token), self.name)
        )

    def _explanation(self) -> dict[str, str]:
        return {"schemes": "bearer", "scope": self._scope}


class XOAuth2Client(BearerClient):
    """The client's side of one XOAUTH2 exchange."""

    name = "XOAUTH2"
    acknowledgement = b""

    def __init__(self, user: str, token: Secret) -> None:
        super().__init__(token)
        self._user = usable_name(user)
        if SEPARATOR in self._user:
            raise MechanismUnusable("this user name cannot be sent")

    def _pairs(self) -> list[bytes]:
        return [b"user=" + self._user]

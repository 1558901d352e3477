"""XOAUTH2: a user name and a bearer token, as large mail providers had it before RFC 7628."""

from restante.identity import TokenCredentials
from restante.sasl.bearer import BearerServer, read_pairs, read_token
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

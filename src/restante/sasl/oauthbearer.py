"""OAUTHBEARER: a bearer token, whom to act as, and where the client meant to go (RFC 7628)."""

import re

from restante.identity import TokenCredentials
from restante.sasl.bearer import SEPARATOR, BearerServer, read_pairs, read_token
from restante.sasl.bearer_client import BearerClient
from restante.sasl.client_mechanism import usable_authorization_name
from restante.sasl.gs2 import Gs2Header, parse_header, split_header
from restante.sasl.mechanism import Channel, MechanismError
from restante.secret import Secret

_VALUE = re.compile(rb"[\t\r\n -~]*")


class OAuthBearerServer(BearerServer):
    """The server's side of one OAUTHBEARER exchange."""

    name = "OAUTHBEARER"
    invalid_request = "invalid_request"
    invalid_token = "invalid_token"

    def __init__(
        self, channel: Channel, *, scope: str = "", openid_configuration: str = ""
    ) -> None:
        super().__init__(channel, scope)
        self._openid_configuration = openid_configuration

    def _read(self, message: bytes) -> TokenCredentials | str:
        header_octets, rest = split_header(message)
        header = parse_header(header_octets)
        if header.flag == "p":
            raise MechanismError("OAUTHBEARER has no channel binding")
        if not rest.startswith(SEPARATOR):
            raise MechanismError("the GS2 header ends in a separator")
        pairs = read_pairs(rest[1:])
        if not all(map(_VALUE.fullmatch, pairs.values())):
            raise MechanismError("the values of OAUTHBEARER are ASCII")
        if not self._is_ours(pairs.get(b"host"), pairs.get(b"port")):
            return "meant for another server"
        token = read_token(pairs.get(b"auth", b""))
        if token is None:
            return "no bearer token"
        return TokenCredentials(header.authorization_name, Secret(token), self.name)

    def _is_ours(self, host: bytes | None, port: bytes | None) -> bool:
        """Tell whether a client meant this server (RFC 7628 §3.2: what is known has to match)."""
        channel = self._channel
        names = {_folded(name) for name in (channel.hostname, *channel.other_names)}
        if host is not None and names.isdisjoint(_names_of(_folded(host.decode("ascii")))):
            return False
        return port is None or not channel.port or port == b"%d" % channel.port

    def _explanation(self) -> dict[str, str]:
        return {"scope": self._scope, "openid-configuration": self._openid_configuration}


class OAuthBearerClient(BearerClient):
    """The client's side of one OAUTHBEARER exchange."""

    name = "OAUTHBEARER"
    acknowledgement = SEPARATOR

    def __init__(self, token: Secret, channel: Channel, authorization_name: str = "") -> None:
        super().__init__(token)
        usable_authorization_name(authorization_name)
        self._gs2 = Gs2Header("n", authorization_name=authorization_name)
        self._channel = channel

    def _header(self) -> bytes:
        return self._gs2.encode() + SEPARATOR

    def _pairs(self) -> list[bytes]:
        host = self._channel.hostname.encode("ascii", "replace")
        return [b"host=" + host, *([b"port=%d" % self._channel.port] if self._channel.port else [])]


def _names_of(host: str) -> tuple[str, str]:
    """Return by what names a certificate may have this host (RFC 6125 §6.4.3)."""
    return host, "*." + host.partition(".")[2]


def _folded(name: str) -> str:
    return name.lower().rstrip(".").removeprefix("[").removesuffix("]")

"""SASL mechanisms without IO, one file each (RFC 4422)."""

from restante.sasl.client_exchange import ClientExchange
from restante.sasl.client_mechanism import ClientMechanism, MechanismUnusable, ServerUnproved
from restante.sasl.cram_md5 import CramMd5Client, CramMd5Server
from restante.sasl.external import ExternalClient, ExternalServer
from restante.sasl.login import LoginClient, LoginServer
from restante.sasl.mechanism import MechanismError, ServerMechanism
from restante.sasl.oauthbearer import OAuthBearerClient, OAuthBearerServer
from restante.sasl.plain import PlainClient, PlainServer
from restante.sasl.scram import ScramClient, ScramServer
from restante.sasl.xoauth2 import XOAuth2Client, XOAuth2Server

__all__ = [
    "ClientExchange",
    "ClientMechanism",
    "CramMd5Client",
    "CramMd5Server",
    "ExternalClient",
    "ExternalServer",
    "LoginClient",
    "LoginServer",
    "MechanismError",
    "MechanismUnusable",
    "OAuthBearerClient",
    "OAuthBearerServer",
    "PlainClient",
    "PlainServer",
    "ScramClient",
    "ScramServer",
    "ServerMechanism",
    "ServerUnproved",
    "XOAuth2Client",
    "XOAuth2Server",
]

"""SASL mechanisms without IO, one file each (RFC 4422)."""

from restante.sasl.cram_md5 import CramMd5Server
from restante.sasl.external import ExternalServer
from restante.sasl.login import LoginServer
from restante.sasl.mechanism import MechanismError, ServerMechanism
from restante.sasl.oauthbearer import OAuthBearerServer
from restante.sasl.plain import PlainServer
from restante.sasl.scram import ScramServer
from restante.sasl.xoauth2 import XOAuth2Server

__all__ = [
    "CramMd5Server",
    "ExternalServer",
    "LoginServer",
    "MechanismError",
    "OAuthBearerServer",
    "PlainServer",
    "ScramServer",
    "ServerMechanism",
    "XOAuth2Server",
]

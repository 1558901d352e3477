"""SASL mechanisms without IO, one file each (RFC 4422)."""

from restante.sasl.mechanism import MechanismError, ServerMechanism
from restante.sasl.plain import PlainServer

__all__ = ["MechanismError", "PlainServer", "ServerMechanism"]

"""SCRAM: a proof of the password in both directions, bound to TLS where it can be (RFC 5802)."""

from restante.sasl.scram.client import ScramClient
from restante.sasl.scram.keys import (
    MINIMUM_ITERATIONS,
    SCRAM_DIGESTS,
    ScramKeys,
    check_proof,
    derive,
    family,
    server_signature,
)
from restante.sasl.scram.server import ScramServer

__all__ = [
    "MINIMUM_ITERATIONS",
    "SCRAM_DIGESTS",
    "ScramClient",
    "ScramKeys",
    "ScramServer",
    "check_proof",
    "derive",
    "family",
    "server_signature",
]

"""The arithmetic of SCRAM: keys from a password, proofs and signatures from keys (RFC 5802 §3).

StoredKey and ServerKey are what a server keeps. From StoredKey nobody can compute a proof, but
whoever has both keys and hears one exchange can pass for either side: they are secrets.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import NamedTuple

SCRAM_DIGESTS = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}
"""The hash of each family of keys, by the name of its mechanism without -PLUS."""

_PLUS = "-PLUS"

MINIMUM_ITERATIONS = 4096
"""RFC 5802 §5.1, RFC 7677 §4: what a server should ask for at least."""


class ScramKeys(NamedTuple):
    """What a server keeps of a password, besides salt and iteration count."""

    stored_key: bytes
    server_key: bytes

    def __repr__(self) -> str:
        return "ScramKeys(…)"


class _Hash(NamedTuple):
    """A hash as its mechanisms need it."""

    name: str
    make: Callable[..., "hashlib._Hash"]
    octets: int


_HASHES = {
    each + plus: _Hash(name, getattr(hashlib, name), hashlib.new(name).digest_size)
    for each, name in SCRAM_DIGESTS.items()
    for plus in ("", _PLUS)
}


class ClientKeys(NamedTuple):
    """What a client works with."""

    client_key: bytes
    server_key: bytes

    def __repr__(self) -> str:
        return "ClientKeys(…)"


def family(mechanism: str) -> str:
    """Return the name that keys are kept under: the mechanism's, without -PLUS."""
    return mechanism.removesuffix(_PLUS)


def digest_octets(mechanism: str) -> int:
    """Return how long a proof, a key or a signature is."""
    return _HASHES[mechanism].octets


def derive(mechanism: str, password: bytes, salt: bytes, iterations: int) -> ScramKeys:
    """Return what a server keeps of a password.

    RFC 5802 §2.2: the password is prepared by SASLprep as a stored string, in UTF-8.
    This takes as long as `iterations` says; other threads run meanwhile.
    """
    client_key, server_key = client_keys(mechanism, password, salt, iterations)
    return ScramKeys(_HASHES[mechanism].make(client_key).digest(), server_key)


def client_keys(mechanism: str, password: bytes, salt: bytes, iterations: int) -> ClientKeys:
    """Return what a client computes its proof with, and checks the server's by."""
    name = _HASHES[mechanism].name
    salted_password = hashlib.pbkdf2_hmac(name, password, salt, iterations)
    return ClientKeys(
        hmac.digest(salted_password, b"Client Key", name),
        hmac.digest(salted_password, b"Server Key", name),
    )


def client_proof(mechanism: str, client_key: bytes, auth_message: bytes) -> bytes:
    """Return ClientProof."""
    name, make, _ = _HASHES[mechanism]
    stored_key = make(client_key).digest()
    return _xor(client_key, hmac.digest(stored_key, auth_message, name))


def check_proof(mechanism: str, stored_key: bytes, auth_message: bytes, proof: bytes) -> bool:
    """Tell whether a proof belongs to the key, in a time that does not depend on how far off it is.

    A proof or a key of another length than the hash has is none.
    """
    name, make, _ = _HASHES[mechanism]
    signature = hmac.digest(stored_key, auth_message, name)
    if len(proof) != len(signature):
        return False
    client_key = _xor(proof, signature)
    return hmac.compare_digest(make(client_key).digest(), stored_key)


def server_signature(mechanism: str, server_key: bytes, auth_message: bytes) -> bytes:
    """Return ServerSignature, which proves the server to the client."""
    return hmac.digest(server_key, auth_message, _HASHES[mechanism].name)


def _xor(one: bytes, other: bytes) -> bytes:
    mixed = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return mixed.to_bytes(len(one), "big")

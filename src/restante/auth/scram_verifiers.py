"""Verifiers of SCRAM as they are written down, and the salts of names that have none.

Dovecot's form, `{SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey`, the last three in base64.
"""

import base64
from binascii import a2b_base64
from contextlib import suppress
from hashlib import blake2b
from secrets import token_bytes
from typing import NamedTuple

from restante.auth.options import MAXIMUM_ITERATIONS
from restante.identity import ScramCredentials
from restante.sasl.scram import SCRAM_DIGESTS, ScramKeys, check_proof, derive
from restante.sasl.scram import server_signature as sign
from restante.sasl.scram.keys import digest_octets
from restante.secret import Secret

SALT_OCTETS = 16
_LONGEST_SALT_OCTETS = 64


class Verifier(NamedTuple):
    """What an exchange is verified by."""

    salt: bytes
    iterations: int
    keys: ScramKeys


def make(family: str, password: bytes, iterations: int, salt: bytes | None = None) -> str:
    """Return the verifier of a new password, which has been prepared, as text.

    `salt` is that of another password which an exchange is to serve as well; None: a new one.
    """
    salt = token_bytes(SALT_OCTETS) if salt is None else salt
    keys = derive(family, password, salt, iterations)
    parts = (salt, keys.stored_key, keys.server_key)
    texts = ",".join(base64.b64encode(part).decode() for part in parts)
    return f"{{{family}}}{iterations},{texts}"


def read(family: str, text: str) -> Verifier:
    """Return the verifier that a text says, without the scheme in front.

    Raises:
        ValueError: it says none.
    """
    iterations, *texts = text.split(",")
    salt, stored_key, server_key = [a2b_base64(each, strict_mode=True) for each in texts]
    if not iterations.isascii() or not iterations.isdigit():
        raise ValueError("iterations")
    # Digits first: a number of a million of them takes its time.
    if len(iterations) > 8 or not 1 <= int(iterations) <= MAXIMUM_ITERATIONS:
        raise ValueError("iterations")
    size = digest_octets(family)
    if len(stored_key) != size or len(server_key) != size:
        raise ValueError("keys")
    if not 0 < len(salt) <= _LONGEST_SALT_OCTETS:
        raise ValueError("salt")
    return Verifier(salt, int(iterations), ScramKeys(stored_key, server_key))


def read_all(texts: str) -> list[tuple[str, Verifier]]:
    """Return families and verifiers of texts with spaces between; those that say none are none."""
    found = []
    for text in texts.split():
        name, _, rest = text.removeprefix("{").partition("}")
        if name in SCRAM_DIGESTS:
            with suppress(ValueError):
                found.append((name, read(name, rest)))
    return found


def check(credentials: ScramCredentials, keys: ScramKeys) -> bytes | None:
    """Return the server's signature for a right proof; a wrong one costs as much."""
    mechanism, message = credentials.mechanism, credentials.auth_message
    signature = sign(mechanism, keys.server_key, message)
    right = check_proof(mechanism, keys.stored_key, message, credentials.proof.reveal())
    return signature if right else None


def is_password(family: str, text: str, password: bytes) -> bool:
    """Say whether a verifier was made from this password.

    Raises:
        ValueError: the text says none.
    """
    verifier = read(family, text)
    made = derive(family, password, verifier.salt, verifier.iterations)
    # HMAC fills a short key up with NULs, so one more or less of them would not matter.
    right = Secret(made.stored_key) == Secret(verifier.keys.stored_key)
    return right and b"\0" not in password


def stand_in_salt(key: Secret, name: str, family: str, octets: int = SALT_OCTETS) -> bytes:
    """Return the salt of a name that has none, the same each time (RFC 5802 §9).

    Without the key nobody can tell it from a random one.
    """
    digest = blake2b(key=key.reveal(), digest_size=octets)
    digest.update(f"{family}\0{name}".encode("utf-8", "surrogatepass"))
    return digest.digest()

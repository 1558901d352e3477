"""What the tests of `restante.auth` have in common: cheap hashes, a clock, somebody who asks."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

from restante.auth.options import (
    AuthOptions,
    CacheOptions,
    FurtherMechanism,
    HashOptions,
    SourceOptions,
    ThrottleOptions,
)
from restante.identity import PasswordCredentials, Peer, ScramCredentials, ScramParameters
from restante.sasl.scram.keys import client_keys, client_proof
from restante.secret import Secret

_T = TypeVar("_T")

CHEAP = HashOptions(memory_kib=8, passes=1)
NO_THROTTLE = ThrottleOptions(free_failures=1_000_000)
PEER = Peer("192.0.2.1", 49152, "192.0.2.254", 110, "session-1")
PATIENCE_SECONDS = 30.0
"""Bound of every wait: reached by a test that would hang, and by no other."""


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that ends within bounds, and return its result."""

    async def bounded() -> _T:
        return await asyncio.wait_for(work, PATIENCE_SECONDS)

    return asyncio.run(bounded())


async def turns(count: int = 5) -> None:
    """Let the loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


def credentials(
    name: str, password: str | bytes, *, authorization_name: str = ""
) -> PasswordCredentials:
    octets = password.encode() if isinstance(password, str) else password
    return PasswordCredentials(name, Secret(octets), "PLAIN", authorization_name)


def peer(address: str) -> Peer:
    return Peer(address, 49152, "192.0.2.254", 110, "session-1")


def options(
    state: Path,
    *,
    passwd_file: Path | None = None,
    accounts: bool = True,
    default_domain: str = "",
    hashing: HashOptions = CHEAP,
    throttle: ThrottleOptions = NO_THROTTLE,
    cache: CacheOptions | None = None,
    verifies: tuple[FurtherMechanism, ...] = (),
) -> AuthOptions:
    """Return the options of an authenticator with the accounts of `state`, then of a file."""
    sources: tuple[SourceOptions, ...] = (SourceOptions(),) if accounts else ()
    if passwd_file is not None:
        sources += (SourceOptions(type="passwd-file", path=passwd_file, verifies=verifies),)
    return AuthOptions(
        state_directory=state,
        default_domain=default_domain,
        sources=sources,
        hashing=hashing,
        throttle=throttle,
        cache=cache or CacheOptions(),
    )


def proof_of(
    name: str,
    password: bytes,
    parameters: ScramParameters,
    mechanism: str = "SCRAM-SHA-256",
    *,
    authorization_name: str = "",
) -> ScramCredentials:
    """Return what a client proves itself with that has this password."""
    message = token_hex(18).encode()
    keys = client_keys(mechanism, password, parameters.salt, parameters.iterations)
    proof = Secret(client_proof(mechanism, keys.client_key, message))
    return ScramCredentials(name, message, proof, mechanism, authorization_name)

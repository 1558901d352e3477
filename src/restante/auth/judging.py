"""CONTRACT: how one kind of credentials is judged, apart from who waits for it and what counts it.

What all kinds have in common stands in `inprocess`: the name is prepared, whoever is suspected
waits, failures are counted, and everybody is refused in the same words. A judge only says whether
a proof is right. It does the same work for names that nobody has, that are disabled, or that have
nothing this kind could be verified by: then a stand-in is worked on in their place.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol, TypeVar

from restante.auth.devices.device import ITSELF, Device
from restante.auth.sources import Account
from restante.auth.throttle import FRESH
from restante.identity import (
    Credentials,
    DigestCredentials,
    Identity,
    MutualIdentity,
    PasswordCredentials,
    Peer,
    ScramCredentials,
    TokenCredentials,
)

C_contra = TypeVar("C_contra", contravariant=True)


@dataclass(slots=True)
class Claim:
    """Whom a proof is to prove, as far as the sources know."""

    name: str | None
    """The prepared name; None: nobody can have what was sent."""
    counted: str
    """What failures are counted under."""
    account: Account | None
    stand_in: Account | None
    """Somebody else's account, looked up for everybody; None: there is none at all."""
    acceptable: bool
    """Whether the right proof would be enough."""
    peer: Peer
    rank: int = FRESH
    """How far in front it waits where something has to be waited for; see `throttle`."""


@dataclass(slots=True)
class Verdict:
    """What came of a proof."""

    reason: str | None
    """Why it is not right, for the log; None: it is."""
    tried: bytes = field(repr=False)
    """What is equal when the same wrong proof is tried again, as a forgetful program does.

    Of a password that is the password. Of digests over a challenge it is never equal: which secret
    they were made with cannot be told from them, so each of them counts.
    """
    device: Device = ITSELF
    server_signature: bytes = field(default=b"", repr=False)
    account: Account | None = None
    """Whom the proof named by itself; None: whom its name did."""
    remember: Callable[[], None] | None = None
    """To be called where nothing else speaks against the login: it will be judged faster again."""


class Judge(Protocol[C_contra]):
    """What says whether proofs of one kind are right."""

    def at_once(self, claim: Claim, credentials: C_contra) -> Verdict | None:
        """Return the verdict on a right proof if that needs no wait; None: ask `judge`."""
        ...

    async def judge(self, claim: Claim, credentials: C_contra) -> Verdict:
        """Return the verdict.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        ...


def tried(credentials: Credentials) -> bytes:
    """Return what of a proof is equal when it is tried again, where no verdict says so."""
    if isinstance(credentials, PasswordCredentials):
        return credentials.password.reveal()
    if isinstance(credentials, DigestCredentials):
        return credentials.digest.reveal()
    if isinstance(credentials, ScramCredentials):
        return credentials.proof.reveal()
    if isinstance(credentials, TokenCredentials):
        return sha256(credentials.token.reveal()).digest()
    return sha256(credentials.certificate).digest()


def identity_of(account: Account, verdict: Verdict) -> Identity:
    """Return who was proved."""
    name, source, mailbox = account.name, account.source, account.mailbox
    device, read_only = verdict.device.name, verdict.device.read_only
    if verdict.server_signature:
        return MutualIdentity(
            name, source, mailbox, device, read_only, server_signature=verdict.server_signature
        )
    return Identity(name, source, mailbox, device, read_only)

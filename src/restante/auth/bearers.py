"""Proofs that say themselves whose they are, judged: certificates of clients and bearer tokens.

CONTRACT: `CertificateSource` and `TokenSource` say whose a proof is. They say a name and nothing
else: whether that is an account, where its mail lies and whether it is disabled is for the sources
that look accounts up to say. Only where there are none of those is a name enough.

A client that asks to be somebody has to be that one (RFC 4422 §3.6).
"""

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Protocol, TypeVar

from restante.auth.judging import Claim, Verdict
from restante.auth.sources import Account
from restante.errors import TemporaryFailure
from restante.identity import CertificateCredentials, TokenCredentials
from restante.secret import Secret

Find = Callable[[str, Claim], Awaitable[Account | None]]
C_contra = TypeVar("C_contra", bound=CertificateCredentials | TokenCredentials, contravariant=True)


class CertificateSource(Protocol):
    """What knows whose certificate one is."""

    name: str

    def holder(self, certificate: bytes) -> str | None:
        """Return the prepared name of whoever holds a certificate that TLS has verified.

        None: it proves nothing here.

        Raises:
            TemporaryFailure: the source cannot say now.
        """
        ...


class TokenSource(Protocol):
    """What knows whose token one is."""

    name: str

    async def holder(self, token: Secret) -> str | None:
        """Return the prepared name of whoever a token was given to; None: it proves nothing here.

        Raises:
            TemporaryFailure: the source cannot say now.
        """
        ...

    async def close(self) -> None:
        """Let go of what is under way."""
        ...


class CertificateJudge:
    """The judge of certificates."""

    def __init__(self, sources: Sequence[CertificateSource], accounts: "Accounts") -> None:
        self._sources = sources
        self._accounts = accounts

    def at_once(self, claim: Claim, credentials: CertificateCredentials) -> Verdict | None:
        """Return nothing: there is no faster way than the whole."""
        return None

    async def judge(self, claim: Claim, credentials: CertificateCredentials) -> Verdict:
        """Return the verdict on a certificate."""
        tried = sha256(credentials.certificate).digest()
        if not self._sources:
            return Verdict("mechanism", tried)
        for source in self._sources:
            name = source.holder(credentials.certificate)
            if name is not None:
                return await self._accounts.verdict(name, source.name, claim, credentials, tried)
        return Verdict("certificate", tried)


class TokenJudge:
    """The judge of bearer tokens."""

    def __init__(self, sources: Sequence[TokenSource], accounts: "Accounts") -> None:
        self._sources = sources
        self._accounts = accounts

    def at_once(self, claim: Claim, credentials: TokenCredentials) -> Verdict | None:
        """Return nothing: there is no faster way than the whole."""
        return None

    async def judge(self, claim: Claim, credentials: TokenCredentials) -> Verdict:
        """Return the verdict on a token."""
        tried = sha256(credentials.token.reveal()).digest()
        if not self._sources:
            return Verdict("mechanism", tried)
        failure: TemporaryFailure | None = None
        for source in self._sources:
            try:
                name = await source.holder(credentials.token)
            except TemporaryFailure as error:
                # A token has one issuer, and it may be another: none can refuse for the rest.
                failure = failure or error
                continue
            if name is not None:
                return await self._accounts.verdict(name, source.name, claim, credentials, tried)
        if failure is not None:
            raise failure
        return Verdict("token", tried)


class Accounts:
    """The accounts that a proof can be for."""

    def __init__(self, find: Find, *, are_kept: bool) -> None:
        self._find = find
        self._are_kept = are_kept

    async def verdict(
        self,
        name: str,
        source: str,
        claim: Claim,
        credentials: CertificateCredentials | TokenCredentials,
        tried: bytes,
    ) -> Verdict:
        """Return the verdict on a proof that says whose it is."""
        if credentials.name and claim.name != name:
            return Verdict("authorization", tried)
        account = Account(name, "", source, "")
        if self._are_kept:
            found = await self._find(name, claim)
            if found is None:
                return Verdict("unknown", tried)
            account = found
        return Verdict(None, tried, account=account)

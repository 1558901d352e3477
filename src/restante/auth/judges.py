"""The judges of every kind of proof, with the sources they judge by.

Who has to wait for a judgement, and what counts it, is not known here: `inprocess` asks for
logins, and a command asks to be told what would come of one.
"""

import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from restante.auth.asking import Asker
from restante.auth.bearers import Accounts, CertificateJudge, TokenJudge, TokenSource
from restante.auth.cache import PasswordCache
from restante.auth.chain import Answers, Chain
from restante.auth.devices.logins import DeviceLogins
from restante.auth.digests import DigestJudge
from restante.auth.judging import Claim, Judge, Verdict
from restante.auth.names import prepare
from restante.auth.neighbourhood import neighbourhood
from restante.auth.options import AuthOptions
from restante.auth.passwords import PasswordJudge
from restante.auth.pool import HashingPool
from restante.auth.salts import Salts
from restante.auth.scram import ScramJudge
from restante.auth.source_types import make_certificate_sources, make_sources, make_token_sources
from restante.auth.sources import NOBODY, Account, Source
from restante.auth.throttle import FRESH
from restante.identity import (
    CertificateCredentials,
    Credentials,
    DigestCredentials,
    PasswordCredentials,
    Peer,
    Question,
    SaltRequest,
    ScramCredentials,
    ScramParameters,
    TokenCredentials,
)
from restante.telemetry import Log


class Judgement(NamedTuple):
    """Whom a proof is for, what came of it, and why it is refused."""

    account: Account | None
    verdict: Verdict
    reason: str | None
    """For the log alone; None: it is not refused, and there is an account."""


class Judges:
    """What says whether a proof is right."""

    def __init__(
        self,
        options: AuthOptions,
        log: Log,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        token_sources: Sequence[TokenSource] | None = None,
        salts: Salts | None = None,
        sources: Sequence[Source] | None = None,
    ) -> None:
        self._default_domain = options.default_domain
        if sources is None:
            sources = make_sources(options, log)
        self.sources = Chain(sources)
        self.devices = DeviceLogins(options.state_directory, sources, log, wall_clock)
        self.cache = PasswordCache(options.cache, clock)
        pool = self._pool = HashingPool(options.hashing.threads, options.hashing.queue)
        salts = salts or Salts(options.state_directory, log)
        self._scram = ScramJudge(options, pool, salts, self.devices)
        known = Accounts(self._whose, are_kept=bool(sources))
        if token_sources is None:
            token_sources = make_token_sources(options, clock, wall_clock)
        self._token_sources = token_sources
        certificate_sources = make_certificate_sources(options, log, wall_clock)
        self._by_kind: dict[type[Any], Judge[Any]] = {
            PasswordCredentials: PasswordJudge(
                options.hashing, pool, self.cache, self.devices, log
            ),
            DigestCredentials: DigestJudge(self.devices),
            ScramCredentials: self._scram,
            CertificateCredentials: CertificateJudge(certificate_sources, known),
            TokenCredentials: TokenJudge(self._token_sources, known),
        }

    def prepared(self, question: Question) -> tuple[str | None, str]:
        """Return the prepared name, None where nobody can have it, and what it is counted under."""
        name = prepare(question.name, self._default_domain)
        return name, name or _uncanonical(question)

    def parameters(self, request: SaltRequest) -> ScramParameters:
        """Return what a name's proofs are to be made with."""
        name, counted = self.prepared(request)
        account = None if name is None else self.sources.look_near(name)
        stand_in = self.sources.decoy(counted)
        return self._scram.parameters(counted, account, stand_in, request.mechanism)

    def at_once(self, name: str, credentials: Credentials, peer: Peer) -> Judgement | None:
        """Return the judgement on a right proof if it needs no wait; None: ask `judge`."""
        account = self.sources.look_near(name)
        acceptable = self.is_acceptable(account, credentials)
        claim = Claim(name, name, account, None, acceptable, peer)
        verdict = self._by_kind[type(credentials)].at_once(claim, credentials)
        return None if verdict is None else Judgement(account, verdict, None)

    async def ask(self, credentials: Credentials, peer: Peer, rank: int) -> Answers:
        """Ask what can be asked about whoever sends a password before it is looked at.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        name, _ = self.prepared(credentials)
        if name is None or not isinstance(credentials, PasswordCredentials):
            return Answers()
        return await self.sources.ask(name, _asker(peer, rank))

    async def judge(
        self,
        credentials: Credentials,
        peer: Peer,
        rank: int = FRESH,
        answers: Answers | None = None,
    ) -> tuple[Claim, Judgement]:
        """Return whom a proof was to prove, and the judgement on it.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        name, counted = self.prepared(credentials)
        account = None
        if name is not None and isinstance(credentials, PasswordCredentials):
            asker, password = _asker(peer, rank), credentials.password
            account = await self.sources.find(name, password, asker, answers)
        elif name is not None:
            account = self.sources.look_near(name)
        # Looked up for everybody, so that the time tells nobody apart.
        stand_in = self.sources.decoy(counted)
        acceptable = self.is_acceptable(account, credentials)
        claim = Claim(name, counted, account, stand_in, acceptable, peer, rank)
        verdict = await self._by_kind[type(credentials)].judge(claim, credentials)
        account = verdict.account or account
        return claim, Judgement(account, verdict, self._objection(account, verdict, credentials))

    def is_acceptable(self, account: Account | None, credentials: Credentials) -> bool:
        """Say whether a right proof would be enough."""
        # All of it is looked at for everybody.
        somebody = account or NOBODY
        itself = not credentials.authorization_name or self._acts_as_itself(somebody, credentials)
        return itself and not somebody.disabled and account is not None

    async def close(self) -> None:
        """Let go of threads, and write what waits to be."""
        self._pool.close()
        for source in self._token_sources:
            await source.close()
        await self.devices.close()
        await self.sources.close()

    async def _whose(self, name: str, claim: Claim) -> Account | None:
        """Return the account of somebody who was proved, wherever it is looked up."""
        account = await self.sources.find(name, None, _asker(claim.peer, claim.rank))
        return None if account is None or account.proved is False else account

    def _objection(
        self, account: Account | None, verdict: Verdict, credentials: Credentials
    ) -> str | None:
        itself = self._acts_as_itself(account or NOBODY, credentials)
        if verdict.reason is not None:
            return verdict.reason
        if account is None:
            return "unknown"
        if account.disabled:
            return "disabled"
        return None if itself else "authorization"

    def _acts_as_itself(self, account: Account, credentials: Credentials) -> bool:
        """RFC 4422 §3.4.1: empty is oneself; acting for others is granted to nobody."""
        wanted = credentials.authorization_name
        return not wanted or prepare(wanted, self._default_domain) == account.name


def _asker(peer: Peer, rank: int) -> Asker:
    return Asker(neighbourhood(peer.address)[1], rank)


def _uncanonical(question: Question) -> str:
    """Return what a name that nobody can have is counted under: short, and never a real one."""
    digest = blake2b(question.name.encode("utf-8", "surrogatepass"), digest_size=16)
    # Those that say themselves whose they are mostly come without a name.
    if isinstance(question, TokenCredentials):
        digest.update(b"\0" + question.token.reveal())
    elif isinstance(question, CertificateCredentials):
        digest.update(b"\0" + question.certificate)
    return f"?{digest.hexdigest()}"

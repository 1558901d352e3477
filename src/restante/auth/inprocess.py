"""The authenticator itself: sources, hashes, cache and throttle, on one event loop.

The auth process is this behind a socket; a library, the demo's tests and the contract suite use it
as it is. Whoever does not exist costs what somebody does: the same lookups, the same kind of hash,
the same words.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from typing import Any

from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.bearers import (
    Accounts,
    CertificateJudge,
    CertificateSource,
    TokenJudge,
    TokenSource,
)
from restante.auth.cache import PasswordCache
from restante.auth.certificates import CertificateNames
from restante.auth.devices.logins import DeviceLogins
from restante.auth.digests import DigestJudge
from restante.auth.gate import Gate
from restante.auth.judging import Claim, Judge, Verdict, identity_of
from restante.auth.messages import Login
from restante.auth.names import prepare
from restante.auth.neighbourhood import neighbourhood, parse_network
from restante.auth.options import AuthOptions
from restante.auth.passwd_file import PasswdFile
from restante.auth.passwords import PasswordJudge
from restante.auth.pool import HashingPool
from restante.auth.regulars import Regular, Regulars
from restante.auth.salts import Salts, Unproved
from restante.auth.scram import ScramJudge
from restante.auth.sources import NOBODY, Account, Chain, Source
from restante.auth.throttle import Throttle
from restante.auth.turns import BUSY
from restante.auth.verifiable import verifies
from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.identity import (
    CertificateCredentials,
    Credentials,
    DigestCredentials,
    Identity,
    PasswordCredentials,
    Peer,
    Question,
    SaltRequest,
    ScramCredentials,
    ScramParameters,
    TokenCredentials,
)
from restante.telemetry import Log


class InProcessAuthenticator:
    """An authenticator in the process that asks it."""

    def __init__(
        self,
        options: AuthOptions,
        log: Log,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall_clock: Callable[[], float] = time.time,
        token_sources: Sequence[TokenSource] = (),
    ) -> None:
        self._options = options
        self._log = log
        sources = make_sources(options, log)
        self._sources = Chain(sources)
        self._devices = DeviceLogins(options.state_directory, sources, log, wall_clock)
        self._regulars = Regulars(self._sources)
        self._cache = PasswordCache(options.cache, clock)
        self._throttle = Throttle(options.throttle, clock)
        self._gate = Gate(self._throttle, log, sleep)
        self._pool = HashingPool(options.hashing.threads, options.hashing.queue)
        self._scram = ScramJudge(options, self._pool, Salts(options.state_directory, log))
        self._unproved = Unproved(clock)
        known = Accounts(self._sources.look_up, are_kept=bool(sources))
        self._judges: dict[type[Any], Judge[Any]] = {
            PasswordCredentials: PasswordJudge(
                options.hashing, self._pool, self._cache, self._devices, log
            ),
            DigestCredentials: DigestJudge(self._devices),
            ScramCredentials: self._scram,
            CertificateCredentials: CertificateJudge(make_certificate_sources(options, log), known),
            TokenCredentials: TokenJudge(token_sources, known),
        }

    async def authenticate(self, credentials: Credentials, peer: Peer) -> Identity:
        """Return who the credentials prove to be; see the contract."""
        if type(credentials) not in self._judges:
            raise AuthenticationFailed(reason="mechanism")
        identity = self.authenticate_at_once(credentials, peer)
        if identity is not None:
            return identity
        name = prepare(credentials.name, self._options.default_domain)
        counted = name or _uncanonical(credentials)
        async with self._gate.passed(counted, credentials, peer):
            claim = self._claim(name, counted, credentials, peer)
            account, verdict, reason = await self._judge(claim, credentials)
            if reason is not None or account is None:
                exists = claim.account is not None
                self._throttle.failed(peer.address, counted, verdict.tried, exists=exists)
                raise AuthenticationFailed(reason=reason)
            return self._admit(account, verdict, credentials, peer)

    async def salt(self, request: SaltRequest, peer: Peer) -> ScramParameters:
        """Return the parameters of a name; see the contract."""
        return self.salt_at_once(request, peer)

    def salt_at_once(self, request: SaltRequest, peer: Peer) -> ScramParameters:
        """Return the parameters of a name, without a wait.

        Raises:
            TemporaryFailure: nobody can say now, or this address asked too often for nothing.
        """
        if not self._unproved.ask(neighbourhood(peer.address)[0]):
            raise TemporaryFailure(BUSY)
        name = prepare(request.name, self._options.default_domain)
        counted = name or _uncanonical(request)
        account = None if name is None else self._sources.look_up(name)
        stand_in = self._sources.decoy(counted)
        return self._scram.parameters(counted, account, stand_in, request.mechanism)

    def authenticate_at_once(self, credentials: Credentials, peer: Peer) -> Identity | None:
        """Return the identity if that needs no hash and no wait; None: call `authenticate`.

        A network that is suspected has to wait for its turn even with the right proof, or
        guessing in parallel would tell the right one by its speed.
        """
        name = prepare(credentials.name, self._options.default_domain)
        if name is None or not self._throttle.lets_by(peer.address, name):
            return None
        if isinstance(credentials, PasswordCredentials):
            return self._recall(name, credentials, peer)
        judge = self._judges.get(type(credentials))
        if judge is None:
            return None
        account = self._sources.look_up(name)
        acceptable = self._is_acceptable(account, credentials)
        claim = Claim(name, name, account, None, acceptable, peer)
        verdict = judge.at_once(claim, credentials)
        if verdict is None or account is None:
            return None
        return self._admit(account, verdict, credentials, peer)

    def _recall(self, name: str, credentials: PasswordCredentials, peer: Peer) -> Identity | None:
        """Return the identity if the cache knows the password: what most logins come down to."""
        account = self._sources.look_up(name)
        # Begun for everybody, so that the time tells nobody apart.
        begun, mechanism = self._cache.begin(account or NOBODY), credentials.mechanism
        device = self._cache.recall(begun, credentials.password.reveal())
        if device is None or self._devices.objection(device, peer.address, mechanism) is not None:
            return None
        if account is None or not self._is_acceptable(account, credentials):
            return None
        self._throttle.succeeded(peer.address, name)
        self._devices.note(device, peer.address, mechanism)
        regular = Regular(Identity(account.name, account.source, account.mailbox), begun)
        self._regulars.add(credentials.name.encode(), regular)
        return regular.using(device).identity

    def refresh(self) -> None:
        """Have `recognise` know of every change until now."""
        self._regulars.refresh()

    def recognise(self, login: Login) -> Regular | None:
        """Return who this is at the least cost; None: ask `authenticate_at_once`.

        What was sent after the last `refresh` must not be asked for here.
        """
        name, authorization_name, address, by, _, password = login
        regular = self._regulars.get(name)
        if regular is None or authorization_name:
            return None
        try:
            host, mechanism = address.decode("ascii"), by.decode("ascii")
        except UnicodeDecodeError:
            return None
        account = regular.identity.name
        if not self._throttle.lets_by(host, account):
            return None
        device = self._cache.recall(regular.begun, password)
        if device is None or self._devices.objection(device, host, mechanism) is not None:
            return None
        self._throttle.succeeded(host, account)
        self._devices.note(device, host, mechanism)
        return regular.using(device)

    @property
    def throttle(self) -> Throttle:
        """What is remembered of failed logins, for whoever writes it down or shows it."""
        return self._throttle

    def forgive(self, target: str | None) -> int:
        """Forget what an address, a network or an account failed at; None: everything.

        Returns how many addresses, networks and accounts had something held against them.
        """
        if target is None:
            return self._gate.forgive_all()
        network = parse_network(target)
        if network is not None:
            return self._gate.forgive(network=network)
        account = prepare(target, self._options.default_domain)
        return 0 if account is None else self._gate.forgive(account=account)

    async def close(self) -> None:
        """Let go of threads, and write what waits to be."""
        self._pool.close()
        await self._devices.close()

    def _claim(self, name: str | None, counted: str, credentials: Credentials, peer: Peer) -> Claim:
        account = None if name is None else self._sources.look_up(name)
        # Looked up for everybody, so that the time tells nobody apart.
        stand_in = self._sources.decoy(counted)
        acceptable = self._is_acceptable(account, credentials)
        rank = self._throttle.rank(peer.address, counted)
        return Claim(name, counted, account, stand_in, acceptable, peer, rank)

    async def _judge(
        self, claim: Claim, credentials: Credentials
    ) -> tuple[Account | None, Verdict, str | None]:
        """Return who is meant, what came of the proof, and why it is refused, if it is."""
        verdict = await self._judges[type(credentials)].judge(claim, credentials)
        account, reason = verdict.account or claim.account, verdict.reason
        if account is None:
            return None, verdict, reason or "unknown"
        if reason is None and account.disabled:
            reason = "disabled"
        if reason is None and not self._acts_as_itself(account, credentials):
            reason = "authorization"
        return account, verdict, reason

    def _admit(
        self, account: Account, verdict: Verdict, credentials: Credentials, peer: Peer
    ) -> Identity:
        if verdict.remember is not None:
            verdict.remember()
        if verdict.server_signature:
            self._unproved.prove(neighbourhood(peer.address)[0])
        self._throttle.succeeded(peer.address, account.name)
        self._devices.note(verdict.device, peer.address, credentials.mechanism)
        return identity_of(account, verdict)

    def _is_acceptable(self, account: Account | None, credentials: Credentials) -> bool:
        return (
            account is not None
            and not account.disabled
            and self._acts_as_itself(account, credentials)
        )

    def _acts_as_itself(self, account: Account, credentials: Credentials) -> bool:
        """RFC 4422 §3.4.1: empty is oneself; acting for others is granted to nobody."""
        wanted = credentials.authorization_name
        return not wanted or prepare(wanted, self._options.default_domain) == account.name


def _uncanonical(question: Question) -> str:
    """Return what a name that nobody can have is counted under: short, and never a real one."""
    digest = blake2b(question.name.encode("utf-8", "surrogatepass"), digest_size=16)
    # Those that say themselves whose they are mostly come without a name.
    if isinstance(question, TokenCredentials):
        digest.update(b"\0" + question.token.reveal())
    elif isinstance(question, CertificateCredentials):
        digest.update(b"\0" + question.certificate)
    return f"?{digest.hexdigest()}"


def make_certificate_sources(options: AuthOptions, log: Log) -> Sequence[CertificateSource]:
    """Return the sources that the options name for certificates, in their order."""
    return [
        CertificateNames(source, options.default_domain, log)
        for source in options.sources
        if source.type == "certificate"
    ]


def make_sources(options: AuthOptions, log: Log) -> Sequence[Source]:
    """Return the sources of accounts that the options name, in their order."""
    sources: list[Source] = []
    for source in options.sources:
        verified = verifies(source, options.hashing)
        if source.type == "passwd-file":
            assert source.path is not None
            sources.append(PasswdFile(source.path, options.default_domain, log, verifies=verified))
        elif source.type == "accounts":
            sources.append(AccountsDatabase(options.state_directory / FILE_NAME, verified))
    return sources

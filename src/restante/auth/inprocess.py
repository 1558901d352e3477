"""The authenticator itself: judges, cache and throttle, on one event loop.

The auth process is this behind a socket; a library, the demo's tests and the contract suite use it
as it is. Whoever does not exist costs what somebody does: the same lookups, the same kind of hash,
the same words.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from restante.auth.bearers import TokenSource
from restante.auth.chain import Answers
from restante.auth.devices.device import ITSELF
from restante.auth.floor import Floor
from restante.auth.gate import Gate
from restante.auth.judges import Judges
from restante.auth.judging import Verdict, identity_of, tried
from restante.auth.messages import Login
from restante.auth.names import prepare
from restante.auth.neighbourhood import neighbourhood, parse_network
from restante.auth.options import AuthOptions
from restante.auth.regulars import Regular, Regulars
from restante.auth.salts import Unproved
from restante.auth.sources import NOBODY, Account, Source, Unasked
from restante.auth.throttle import Throttle
from restante.auth.turns import BUSY
from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.identity import (
    CertificateCredentials,
    Credentials,
    Identity,
    PasswordCredentials,
    Peer,
    SaltRequest,
    ScramCredentials,
    ScramParameters,
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
        token_sources: Sequence[TokenSource] | None = None,
        sources: Sequence[Source] | None = None,
    ) -> None:
        """Begin; `sources` are asked for accounts in place of those that the options name."""
        self._default_domain = options.default_domain
        self._clock, self._sleep = clock, sleep
        self._judges = Judges(
            options,
            log,
            clock=clock,
            wall_clock=wall_clock,
            token_sources=token_sources,
            sources=sources,
        )
        self._sources, self._cache = self._judges.sources, self._judges.cache
        self._devices = self._judges.devices
        self._regulars = Regulars(self._sources)
        self._throttle = Throttle(options.throttle, clock)
        self._gate = Gate(self._throttle, log, sleep)
        self._unproved = Unproved(clock)

    async def authenticate(self, credentials: Credentials, peer: Peer) -> Identity:
        """Return who the credentials prove to be; see the contract."""
        identity = self.authenticate_at_once(credentials, peer)
        return identity or await self.look_into(credentials, peer)

    async def look_into(self, credentials: Credentials, peer: Peer) -> Identity:
        """Return who was proved by what `authenticate_at_once` has said nothing about."""
        floor = Floor(self._sources.floor_seconds, self._clock, self._sleep)
        try:
            return await self._wait(credentials, peer, floor)
        except AuthenticationFailed:
            await floor.fill()
            raise

    async def _wait(self, credentials: Credentials, peer: Peer, floor: Floor) -> Identity:
        """Wait for what a judgement takes, and return who was proved."""
        name, counted = self._judges.prepared(credentials)
        # What was found right at once would be answered by now: whoever waits has been told no.
        told = name is not None and self._throttle.spares(peer.address, name)
        try:
            rank = self._throttle.rank(peer.address, counted)
            with floor.counted():
                answers = await self._judges.ask(credentials, peer, rank)
            by_certificate = isinstance(credentials, CertificateCredentials)
            apart = answers.wants_password or (by_certificate and self._sources.asks)
            async with self._gate.passed(counted, credentials, peer, apart=apart):
                told = True
                with floor.counted():
                    return await self._judged(counted, credentials, peer, answers)
        except asyncio.CancelledError:
            if told:
                self._throttle.withdrawn(peer.address, counted, tried(credentials))
            raise

    async def _judged(
        self, counted: str, credentials: Credentials, peer: Peer, answers: Answers
    ) -> Identity:
        rank = self._throttle.rank(peer.address, counted)
        claim, judgement = await self._judges.judge(credentials, peer, rank, answers)
        account, verdict, reason = judgement
        if reason is not None or account is None:
            # Whoever is refused by a source that says no more may not be there at all.
            exists = claim.account is not None and claim.account.proved is not False
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
        return self._judges.parameters(request)

    def authenticate_at_once(self, credentials: Credentials, peer: Peer) -> Identity | None:
        """Return the identity if that needs no hash and no wait; None: call `look_into`.

        A network that is suspected has to wait for its turn even with the right proof, or
        guessing in parallel would tell the right one by its speed.
        """
        name = prepare(credentials.name, self._default_domain)
        if name is None or not self._throttle.lets_by(peer.address, name):
            return None
        identity = self._at_once(name, credentials, peer)
        if identity is None and isinstance(credentials, PasswordCredentials | ScramCredentials):
            self._throttle.missed(peer.address, name)
        return identity

    def _at_once(self, name: str, credentials: Credentials, peer: Peer) -> Identity | None:
        if isinstance(credentials, PasswordCredentials):
            return self._recall(name, credentials, peer)
        judgement = self._judges.at_once(name, credentials, peer)
        if judgement is None or judgement.account is None:
            return None
        return self._admit(judgement.account, judgement.verdict, credentials, peer)

    def _recall(self, name: str, credentials: PasswordCredentials, peer: Peer) -> Identity | None:
        """Return the identity if the cache knows the password: what most logins come down to."""
        try:
            account = self._sources.look_up(name)
        except Unasked:
            return None
        # Begun for everybody, so that the time tells nobody apart.
        begun = self._cache.begin(account or NOBODY)
        device = self._cache.recall(begun, credentials.password.reveal())
        if device is None or account is None:
            return None
        if not self._judges.is_acceptable(account, credentials):
            return None
        if not self._devices.admit(device, peer.address, credentials.mechanism):
            return None
        self._throttle.succeeded(peer.address, name)
        regular = Regular(Identity(account.name, account.source, account.mailbox), begun)
        if self._sources.lasts(account):
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
            host = address.decode("ascii")
        except UnicodeDecodeError:
            return None
        account = regular.identity.name
        if not self._throttle.lets_by(host, account):
            return None
        device = self._cache.recall(regular.begun, password)
        if device is not ITSELF:
            if device is None or not self._devices.admit(device, host, by.decode("latin-1")):
                return None
            regular = regular.using(device)
        self._throttle.succeeded(host, account)
        return regular

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
        account = prepare(target, self._default_domain)
        return 0 if account is None else self._gate.forgive(account=account)

    async def close(self) -> None:
        """Let go of threads, and write what waits to be."""
        await self._judges.close()

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

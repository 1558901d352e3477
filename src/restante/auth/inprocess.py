"""The authenticator itself: sources, hashes, cache and throttle, on one event loop.

The auth process is this behind a socket; a library, the demo's tests and the contract suite use it
as it is. Whoever does not exist costs what somebody does: the same lookups, the same kind of hash,
the same words.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from hashlib import blake2b

from restante.auth import hashes
from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.cache import PasswordCache
from restante.auth.gate import Gate
from restante.auth.messages import Login
from restante.auth.names import prepare
from restante.auth.options import AuthOptions
from restante.auth.passwd_file import PasswdFile
from restante.auth.pool import HashingPool
from restante.auth.regulars import Regular, Regulars
from restante.auth.sources import Account, Chain, Source
from restante.auth.throttle import Throttle
from restante.errors import AuthenticationFailed, TemporaryFailure
from restante.identity import (
    Credentials,
    Identity,
    PasswordCredentials,
    Peer,
    SaltRequest,
    ScramParameters,
)
from restante.telemetry import Event, Log


class InProcessAuthenticator:
    """An authenticator in the process that asks it."""

    def __init__(
        self,
        options: AuthOptions,
        log: Log,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._options = options
        self._log = log
        self._sources = Chain(make_sources(options, log))
        self._regulars = Regulars(self._sources)
        self._cache = PasswordCache(options.cache, clock)
        self._throttle = Throttle(options.throttle, clock)
        self._gate = Gate(self._throttle, log, sleep)
        self._pool = HashingPool(options.hashing.threads, options.hashing.queue)
        self._dummy = hashes.dummy(options.hashing)

    async def authenticate(self, credentials: Credentials, peer: Peer) -> Identity:
        """Return who the credentials prove to be; see the contract."""
        if not isinstance(credentials, PasswordCredentials):
            raise AuthenticationFailed(reason="mechanism")
        identity = self.authenticate_at_once(credentials, peer)
        if identity is not None:
            return identity
        name = prepare(credentials.name, self._options.default_domain)
        counted = name or _uncanonical(credentials.name)
        async with self._gate.passed(counted, credentials, peer):
            return await self._verify(name, credentials, peer)

    async def salt(self, request: SaltRequest, peer: Peer) -> ScramParameters:
        """Return the parameters of a name; see the contract."""
        raise TemporaryFailure(reason="SCRAM")

    def authenticate_at_once(self, credentials: PasswordCredentials, peer: Peer) -> Identity | None:
        """Return the identity if that needs no hash and no wait; None: call `authenticate`.

        A network that is suspected has to wait for its turn even with the right password, or
        guessing in parallel would tell the right one by its speed.
        """
        name = prepare(credentials.name, self._options.default_domain)
        if name is None or not self._throttle.lets_by(peer.address, name):
            return None
        account = self._sources.look_up(name)
        if account is None or account.disabled or not self._acts_as_itself(account, credentials):
            return None
        begun = self._cache.begin(account)
        if not self._cache.knows(begun, credentials.password.reveal()):
            return None
        self._throttle.succeeded(peer.address, name)
        identity = _identity(account)
        self._regulars.add(credentials.name.encode(), Regular(identity, begun))
        return identity

    def refresh(self) -> None:
        """Have `recognise` know of every change until now."""
        self._regulars.refresh()

    def recognise(self, login: Login) -> Regular | None:
        """Return who this is at the least cost; None: ask `authenticate_at_once`.

        What was sent after the last `refresh` must not be asked for here.
        """
        name, authorization_name, address, _, _, password = login
        regular = self._regulars.get(name)
        if regular is None or authorization_name:
            return None
        try:
            host = address.decode("ascii")
        except UnicodeDecodeError:
            return None
        account, throttle = regular.identity.name, self._throttle
        if throttle.lets_by(host, account) and self._cache.knows(regular.begun, password):
            throttle.succeeded(host, account)
            return regular
        return None

    async def close(self) -> None:
        """Let go of threads."""
        self._pool.close()

    async def _verify(
        self, name: str | None, credentials: PasswordCredentials, peer: Peer
    ) -> Identity:
        account = None if name is None else self._sources.look_up(name)
        password = credentials.password.reveal()
        if not self._may_skip_hash(account, credentials):
            counted = name or _uncanonical(credentials.name)
            right = await self._is_right(account, counted, password)
            reason = self._refusal(account, credentials, right=right)
            if reason is not None or account is None:
                self._throttle.failed(peer.address, counted, password, exists=account is not None)
                raise AuthenticationFailed(reason=reason)
            self._cache.learn(account, password)
        assert account is not None
        self._throttle.succeeded(peer.address, account.name)
        return _identity(account)

    def _may_skip_hash(self, account: Account | None, credentials: PasswordCredentials) -> bool:
        """Say whether this is a success without hashing; a refusal never saves the hash."""
        return (
            account is not None
            and self._refusal(account, credentials, right=True) is None
            and self._cache.knows(self._cache.begin(account), credentials.password.reveal())
        )

    async def _is_right(self, account: Account | None, name: str, password: bytes) -> bool:
        """Compare with what is stored, or with something that costs as much."""
        # Made for everybody, so that making it tells nobody apart.
        stand_ins = [decoy for decoy in (self._sources.decoy(name), self._dummy) if decoy]
        stored = None if account is None else account.stored_password
        try:
            right, complaint = await self._pool.run(partial(_compare, stored, stand_ins, password))
        except MemoryError as error:
            raise TemporaryFailure(reason="not enough memory for a hash") from error
        if complaint is not None and account is not None and not account.disabled:
            self._log(Event.WARNING, reason=complaint, user=account.name)
        return right

    def _refusal(
        self, account: Account | None, credentials: Credentials, *, right: bool
    ) -> str | None:
        """Return why a login is refused, for the log alone; None: it is not."""
        if account is None:
            return "unknown"
        if not right:
            return "password"
        if account.disabled:
            return "disabled"
        if not self._acts_as_itself(account, credentials):
            return "authorization"
        return None

    def _acts_as_itself(self, account: Account, credentials: Credentials) -> bool:
        """RFC 4422 §3.4.1: empty is oneself; acting for others is granted to nobody."""
        wanted = credentials.authorization_name
        return not wanted or prepare(wanted, self._options.default_domain) == account.name


def _compare(
    stored: str | None, stand_ins: Sequence[str], password: bytes
) -> tuple[bool, str | None]:
    """Return whether a password is the stored one, and what is wrong with that one.

    Where nothing is stored, or nothing that can be read, a stand-in is compared in its place.
    """
    complaint: str | None = None
    if stored is not None:
        try:
            return hashes.verify(stored, password), None
        except hashes.UnusableHash as error:
            complaint = str(error)
    for stand_in in stand_ins:
        with suppress(hashes.UnusableHash):
            hashes.verify(stand_in, password)
            break
    return False, complaint


def _uncanonical(name: str) -> str:
    """Return what a name that nobody can have is counted under: short, and never a real one."""
    return f"?{blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def _identity(account: Account) -> Identity:
    return Identity(account.name, account.source, account.mailbox)


def make_sources(options: AuthOptions, log: Log) -> Sequence[Source]:
    """Return the sources that the options name, in their order."""
    sources: list[Source] = []
    for source in options.sources:
        if source.type == "passwd-file":
            assert source.path is not None
            sources.append(PasswdFile(source.path, options.default_domain, log))
        elif source.type == "accounts":
            sources.append(AccountsDatabase(options.state_directory / FILE_NAME))
    return sources

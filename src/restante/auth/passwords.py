"""Passwords, judged: by the cache where they were right before, else by one hash for everybody."""

from contextlib import suppress
from functools import partial

from restante.auth import hashes
from restante.auth.cache import PasswordCache
from restante.auth.judging import Claim, Verdict
from restante.auth.options import HashOptions
from restante.auth.pool import HashingPool
from restante.auth.sources import NOBODY
from restante.errors import TemporaryFailure
from restante.identity import PasswordCredentials
from restante.telemetry import Event, Log


class PasswordJudge:
    """The judge of passwords."""

    def __init__(
        self, options: HashOptions, pool: HashingPool, cache: PasswordCache, log: Log
    ) -> None:
        self._pool = pool
        self._cache = cache
        self._log = log
        self._dummy = hashes.dummy(options)

    def at_once(self, claim: Claim, credentials: PasswordCredentials) -> Verdict | None:
        """Return the verdict on a password that the cache knows to be right."""
        password = credentials.password.reveal()
        begun = self._cache.begin(claim.account or claim.stand_in or NOBODY)
        # A refusal never saves the hash.
        if self._cache.knows(begun, password) and claim.acceptable:
            return Verdict(None, password)
        return None

    async def judge(self, claim: Claim, credentials: PasswordCredentials) -> Verdict:
        """Return the verdict on a password."""
        password, account = credentials.password.reveal(), claim.account
        verdict = self.at_once(claim, credentials)
        if verdict is not None:
            return verdict
        if not await self._is_right(claim, password):
            return Verdict("password", password)
        if account is None:
            return Verdict("unknown", password)
        return Verdict(None, password, remember=partial(self._cache.learn, account, password))

    async def _is_right(self, claim: Claim, password: bytes) -> bool:
        """Compare with what is stored, or with something that costs as much."""
        account, stand_in = claim.account, claim.stand_in
        stored = None if account is None else account.stored_password
        stand_ins = ("" if stand_in is None else stand_in.stored_password, self._dummy)
        work = partial(_compare, stored, stand_ins, password)
        try:
            right, complaint = await self._pool.run(work)
        except MemoryError as error:
            raise TemporaryFailure(reason="not enough memory for a hash") from error
        if complaint is not None and account is not None and not account.disabled:
            self._log(Event.WARNING, reason=complaint, user=account.name)
        return right


def _compare(
    stored: str | None, stand_ins: tuple[str, ...], password: bytes
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

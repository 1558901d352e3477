"""Passwords, judged: by the cache where they were right before, as a device's by a fast digest,
and else by one slow hash for everybody.

A device's password that breaks one of its rules costs that hash as well, and is refused as a wrong
one is.
"""

from contextlib import suppress
from functools import partial

from restante.auth import hashes
from restante.auth.cache import PasswordCache
from restante.auth.devices.device import ITSELF, Device
from restante.auth.devices.logins import DeviceLogins
from restante.auth.judging import Claim, Verdict
from restante.auth.neighbourhood import neighbourhood
from restante.auth.options import HashOptions
from restante.auth.pool import HashingPool
from restante.auth.sources import NOBODY, Account
from restante.errors import TemporaryFailure
from restante.identity import PasswordCredentials
from restante.telemetry import Event, Log


class PasswordJudge:
    """The judge of passwords."""

    def __init__(
        self,
        options: HashOptions,
        pool: HashingPool,
        cache: PasswordCache,
        devices: DeviceLogins,
        log: Log,
    ) -> None:
        self._pool = pool
        self._cache = cache
        self._devices = devices
        self._log = log
        self._dummy = hashes.dummy(options)

    def at_once(self, claim: Claim, credentials: PasswordCredentials) -> Verdict | None:
        """Return the verdict on a password that the cache knows to be right."""
        password = credentials.password.reveal()
        begun = self._cache.begin(claim.account or claim.stand_in or NOBODY)
        device = self._cache.recall(begun, password)
        if device is None or self._objection(claim, device, credentials) is not None:
            return None
        # A refusal never saves the hash.
        return Verdict(None, password, device) if claim.acceptable else None

    async def judge(self, claim: Claim, credentials: PasswordCredentials) -> Verdict:
        """Return the verdict on a password."""
        password, account = credentials.password.reveal(), claim.account
        if account is not None and account.proved is not None:
            return self._as_said(account, password)
        verdict = self.at_once(claim, credentials)
        if verdict is not None:
            return verdict
        device = self._devices.by_password(claim.name, account, password)
        reason = self._objection(claim, device, credentials)
        refused = reason is not None or not claim.acceptable
        if refused and await self._is_right(claim, password):
            device, reason = ITSELF, None
        if account is None:
            return Verdict("unknown", password)
        if reason is not None or device is None:
            return Verdict(reason, password)
        remember = partial(self._cache.learn, account, password, device)
        return Verdict(None, password, device, remember=remember)

    def _as_said(self, account: Account, password: bytes) -> Verdict:
        """Return the verdict that the account's source has come to by itself."""
        if not account.proved:
            return Verdict("password", password)
        return Verdict(None, password, remember=partial(self._cache.learn, account, password))

    def _objection(
        self, claim: Claim, device: Device | None, credentials: PasswordCredentials
    ) -> str | None:
        """Return why a password will not do, for the log; `device` is whose it was found to be."""
        if device is None:
            return "password"
        return self._devices.objection(device, claim.peer.address, credentials.mechanism)

    async def _is_right(self, claim: Claim, password: bytes) -> bool:
        """Compare with what is stored, or with something that costs as much."""
        account, stand_in = claim.account, claim.stand_in
        stored = None if account is None else account.stored_password
        stand_ins = ("" if stand_in is None else stand_in.stored_password, self._dummy)
        work = partial(_compare, stored, stand_ins, password)
        _, network = neighbourhood(claim.peer.address)
        try:
            right, complaint = await self._pool.run(work, network=network, rank=claim.rank)
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

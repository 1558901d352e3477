"""Administration of devices: what the device commands do, on names as people type them."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from restante.auth import scram_verifiers
from restante.auth.administration import Administration
from restante.auth.devices import key, uses, words
from restante.auth.devices.device import (
    Device,
    Mechanism,
    StoredDevice,
    checked_name,
    checked_networks,
)
from restante.auth.devices.table import DeviceTable
from restante.auth.devices.uses import Use
from restante.auth.key_file import UnusableKey
from restante.errors import AccountError
from restante.secret import Secret


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """What an administrator is shown of a device."""

    device: Device
    created_at: int
    last_use: Use | None
    key_usable: bool
    """The key that it was made with is there."""

    def state(self, now: float) -> str:
        """Return whether it lets anybody in: good, expired, or without its key."""
        if not self.key_usable:
            return "without its key"
        expires_at = self.device.expires_at
        return "expired" if expires_at is not None and now >= expires_at else "good"


class DeviceAdministration:
    """The devices of the accounts of a state directory, as an administrator changes them."""

    def __init__(self, accounts: Administration, clock: Callable[[], float] = time.time) -> None:
        self._accounts = accounts
        self._table = DeviceTable(accounts.database)
        self._key_file = key.KeyFile(accounts.state_directory / key.FILE_NAME)
        self._uses = accounts.state_directory / uses.FILE_NAME
        self._clock = clock

    def add(
        self,
        account: str,
        name: str,
        *,
        mechanism: Mechanism = "any",
        networks: tuple[str, ...] = (),
        expires_at: int | None = None,
        read_only: bool = False,
    ) -> Secret:
        """Add a device and return its password, which nobody can be told again.

        Raises:
            AccountError: there is one already, or it cannot be as it is wanted.
        """
        name, within = checked_name(name), checked_networks(networks)
        account, now = self._accounts.show(account).name, int(self._clock())
        if expires_at is not None and expires_at <= now:
            raise AccountError("the device would have expired already")
        made, secret = self._key(), words.make()
        scram = self._scram(account, secret) if mechanism == "any" else ""

        def make(number: int) -> StoredDevice:
            device = Device(number, name, mechanism, within, expires_at, read_only)
            place = key.Place(account, name, number)
            sealed = None if mechanism == "any" else made.seal(place, secret)
            verifier = made.verifier(place, secret)
            return StoredDevice(device, now, made.mark, verifier, sealed, scram)

        self._table.add(account, name, make)
        self._accounts.tell("device added", account, name)
        return words.grouped(secret)

    def list(self, account: str) -> list[DeviceDescription]:
        """Return the devices of an account, by name.

        Raises:
            UnknownAccount: there is no such account.
        """
        stored = self._table.find(self._accounts.show(account).name)
        used = uses.read(self._uses, [each.device.id for each in stored])
        mark = self._mark() if stored else b""
        return [
            DeviceDescription(
                each.device, each.created_at, used.get(each.device.id), each.mark == mark
            )
            for each in stored
        ]

    def revoke(self, account: str, name: str) -> None:
        """Refuse every login of a device from now on, and forget it.

        Raises:
            AccountError: there is none of that name.
        """
        account, name = self._accounts.show(account).name, checked_name(name)
        number = self._table.revoke(account, name)
        uses.forget(self._uses, [number])
        self._accounts.tell("device revoked", account, name)

    def _scram(self, account: str, secret: Secret) -> str:
        """Return the verifiers that go with those of the account."""
        found = self._accounts.database.look_up(account)
        own = [] if found is None else scram_verifiers.read_all(found.scram)
        return " ".join(
            scram_verifiers.make(family, spelling, verifier.iterations, verifier.salt)
            for family, verifier in own
            for spelling in words.spellings(secret)
        )

    def _key(self) -> key.DeviceKey:
        try:
            made = self._key_file.make()
            self._accounts.hand_over(self._key_file.path)
        except (UnusableKey, OSError) as error:
            raise AccountError(f"{self._key_file.path}: {error}") from error
        return made

    def _mark(self) -> bytes:
        """Return the mark of the key; of none where there is none."""
        try:
            return self._key_file.read().mark
        except UnusableKey:
            return b""

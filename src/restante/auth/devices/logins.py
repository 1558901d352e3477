"""Logins of devices, as the authenticator asks about them."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from restante.auth.accounts import AccountsDatabase
from restante.auth.devices import key, uses
from restante.auth.devices.device import Device
from restante.auth.devices.proofs import DeviceProofs
from restante.auth.devices.table import DeviceTable
from restante.auth.sources import Account, Source
from restante.identity import DigestCredentials, ScramCredentials
from restante.telemetry import Log


class DeviceLogins:
    """The devices of whichever source has some: the accounts database, where it is one."""

    def __init__(
        self,
        state_directory: Path,
        sources: Sequence[Source],
        log: Log,
        clock: Callable[[], float] = time.time,
    ) -> None:
        databases = [source for source in sources if isinstance(source, AccountsDatabase)]
        self._sources = {database.name for database in databases}
        find = DeviceTable(databases[0]).find if databases else lambda name: []
        self._proofs = DeviceProofs(find, key.KeyFile(state_directory / key.FILE_NAME), log)
        self._uses = uses.DeviceUses(state_directory / uses.FILE_NAME, log, clock)
        self._clock = clock

    def by_password(
        self, name: str | None, account: Account | None, password: bytes
    ) -> Device | None:
        """Return the device whose password this is; None: it is no device's.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        return self._of(account, self._proofs.by_password(name, password))

    def by_digest(
        self, name: str | None, account: Account | None, credentials: DigestCredentials
    ) -> Device | None:
        """Return the device whose password was digested; None: it was no device's.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        return self._of(account, self._proofs.by_digest(name, credentials))

    def by_scram(
        self, name: str | None, account: Account | None, credentials: ScramCredentials
    ) -> tuple[Device, bytes] | None:
        """Return the device whose password was proved, and the server's signature; None: none's.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        found = self._proofs.by_scram(name, credentials)
        return None if found is None or self._of(account, found[0]) is None else found

    def objection(self, device: Device, address: str, mechanism: str) -> str | None:
        """Return which rule a login breaks, for the log; None: it breaks none."""
        return device.objection(address, mechanism, self._clock())

    def admit(self, device: Device, address: str, mechanism: str) -> bool:
        """Say whether the rules let a login through, and note it if they do."""
        if self.objection(device, address, mechanism) is not None:
            return False
        self.note(device, address, mechanism)
        return True

    def note(self, device: Device, address: str, mechanism: str) -> None:
        """Note that a device has logged in."""
        if device.id:
            self._uses.note(device.id, address, mechanism)

    async def close(self) -> None:
        """Write what was noted."""
        await self._uses.close()

    def _of(self, account: Account | None, device: Device | None) -> Device | None:
        """Return a device if its account is the one that counts.

        A source that is asked before may have the name as well; whose devices those are was looked
        up all the same, so that time tells nothing of it.
        """
        return device if account is not None and account.source in self._sources else None

"""The devices in the accounts database.

Whatever changes the devices of an account gives it another version, as any other change does, and
with that ends what the auth process remembers of its passwords.
"""

from collections.abc import Callable
from typing import Any

from restante.auth import schema
from restante.auth.accounts import AccountsDatabase
from restante.auth.devices.device import Device, StoredDevice
from restante.errors import AccountError

MAXIMUM_DEVICES = 64
"""Of one account: a login by digest may have to try them all."""

_COLUMNS = (
    "id, name, mechanism, networks, expires_at, read_only, created_at, mark, verifier, sealed,"
    " scram"
)
_SELECT = f"SELECT {_COLUMNS} FROM device WHERE account = ? ORDER BY name"  # noqa: S608
_INSERT = f"INSERT INTO device (account, {_COLUMNS}) VALUES (?{', ?' * 11})"  # noqa: S608


class DeviceTable:
    """The devices of all accounts of a database."""

    def __init__(self, database: AccountsDatabase) -> None:
        self._database = database

    def find(self, account: str) -> list[StoredDevice]:
        """Return the devices of an account, by name.

        Raises:
            TemporaryFailure: the database cannot be read.
        """
        rows = self._database.rows(_SELECT, account, since=schema.DEVICES_SINCE)
        return [_stored(row) for row in rows]

    def add(self, account: str, name: str, make: Callable[[int], StoredDevice]) -> None:
        """Add a device, made with the number that it gets.

        Raises:
            AccountError: there is one of its name, no room for another, or no such account.
        """
        with self._database.changing() as connection:
            number = self._database.touch(connection, account)
            select = "SELECT name FROM device WHERE account = ?"
            taken = {row[0] for row in connection.execute(select, (account,))}
            if name in taken:
                raise AccountError(f"{account} has a device {name} already")
            if len(taken) >= MAXIMUM_DEVICES:
                raise AccountError(f"{account} has {MAXIMUM_DEVICES} devices and no room for more")
            connection.execute(_INSERT, (account, *_row(make(number))))

    def revoke(self, account: str, name: str) -> int:
        """Remove a device, and return the number it had.

        Raises:
            AccountError: there is none of that name.
        """
        with self._database.changing() as connection:
            self._database.touch(connection, account)
            delete = "DELETE FROM device WHERE account = ? AND name = ? RETURNING id"
            removed: list[tuple[int]] = connection.execute(delete, (account, name)).fetchall()
            if not removed:
                raise AccountError(f"{account} has no device {name}")
            return removed[0][0]


def _stored(row: tuple[Any, ...]) -> StoredDevice:
    number, name, mechanism, networks, expires_at, read_only, *rest = row
    device = Device(number, name, mechanism, networks, expires_at, bool(read_only))
    return StoredDevice(device, *rest)


def _row(stored: StoredDevice) -> tuple[Any, ...]:
    device = stored.device
    return (
        device.id,
        device.name,
        device.mechanism,
        device.networks,
        device.expires_at,
        device.read_only,
        stored.created_at,
        stored.mark,
        stored.verifier,
        stored.sealed,
        stored.scram,
    )

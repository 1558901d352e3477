"""The devices in the accounts database: found at once, gone with their account."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restante.auth import schema
from restante.auth.accounts import AccountsDatabase
from restante.auth.devices.device import Device, StoredDevice
from restante.auth.devices.table import MAXIMUM_DEVICES, DeviceTable
from restante.errors import AccountError, TemporaryFailure, UnknownAccount


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[AccountsDatabase]:
    """A database with one account."""
    database = AccountsDatabase(path)
    database.add("bob", "{PLAIN}secret")
    yield database
    database.close()


@pytest.fixture
def table(database: AccountsDatabase) -> DeviceTable:
    return DeviceTable(database)


def named(name: str) -> Callable[[int], StoredDevice]:
    return lambda number: StoredDevice(Device(number, name), 1, b"mark", b"verifier")


def version(database: AccountsDatabase) -> str:
    account = database.look_up("bob")
    assert account is not None
    return account.version


def test_a_device_is_found_as_it_was_added(table: DeviceTable) -> None:
    def make(number: int) -> StoredDevice:
        device = Device(number, "laptop", "apop", "192.0.2.0/24", 1_000, True)
        return StoredDevice(device, 99, b"mark", b"verifier", b"sealed")

    table.add("bob", "laptop", make)
    (found,) = table.find("bob")
    assert found == make(found.device.id)
    assert table.find("anna") == []


def test_every_change_gives_the_account_another_version(
    database: AccountsDatabase, table: DeviceTable
) -> None:
    versions = [version(database)]
    table.add("bob", "laptop", named("laptop"))
    versions.append(version(database))
    table.revoke("bob", "laptop")
    versions.append(version(database))
    assert len(set(versions)) == 3
    assert table.find("bob") == []


def test_a_number_is_given_once(table: DeviceTable) -> None:
    numbers = set()
    for _ in range(3):
        table.add("bob", "laptop", named("laptop"))
        numbers.add(table.revoke("bob", "laptop"))
    assert len(numbers) == 3


def test_names_are_given_once_an_account(database: AccountsDatabase, table: DeviceTable) -> None:
    database.add("anna", "{PLAIN}secret")
    table.add("bob", "laptop", named("laptop"))
    table.add("anna", "laptop", named("laptop"))
    before = version(database)
    with pytest.raises(AccountError, match="bob has a device laptop already"):
        table.add("bob", "laptop", named("laptop"))
    assert version(database) == before


def test_there_is_a_bound(table: DeviceTable) -> None:
    for number in range(MAXIMUM_DEVICES):
        table.add("bob", f"{number}", named(f"{number}"))
    with pytest.raises(AccountError, match="no room for more"):
        table.add("bob", "one more", named("one more"))
    assert len(table.find("bob")) == MAXIMUM_DEVICES


def test_there_has_to_be_an_account(table: DeviceTable) -> None:
    with pytest.raises(UnknownAccount):
        table.add("anna", "laptop", named("laptop"))
    with pytest.raises(UnknownAccount):
        table.revoke("anna", "laptop")


def test_what_there_is_not_cannot_be_revoked(table: DeviceTable) -> None:
    with pytest.raises(AccountError, match="bob has no device laptop"):
        table.revoke("bob", "laptop")


def test_devices_go_with_their_account(database: AccountsDatabase, table: DeviceTable) -> None:
    table.add("bob", "laptop", named("laptop"))
    database.remove("bob")
    database.add("bob", "{PLAIN}another")
    assert table.find("bob") == []


def test_before_the_first_account_there_are_none(path: Path) -> None:
    assert DeviceTable(AccountsDatabase(path)).find("bob") == []


def test_a_database_of_an_older_program_has_none(path: Path) -> None:
    connection = sqlite3.connect(path)
    for statement in schema._STEPS[0]:
        connection.execute(statement)
    connection.execute("INSERT INTO account VALUES ('bob', '{PLAIN}secret', 0, NULL, 1, 1)")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    table = DeviceTable(AccountsDatabase(path))
    assert table.find("bob") == []
    table.add("bob", "laptop", named("laptop"))
    assert len(table.find("bob")) == 1


def test_a_database_that_cannot_be_read_is_no_refusal(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(TemporaryFailure):
        DeviceTable(AccountsDatabase(path)).find("bob")

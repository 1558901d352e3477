"""Administration of devices: what is added is told once and kept in no form that could be read."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.auth.administration import Administration
from restante.auth.devices import uses, words
from restante.auth.devices.administration import DeviceAdministration
from restante.auth.devices.device import Mechanism
from restante.auth.devices.key import FILE_NAME
from restante.auth.devices.uses import Use
from restante.errors import AccountError, UnknownAccount
from restante.secret import Secret
from unit.auth.scene import Clock, options


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def accounts(state: Path) -> Iterator[Administration]:
    accounts = Administration(options(state))
    accounts.add("bob", Secret(b"secret"))
    yield accounts
    accounts.close()


@pytest.fixture
def devices(accounts: Administration) -> DeviceAdministration:
    return DeviceAdministration(accounts, Clock())


def test_a_device_is_shown_without_its_password(devices: DeviceAdministration) -> None:
    secret = devices.add(
        "Bob", "laptop", networks=("192.0.2.0/24",), expires_at=2_000, read_only=True
    )
    (found,) = devices.list("BOB")
    device = found.device
    assert (device.name, device.mechanism) == ("laptop", "any")
    assert (device.networks, device.expires_at, device.read_only) == ("192.0.2.0/24", 2_000, True)
    assert (found.created_at, found.last_use, found.state(1_999.0)) == (1_000, None, "good")
    assert found.state(2_000.0) == "expired"
    assert secret.reveal().decode() not in repr(found)


@pytest.mark.parametrize("mechanism", ["any", "apop", "cram-md5"])
def test_no_file_shows_a_password(
    devices: DeviceAdministration, state: Path, mechanism: Mechanism
) -> None:
    """Neither in a form that people type, nor the octets of it, nor what the key would open."""
    secret = devices.add("bob", "laptop", mechanism=mechanism)
    spellings = words.spellings(words.read(secret.reveal()) or secret)
    files = [path for path in state.rglob("*") if path.is_file()]
    assert files
    for path in files:
        octets = path.read_bytes()
        for spelling in spellings:
            assert spelling not in octets, path
            assert spelling.hex().encode() not in octets, path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_needs_no_sealing_is_not_sealed(
    accounts: Administration, devices: DeviceAdministration
) -> None:
    devices.add("bob", "laptop")
    devices.add("bob", "old", mechanism="apop")
    stored = {each.device.name: each.sealed is not None for each in devices._table.find("bob")}
    assert stored == {"laptop": False, "old": True}


def test_a_revoked_device_leaves_nothing(devices: DeviceAdministration, state: Path) -> None:
    devices.add("bob", "laptop")
    (found,) = devices.list("bob")
    uses.write(state / uses.FILE_NAME, {found.device.id: Use(1_500, "192.0.2.1", "USER")})
    assert devices.list("bob")[0].last_use == Use(1_500, "192.0.2.1", "USER")
    devices.revoke("bob", "laptop")
    assert devices.list("bob") == []
    assert uses.read(state / uses.FILE_NAME, [found.device.id]) == {}


def test_a_lost_key_is_shown_and_a_new_one_made_with_the_next_device(
    devices: DeviceAdministration, state: Path
) -> None:
    devices.add("bob", "laptop")
    state.joinpath(FILE_NAME).unlink()
    assert [each.state(0.0) for each in devices.list("bob")] == ["without its key"]
    devices.add("bob", "phone")
    shown = {each.device.name: each.state(0.0) for each in devices.list("bob")}
    assert shown == {"laptop": "without its key", "phone": "good"}


def test_a_damaged_key_is_not_replaced(devices: DeviceAdministration, state: Path) -> None:
    state.joinpath(FILE_NAME).write_text("damaged\n")
    with pytest.raises(AccountError, match="damaged"):
        devices.add("bob", "laptop")
    assert state.joinpath(FILE_NAME).read_text() == "damaged\n"
    assert devices.list("bob") == []


def test_what_cannot_be_is_refused(devices: DeviceAdministration, state: Path) -> None:
    with pytest.raises(UnknownAccount):
        devices.add("anna", "laptop")
    with pytest.raises(UnknownAccount):
        devices.list("anna")
    with pytest.raises(AccountError, match="expired already"):
        devices.add("bob", "laptop", expires_at=1_000)
    with pytest.raises(AccountError, match="name of a device"):
        devices.add("bob", "")
    with pytest.raises(AccountError, match="network: "):
        devices.add("bob", "laptop", networks=("home",))
    with pytest.raises(AccountError, match="no device laptop"):
        devices.revoke("bob", "laptop")
    assert not state.joinpath(FILE_NAME).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_key_is_the_auth_process_s_own(state: Path) -> None:
    accounts = Administration(options(state), "nobody")
    accounts.add("bob", Secret(b"secret"))
    DeviceAdministration(accounts).add("bob", "laptop")
    accounts.close()
    owner = state.joinpath("auth/accounts.sqlite").stat().st_uid
    assert owner != 0
    assert state.joinpath(FILE_NAME).stat().st_uid == owner

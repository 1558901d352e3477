"""Administration: what the account commands make of names and passwords as people type them."""

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from restante.auth.administration import LONGEST_PASSWORD_OCTETS, Administration
from restante.auth.devices import uses
from restante.auth.devices.administration import DeviceAdministration
from restante.auth.hashes import verify
from restante.auth.options import ScramFamily
from restante.errors import AccountError, UnknownAccount
from restante.secret import Secret
from restante.telemetry import Event, RecordingLog
from unit.auth.scene import CHEAP, options
from unit.auth.test_names import HOSTILE

PASSWORD = Secret(b"secret")


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Administration]:
    administration = Administration(options(tmp_path / "state", default_domain="example.org"))
    yield administration
    administration.close()


def stored(accounts: Administration, name: str) -> str:
    account = accounts.database.look_up(name)
    assert account is not None
    return account.stored_password


def test_names_are_prepared_as_at_a_login(accounts: Administration) -> None:
    assert accounts.add("Bob", PASSWORD) == "bob@example.org"
    assert accounts.show("BOB").name == "bob@example.org"
    assert accounts.show("bob@EXAMPLE.org").name == "bob@example.org"
    assert accounts.check_new("carol") == "carol@example.org"
    for again in ("bob", "BOB@example.org"):
        with pytest.raises(AccountError, match=r"account bob@example\.org already"):
            accounts.add(again, PASSWORD)
        with pytest.raises(AccountError, match="already"):
            accounts.check_new(again)


@pytest.mark.parametrize("wanted", [(), ("SCRAM-SHA-256",), ("SCRAM-SHA-256", "SCRAM-SHA-1")])
def test_verifiers_of_scram_are_kept_for_what_the_setting_names(
    tmp_path: Path, wanted: tuple[ScramFamily, ...]
) -> None:
    hashing = replace(CHEAP, scram=wanted, scram_iterations=5_000)
    with closing(Administration(options(tmp_path / "state", hashing=hashing))) as accounts:
        accounts.add("bob", Secret("\u2168".encode()))
        for _ in range(2):
            account = accounts.database.look_up("bob")
            assert account is not None
            texts = account.scram.split()
            assert [text.partition("}")[0] for text in texts] == [f"{{{each}" for each in wanted]
            assert all("}5000," in text for text in texts)
            # Prepared, as a client does.
            assert all(verify(text, b"IX") for text in texts)
            accounts.set_password("bob", Secret(b"IX"))


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.isprintable()])
def test_nobody_gets_a_hostile_name(accounts: Administration, name: str) -> None:
    with pytest.raises(AccountError, match="cannot be the name of an account"):
        accounts.add(name, PASSWORD)
    assert accounts.list() == []


def test_an_error_shows_a_hostile_name_escaped(accounts: Administration) -> None:
    with pytest.raises(AccountError) as caught:
        accounts.show("bob\x1b]0;owned\x07")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        (b"", "empty"),
        (b"x" * (LONGEST_PASSWORD_OCTETS + 1), "longer than 248 octets"),
        (b"a\r\nb", "control character"),
        (b"a\0b", "control character"),
        (b"a\x7fb", "control character"),
    ],
)
def test_a_password_that_no_client_could_send(
    accounts: Administration, password: bytes, words: str
) -> None:
    with pytest.raises(AccountError, match=words) as caught:
        accounts.add("bob", Secret(password))
    if password:
        assert repr(password)[2:-1] not in str(caught.value)
    accounts.add("bob", PASSWORD)
    with pytest.raises(AccountError, match=words):
        accounts.set_password("bob", Secret(password))
    assert verify(stored(accounts, "bob@example.org"), b"secret")


def test_the_longest_password(accounts: Administration) -> None:
    accounts.add("bob", Secret(b"x" * LONGEST_PASSWORD_OCTETS))
    assert verify(stored(accounts, "bob@example.org"), b"x" * LONGEST_PASSWORD_OCTETS)


def test_the_life_of_an_account(accounts: Administration, tmp_path: Path) -> None:
    accounts.add("bob", PASSWORD, tmp_path / "mail")
    assert accounts.show("bob").mailbox == str(tmp_path / "mail")
    accounts.set_password("Bob", Secret(b"other"))
    assert verify(stored(accounts, "bob@example.org"), b"other")
    accounts.disable("Bob")
    assert accounts.show("bob").disabled
    accounts.enable("Bob")
    assert not accounts.show("bob").disabled
    accounts.remove("Bob")
    assert accounts.list() == []
    for command in (accounts.show, accounts.disable, accounts.enable, accounts.remove):
        with pytest.raises(UnknownAccount):
            command("bob")


def test_passwords_cost_what_is_set(accounts: Administration) -> None:
    accounts.add("bob", PASSWORD)
    assert "m=8,t=1,p=1" in stored(accounts, "bob@example.org")


def test_the_folder_is_for_the_auth_process_alone(accounts: Administration, tmp_path: Path) -> None:
    accounts.add("bob", PASSWORD)
    folder = tmp_path / "state" / "auth"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "accounts.sqlite").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to give files away")
def test_what_root_makes_belongs_to_the_auth_process(tmp_path: Path) -> None:
    owner = pwd.getpwnam("nobody")
    accounts = Administration(options(tmp_path / "state"), "nobody")
    accounts.add("bob", PASSWORD)
    folder = tmp_path / "state" / "auth"
    for path in (folder, folder / "accounts.sqlite"):
        assert (path.stat().st_uid, path.stat().st_gid) == (owner.pw_uid, owner.pw_gid)
    assert (tmp_path / "state").stat().st_uid == 0
    accounts.close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(AccountError):
        Administration(options(tmp_path / "state")).add("bob", PASSWORD)


def test_every_change_is_one_event(tmp_path: Path) -> None:
    log = RecordingLog()
    accounts = Administration(options(tmp_path / "state"), log=log)
    accounts.add("Bob", PASSWORD)
    accounts.set_password("bob", PASSWORD)
    accounts.disable("bob")
    accounts.enable("bob")
    devices = DeviceAdministration(accounts)
    devices.add("bob", "laptop")
    devices.revoke("bob", "laptop")
    accounts.remove("bob")
    for change in (accounts.disable, accounts.remove):
        with pytest.raises(UnknownAccount):
            change("bob")
    accounts.close()
    told = [(fields["change"], fields["device"]) for _, fields in log.events]
    assert told == [
        ("added", None),
        ("password", None),
        ("disabled", None),
        ("enabled", None),
        ("device added", "laptop"),
        ("device revoked", "laptop"),
        ("removed", None),
    ]
    assert {event for event, _ in log.events} == {Event.ACCOUNT_CHANGED}
    assert {(fields["user"], fields["uid"]) for _, fields in log.events} == {("bob", os.getuid())}


def test_the_last_uses_of_devices_go_with_their_account(accounts: Administration) -> None:
    accounts.add("bob", PASSWORD)
    devices = DeviceAdministration(accounts)
    devices.add("bob", "laptop")
    number = devices.list("bob")[0].device.id
    file = accounts.state_directory / uses.FILE_NAME
    uses.write(file, {number: uses.Use(1, "192.0.2.1", "USER")})
    accounts.remove("bob")
    assert uses.read(file, [number]) == {}

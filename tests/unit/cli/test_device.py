"""Device commands on a database of their own."""

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Command, Outcome

Device = Callable[..., Outcome]


@pytest.fixture
def device(command: Command, configuration: Path) -> Device:
    """What carries out a device command; there is an account."""
    added = command(
        "account", "add", "Bob", "--password-stdin", "--config", configuration, stdin=b"secret\n"
    )
    assert added.status == 0
    return lambda *arguments: command("device", *arguments, "--config", configuration)


def listed(device: Device) -> list[dict[str, Any]]:
    outcome = device("list", "bob", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(outcome.out)
    return found


def test_a_password_is_printed_once(device: Device) -> None:
    added = device("add", "BOB", "laptop")
    assert (added.status, added.err) == (0, "")
    assert re.fullmatch(r"([2-9a-km-z]{4}-){6}[2-9a-km-z]{4}\n", added.out)
    for shown in (device("list", "bob"), device("list", "bob", "--json")):
        assert "laptop" in shown.out
        assert added.out.strip() not in shown.out


def test_for_programs_it_is_json(device: Device) -> None:
    added = json.loads(device("add", "BOB", "laptop", "--json").out)
    assert added.pop("password").count("-") == 6
    assert added == {"account": "bob", "device": "laptop"}


def test_everything_is_listed_but_the_password(device: Device) -> None:
    before = int(time.time())
    device(
        *("add", "bob", "printer", "--mechanism", "apop", "--read-only", "--expires", "30"),
        *("--network", "192.0.2.0/24", "--network", "2001:db8::/32"),
    )
    (found,) = listed(device)
    assert 0 <= found.pop("created_at") - before <= 60
    assert 0 <= found.pop("expires_at") - before - 30 * 86_400 <= 60
    assert found == {
        "device": "printer",
        "state": "good",
        "mechanism": "apop",
        "read_only": True,
        "networks": ["192.0.2.0/24", "2001:db8::/32"],
        "last_use": None,
    }
    header, line = device("list", "bob").out.splitlines()
    assert header.split()[:3] == ["device", "state", "mechanism"]
    assert line.startswith("printer  good   apop       read only  192.0.2.0/24 2001:db8::/32  ")


def test_a_date_is_the_last_day(device: Device) -> None:
    device("add", "bob", "laptop", "--expires", "2999-12-31")
    assert listed(device)[0]["expires_at"] == 32_503_680_000
    assert "3000-01-01 00:00 UTC" in device("list", "bob").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--expires", "soon"), "neither days nor a date"),
        (("--expires", "2999-02-30"), "neither days nor a date"),
        (("--expires", "-1"), "neither days nor a date"),
        (("--expires", "0"), "expired already"),
        (("--expires", "2001-01-01"), "expired already"),
        (("--network", "192.0.2.1/24"), "has host bits set"),
        (("--network", "home"), "network: "),
        (("--mechanism", "PLAIN"), "'any', 'apop', 'cram-md5'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    device: Device, arguments: tuple[str, ...], words: str
) -> None:
    outcome = device("add", "bob", "laptop", *arguments)
    assert outcome.status in (64, 65)
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert outcome.out == ""
    assert listed(device) == []


def test_names_that_are_not_there(device: Device) -> None:
    for arguments in (("add", "anna", "laptop"), ("list", "anna"), ("revoke", "anna", "laptop")):
        outcome = device(*arguments)
        assert (outcome.status, outcome.err) == (67, "restante: there is no account anna\n")
    outcome = device("revoke", "bob", "laptop")
    assert (outcome.status, outcome.err) == (65, "restante: bob has no device laptop\n")
    assert device("list", "bob").out == ""


def test_the_second_of_a_name_is_refused(device: Device) -> None:
    device("add", "bob", "laptop")
    outcome = device("add", "bob", "laptop")
    assert (outcome.status, outcome.out) == (65, "")
    assert outcome.err == "restante: bob has a device laptop already\n"


def test_a_revoked_device_is_gone(device: Device) -> None:
    device("add", "bob", "laptop")
    outcome = device("revoke", "bob", "laptop")
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")
    assert listed(device) == []


def test_an_account_is_shown_with_its_devices(
    device: Device, command: Command, configuration: Path
) -> None:
    shown = command("account", "show", "bob", "--config", configuration)
    assert shown.out.endswith("devices   none\n")
    device("add", "bob", "laptop")
    device("add", "bob", "phone")
    shown = command("account", "show", "bob", "--config", configuration)
    assert shown.out.endswith("devices   laptop, phone\n")
    shown = command("account", "show", "bob", "--json", "--config", configuration)
    assert json.loads(shown.out)["devices"] == ["laptop", "phone"]


def test_a_name_that_is_given_again_has_no_devices(
    device: Device, command: Command, configuration: Path
) -> None:
    device("add", "bob", "laptop")
    command("account", "remove", "bob", "--config", configuration)
    command(
        "account", "add", "bob", "--password-stdin", "--config", configuration, stdin=b"secret\n"
    )
    assert listed(device) == []


def test_a_password_cannot_be_given_among_the_arguments(device: Device) -> None:
    """Where every user of the machine could read it: it is made here, and no option takes one."""
    options = set(re.findall(r"--[a-z-]+", device("add", "--help").out))
    assert options == {
        *("--config", "--json", "--mechanism", "--expires", "--network", "--read-only", "--help")
    }
    assert device("add", "bob", "laptop", "a-password-of-my-own").status == 64


def test_the_key_is_nobody_else_s(device: Device, configuration: Path) -> None:
    device("add", "bob", "laptop")
    folder = configuration.parent / "state" / "auth"
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {"accounts.sqlite": 0o600, "devices.key": 0o600}
    assert os.stat(folder).st_mode & 0o777 == 0o700

"""Account commands on a database of their own."""

import json
import os
import stat
from pathlib import Path

import pytest

from unit.cli.conftest import Command


@pytest.fixture
def bob(command: Command, configuration: Path) -> None:
    """An account."""
    outcome = command(
        "account", "add", "Bob", "--password-stdin", "--config", configuration, stdin=b"secret\n"
    )
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")


def test_an_account_is_added_under_its_canonical_name(
    command: Command, configuration: Path, bob: None
) -> None:
    assert command("account", "list", "--config", configuration).out == "bob\n"


def test_nobody_else_can_read_the_accounts(configuration: Path, bob: None) -> None:
    database = configuration.parent / "state" / "auth" / "accounts.sqlite"
    assert stat.S_IMODE(os.stat(database).st_mode) == 0o600


def test_the_second_of_a_name_is_refused(command: Command, configuration: Path, bob: None) -> None:
    outcome = command(
        "account", "add", "BOB", "--password-stdin", "--config", configuration, stdin=b"x"
    )
    assert (outcome.status, outcome.err) == (65, "restante: there is an account bob already\n")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        (b"\n", "is empty"),
        (b"a\nb\n", "control character"),
        (b"a\0b", "control character"),
        (b"x" * 249, "longer than 248 octets"),
        (b"x" * 100_000, "longer than 248 octets"),
    ],
)
def test_a_password_that_no_client_could_send_is_refused(
    command: Command, configuration: Path, password: bytes, words: str
) -> None:
    outcome = command(
        "account", "add", "a", "--password-stdin", "--config", configuration, stdin=password
    )
    assert outcome.status == 65
    assert words in outcome.err
    assert not (configuration.parent / "state").exists()


def test_an_account_is_shown(command: Command, configuration: Path, bob: None) -> None:
    text = command("account", "show", "bob", "--config", configuration).out
    assert f"mailbox   {configuration.parent}/mail/bob\n" in text
    assert "state     enabled\n" in text
    shown = json.loads(command("account", "show", "bob", "--json", "--config", configuration).out)
    assert shown["name"] == "bob"
    assert shown["disabled"] is False
    assert shown["scram"] == ["SCRAM-SHA-256"]
    assert "scram     SCRAM-SHA-256\n" in text
    assert shown["mailbox"] == f"{configuration.parent}/mail/bob"


def test_an_account_is_disabled_and_enabled(
    command: Command, configuration: Path, bob: None
) -> None:
    assert command("account", "disable", "bob", "--config", configuration).status == 0
    assert command("account", "list", "--config", configuration).out == "bob  (disabled)\n"
    assert command("account", "enable", "bob", "--config", configuration).status == 0
    listed = json.loads(command("account", "list", "--json", "--config", configuration).out)
    assert [account["disabled"] for account in listed] == [False]


def test_an_account_is_removed(command: Command, configuration: Path, bob: None) -> None:
    assert command("account", "remove", "bob", "--config", configuration).status == 0
    assert command("account", "list", "--config", configuration).out == ""


def test_an_account_can_have_a_mailbox_of_its_own(command: Command, configuration: Path) -> None:
    command(
        *("account", "add", "eve", "--mailbox", "/srv/eve", "--password-stdin"),
        *("--config", configuration),
        stdin=b"secret",
    )
    shown = json.loads(command("account", "show", "eve", "--json", "--config", configuration).out)
    assert shown["mailbox"] == "/srv/eve"


def test_a_name_that_has_no_place_is_refused(command: Command, configuration: Path) -> None:
    configuration.write_text(configuration.read_text().replace("{name}", "{domain}/{local}"))
    outcome = command(
        "account", "add", "bob", "--password-stdin", "--config", configuration, stdin=b"secret"
    )
    assert outcome.status == 65
    assert outcome.err == (
        "restante: mail.path has no place for bob; set auth.default_domain, or use a name with a"
        " domain\n"
    )


def test_a_configuration_without_our_database_has_nothing_to_command(
    command: Command, configuration: Path
) -> None:
    configuration.write_text(
        configuration.read_text()
        + f'[[auth.source]]\ntype = "passwd-file"\npath = "{configuration.parent}/passwd"\n'
    )
    outcome = command("account", "list", "--config", configuration)
    assert outcome.status == 78
    assert 'none is of type "accounts"' in outcome.err

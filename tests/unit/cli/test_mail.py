"""`deliver` and `mail`: in one way, out the other."""

import json
from pathlib import Path

import pytest

from unit.cli.conftest import Command


@pytest.fixture(autouse=True)
def bob(command: Command, configuration: Path) -> None:
    """An account."""
    command(
        "account", "add", "bob", "--password-stdin", "--config", configuration, stdin=b"secret\n"
    )


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (b"Subject: x\n\nhello\n", b"Subject: x\r\n\r\nhello\r\n"),
        (b"Subject: x\r\n\r\n.\r\n..\r\nlast", b"Subject: x\r\n\r\n.\r\n..\r\nlast\r\n"),
        (b"From a Mon Nov 23 2026\nSubject: x\n\n", b"Subject: x\r\n\r\n"),
        (b"From: a\n\n\xff\0\n", b"From: a\r\n\r\n\xff\0\r\n"),
        (b"F", b"F\r\n"),
    ],
)
def test_a_message_goes_in_and_comes_out(
    command: Command, configuration: Path, message: bytes, shown: bytes
) -> None:
    outcome = command("deliver", "bob", "--config", configuration, stdin=message)
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")
    outcome = command("mail", "show", "bob", "1", "--config", configuration)
    assert outcome.data == shown


def test_a_listing(command: Command, configuration: Path) -> None:
    for number in range(3):
        message = b"Subject: %d\n\n" % number
        assert command("deliver", "bob", "--config", configuration, stdin=message).status == 0
    listed = json.loads(command("mail", "list", "bob", "--json", "--config", configuration).out)
    assert [(row["number"], row["octets"]) for row in listed] == [(1, 14), (2, 14), (3, 14)]
    assert len({row["unique_id"] for row in listed}) == 3
    text = command("mail", "list", "bob", "--config", configuration).out
    assert [line.split() for line in text.splitlines()] == [
        [str(row["number"]), str(row["octets"]), row["unique_id"]] for row in listed
    ]


def test_an_absent_maildir_is_an_empty_maildrop(command: Command, configuration: Path) -> None:
    outcome = command("mail", "list", "bob", "--config", configuration)
    assert (outcome.status, outcome.out) == (0, "")
    assert not (configuration.parent / "mail").exists()


def test_a_number_that_is_not_there(command: Command, configuration: Path) -> None:
    outcome = command("mail", "show", "bob", "1", "--config", configuration)
    assert (outcome.status, outcome.out) == (65, "")
    assert outcome.err == "restante: there is no message 1, there are 0\n"


@pytest.mark.parametrize("message", [b"", b"From somebody\n"])
def test_no_message_is_no_delivery(command: Command, configuration: Path, message: bytes) -> None:
    outcome = command("deliver", "bob", "--config", configuration, stdin=message)
    assert (outcome.status, outcome.out) == (65, "")
    assert outcome.err == "restante: there is no message on standard input\n"
    assert not (configuration.parent / "mail").exists()


def test_a_message_that_cannot_be_stored_is_to_be_tried_again(
    command: Command, configuration: Path
) -> None:
    (configuration.parent / "mail").write_text("no folder")
    outcome = command("deliver", "bob", "--config", configuration, stdin=b"Subject: x\n\n")
    assert outcome.status == 75
    assert outcome.err == "restante: the message could not be stored\n"


def test_a_disabled_account_still_gets_its_mail(command: Command, configuration: Path) -> None:
    command("account", "disable", "bob", "--config", configuration)
    assert command("deliver", "bob", "--config", configuration, stdin=b"a: b\n\n").status == 0


def test_memory_holds_no_mail_for_commands(command: Command, configuration: Path) -> None:
    configuration.write_text(
        "workers = 1\n" + configuration.read_text().replace("[mail]", '[mail]\nstore = "memory"')
    )
    outcome = command("mail", "list", "bob", "--config", configuration)
    assert outcome.status == 78
    assert 'mail.store: only "maildir" can be used beside a server' in outcome.err
    outcome = command("deliver", "bob", "--config", configuration, stdin=b"a: b\n\n")
    assert outcome.status == 75

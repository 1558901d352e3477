"""Failures: one line on standard error, a status of sysexits.h, and never a traceback."""

import sqlite3
from pathlib import Path

import click
import pytest

from restante.cli.failures import explain
from restante.errors import (
    AccountError,
    ConfigurationError,
    ControlError,
    MessageVanished,
    PermanentFailure,
    TemporaryFailure,
    UnknownAccount,
)
from unit.cli.conftest import Command


def with_cause() -> AccountError:
    error = AccountError("the accounts database cannot be used")
    error.__cause__ = sqlite3.OperationalError("disk I/O error")
    return error


def unreadable() -> TemporaryFailure:
    error = TemporaryFailure()
    error.__cause__ = PermissionError(13, "Permission denied", "/x")
    return error


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ConfigurationError("f:1: a\nf:2: b"), 78, "f:1: a\nf:2: b"),
        (UnknownAccount("there is no account x"), 67, "restante: there is no account x"),
        (AccountError("there is one already"), 65, "restante: there is one already"),
        (with_cause(), 74, "restante: the accounts database cannot be used"),
        (ControlError("nobody answers"), 69, "restante: nobody answers"),
        (TemporaryFailure(), 75, "restante: temporary failure, try again later"),
        (unreadable(), 75, f"restante: {TemporaryFailure.default_text} (/x: Permission denied)"),
        (TemporaryFailure(reason="a"), 75, f"restante: {TemporaryFailure.default_text} (a)"),
        (PermanentFailure(), 65, "restante: the maildrop cannot be opened"),
        (MessageVanished(), 65, "restante: this message is no longer there"),
        (PermissionError(13, "Permission denied", "/x"), 77, "restante: /x: Permission denied"),
        (OSError(28, "No space left on device"), 74, "restante: No space left on device"),
        (KeyboardInterrupt(), 130, "restante: interrupted"),
        (click.Abort(), 130, "restante: interrupted"),
        (click.UsageError("no\nsuch"), 64, "restante: no such"),
        (RuntimeError("with a secret in it"), 70, "restante: defect: RuntimeError"),
    ],
)
def test_an_exception_becomes_a_line(error: BaseException, status: int, text: str) -> None:
    failure = explain(error)
    assert failure.status == status
    assert failure.text == text


def test_a_defect_names_its_place_and_no_value() -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT012
        password = "hunter2"
        raise ValueError(password)
    assert explain(caught.value).text.startswith("restante: defect: ValueError in test_failures.py")
    assert "hunter2" not in explain(caught.value).text


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nonsense"], 64, "No such command 'nonsense'"),
        (["--nonsense"], 64, "No such option"),
        (["serve", "extra"], 64, "unexpected extra argument"),
        (["serve", "--config"], 64, "requires an argument"),
        (["serve", "--config", "missing.toml"], 78, "missing.toml: No such file or directory"),
        (["config", "check", "--config", "/"], 78, "/: Is a directory"),
        (["config", "show", "nonsense", "--config", "CONFIG"], 64, "nonsense is not set"),
        (["config", "explain", "limits.x"], 64, "there is no setting 'limits.x'"),
        (["account", "add", "--config", "CONFIG"], 64, "Missing argument 'NAME'"),
        (["account", "add", "a", "--config", "CONFIG"], 64, "use --password-stdin"),
        (["account", "add", "a", "--password-stdin", "--config", "CONFIG"], 65, "is empty"),
        (
            ["account", "add", "../a", "--password-stdin", "--config", "CONFIG"],
            65,
            "'../a' cannot be the name of an account",
        ),
        (
            ["account", "add", "a\nb", "--password-stdin", "--config", "CONFIG"],
            65,
            "'a\\nb' cannot be the name of an account",
        ),
        (["account", "add", "a", "--password", "x", "--config", "CONFIG"], 64, "No such option"),
        (["account", "show", "a", "--config", "CONFIG"], 67, "there is no account a"),
        (["account", "disable", "a", "--config", "CONFIG"], 67, "there is no account a"),
        (["account", "remove", "a", "--config", "CONFIG"], 67, "there is no account a"),
        (["account", "password", "a", "--config", "CONFIG"], 67, "there is no account a"),
        (["deliver", "a", "--config", "CONFIG"], 67, "there is no account a"),
        (["deliver", "a", "--config", "missing.toml"], 75, "No such file"),
        (["mail", "list", "a", "--config", "CONFIG"], 67, "there is no account a"),
        (["mail", "show", "a", "0", "--config", "CONFIG"], 64, "Invalid value for 'NUMBER'"),
        (["mail", "show", "a", "x", "--config", "CONFIG"], 64, "Invalid value for 'NUMBER'"),
        (["who", "--config", "CONFIG"], 69, "no server is running"),
        (["kick", "x", "--config", "CONFIG"], 69, "no server is running"),
        (["reload", "--config", "CONFIG"], 69, "no server is running"),
        (["drain", "--config", "CONFIG"], 69, "no server is running"),
        (["demo", "--port", "70000"], 64, "Invalid value for '--port'"),
        (["demo", "--directory", "CONFIG"], 64, "Invalid value for '--directory'"),
        (["demo", "--directory", "FOLDER"], 73, "holds something else"),
    ],
)
def test_a_mistake_gives_one_line(
    command: Command, configuration: Path, arguments: list[str], status: int, words: str
) -> None:
    names = {"CONFIG": str(configuration), "FOLDER": str(configuration.parent)}
    outcome = command(*[names.get(argument, argument) for argument in arguments])
    assert (outcome.status, outcome.out) == (status, "")
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err


def test_a_configuration_has_a_line_for_each_finding(command: Command, configuration: Path) -> None:
    configuration.write_text("worker = 1\nhostname = 2\n")
    for arguments in (["serve"], ["config", "check"], ["account", "list"], ["mail", "list", "a"]):
        outcome = command(*arguments, "--config", configuration)
        assert outcome.status == 78
        assert outcome.err.splitlines() == [
            f"{configuration}: there is no [[listener]], so nobody could connect",
            f'{configuration}:1: worker: there is no such setting (did you mean "workers"?)',
            f"{configuration}:2: hostname: must be a string, not a whole number",
        ]

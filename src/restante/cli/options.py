"""Options that several subcommands share, and how a password is asked for."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from restante.config.loading import DEFAULT_FILE
from restante.secret import Secret

Command = TypeVar("Command", bound=Callable[..., object])

MAXIMUM_INPUT_OCTETS = 4_096


def config_option(command: Command) -> Command:
    """Add `--config FILE`."""
    return click.option(
        "--config",
        "-c",
        "file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        default=DEFAULT_FILE,
        show_default=True,
        help="The configuration file.",
    )(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="For programs: JSON.")(command)


def password_option(command: Command) -> Command:
    """Add `--password-stdin`."""
    return click.option(
        "--password-stdin",
        "from_stdin",
        is_flag=True,
        help="Read the password from standard input instead of asking for it.",
    )(command)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=True))


def read_password(*, from_stdin: bool, once: bool = False) -> Secret:
    """Return a password: one line of standard input, or asked for on a terminal, a new one twice.

    There is no way to give one among the arguments, where every user of the machine could read it.
    """
    if from_stdin:
        data = sys.stdin.buffer.read(MAXIMUM_INPUT_OCTETS)
        return Secret(data.removesuffix(b"\n").removesuffix(b"\r"))
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on: use --password-stdin")
    again = False if once else "Once more"
    password = click.prompt("Password", hide_input=True, confirmation_prompt=again)
    return Secret(str(password).encode("utf-8", "surrogateescape"))

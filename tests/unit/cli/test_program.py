"""The program as a whole: what it says of itself, and how it fails."""

import subprocess
import sys

import pytest

from restante import __version__
from restante.cli.program import SUBCOMMANDS
from unit.cli.conftest import Command


def test_it_says_its_version(command: Command) -> None:
    assert command("--version").out == f"restante {__version__}\n"


def test_help_names_every_subcommand(command: Command) -> None:
    outcome = command("--help")
    assert outcome.status == 0
    for name in SUBCOMMANDS:
        assert f"  {name} " in outcome.out


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_explains_itself(command: Command, name: str) -> None:
    outcome = command(name, "--help")
    assert outcome.status == 0
    assert outcome.out.startswith(f"Usage: restante {name}")


def test_without_a_command_it_helps(command: Command) -> None:
    outcome = command()
    assert outcome.status == 64
    assert outcome.err.startswith("Usage: restante")


@pytest.mark.parametrize(
    "arguments", [("-m", "restante", "--version"), ("-c", "import restante.cli")]
)
def test_starting_loads_nothing_that_serves(arguments: tuple[str, ...]) -> None:
    """A command for a running server must not wait for what it does not need."""
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    for heavy in ("asyncio", "uvloop", "cryptography", "sqlite3", "argon2", "ssl"):
        assert f" {heavy}\n" not in loaded

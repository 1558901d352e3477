"""`restante config`: check, show or explain the configuration."""

import json
from pathlib import Path

import click

from restante import assembly
from restante.cli.failures import USAGE, CommandFailed
from restante.cli.options import config_option, json_option, print_json
from restante.config import loading
from restante.config.effective import effective, find, to_toml
from restante.config.explaining import explain as explanation
from restante.config.explaining import to_markdown


@click.group()
def config() -> None:
    """Check, show or explain the configuration."""


@config.command()
@config_option
def check(file: Path) -> None:
    """Say everything that keeps a configuration from being honoured, with its lines."""
    assembly.check(loading.load(file))
    click.echo(f"{file}: ok")


@config.command()
@click.argument("key", required=False)
@config_option
@json_option
@click.option("--changed", is_flag=True, help="Only what is not the default.")
def show(key: str | None, file: Path, *, as_json: bool, changed: bool) -> None:
    """Print the settings that are in force, all or one: `listener[0].address`."""
    value = effective(loading.load(file), changed=changed)
    if key is not None:
        try:
            value = find(value, key)
        except KeyError as error:
            raise CommandFailed(USAGE, str(error.args[0])) from error
    if as_json:
        print_json(value)
    elif isinstance(value, dict):
        click.echo(to_toml(value), nl=False)
    else:
        click.echo(value if isinstance(value, str) else json.dumps(value))


@config.command()
@click.argument("key", required=False)
@config_option
@click.option("--markdown", is_flag=True, help="The whole reference page.")
def explain(key: str | None, file: Path, *, markdown: bool) -> None:
    """Print type, default and meaning of a setting, of a table, or of all there are."""
    del file  # The meaning of a setting is the same in every file.
    if markdown:
        click.echo(to_markdown(), nl=False)
        return
    try:
        click.echo(explanation(key), nl=False)
    except KeyError as error:
        raise CommandFailed(USAGE, str(error.args[0])) from error

"""`restante drain`: the running server ends."""

from pathlib import Path

import click

from restante import assembly
from restante.cli.options import config_option


@click.command()
@config_option
def drain(file: Path) -> None:
    """Have the running server end: no new sessions, those that run are cut at the deadline."""
    assembly.control(file).request("drain")

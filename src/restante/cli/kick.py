"""`restante kick`: end one session."""

from pathlib import Path

import click

from restante import assembly
from restante.cli.options import config_option


@click.command()
@click.argument("session")
@config_option
def kick(session: str, file: Path) -> None:
    """End SESSION (a name that `who` shows) at once; no mail of it is removed."""
    assembly.control(file).request("kick", session=session)

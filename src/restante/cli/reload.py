"""`restante reload`: the running server takes its configuration anew."""

from pathlib import Path

import click

from restante import assembly
from restante.cli.options import config_option


@click.command()
@config_option
def reload(file: Path) -> None:
    """Have the running server take configuration and certificates anew.

    Sessions go on. A configuration that cannot be honoured changes nothing; why, is said here and
    in the log.
    """
    assembly.control(file).request("reload")

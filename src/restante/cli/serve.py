"""`restante serve`: serve mail until told to end."""

from pathlib import Path

import click

from restante import assembly
from restante.cli.options import config_option


@click.command()
@config_option
def serve(file: Path) -> int:
    """Serve mail by a configuration file.

    Nothing is printed on standard output; the log goes to standard error. SIGHUP takes the
    configuration and the certificates anew without ending a session, SIGTERM ends the server.
    """
    return assembly.serve(file)

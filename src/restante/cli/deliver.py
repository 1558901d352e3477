"""`restante deliver`: one message into the store, as other mail programs hand it over.

Whatever may pass by itself, a broken configuration included, ends with EX_TEMPFAIL: the program
that called keeps the message and tries again, where any other status would send it back.
"""

import sys
from pathlib import Path

import click

from restante import assembly
from restante.cli.failures import DATA, TEMPORARY, CommandFailed
from restante.cli.options import config_option
from restante.config import loading
from restante.errors import RestanteError, UnknownAccount


@click.command()
@click.argument("account")
@config_option
def deliver(account: str, file: Path) -> None:
    """Store one message from standard input for ACCOUNT.

    Exit status 0: it is stored and survives a power cut; 67: there is no such account; 65: there
    is no message; 75: it was not stored, trying again later may help.
    """
    if sys.stdin.isatty():
        raise click.UsageError(
            "the message comes from standard input: restante deliver ACCOUNT < message"
        )
    try:
        assembly.deliver(loading.load(file), account, sys.stdin.buffer)
    except UnknownAccount:
        raise
    except assembly.EmptyMessage as error:
        raise CommandFailed(DATA, str(error)) from error
    except (RestanteError, OSError) as error:
        # Without the cause: the program that called may send this back to whoever wrote.
        raise CommandFailed(TEMPORARY, str(error)) from error

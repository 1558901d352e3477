"""The program: its subcommands, and how it ends.

A subcommand's module is imported when it is called, so that `who` does not wait for what `serve`
needs. Whatever goes wrong ends in one line on standard error and a status of sysexits.h; only a
configuration has a line for each finding.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from restante import __version__
from restante.cli import streams
from restante.cli.failures import explain

SUBCOMMANDS = {
    "serve": "Serve mail by a configuration file.",
    "demo": "Run a server with one account and some mail, without any configuration.",
    "config": "Check, show or explain the configuration.",
    "account": "Add, list, change and remove accounts.",
    "auth": "Try a login, and be told what comes of it and why.",
    "device": "Give devices and programs passwords of their own, show and revoke them.",
    "deliver": "Store one message from standard input for an account.",
    "mail": "Show what the next session of an account would see.",
    "examine": "Try the conformance suite against any POP3 server.",
    "who": "Show the listeners and sessions of the running server.",
    "kick": "End one session, without removing any mail.",
    "throttle": "Show or forgive what slows down logins.",
    "reload": "Have the running server take its configuration anew.",
    "drain": "Have the running server end, sessions first.",
}


class Subcommands(click.Group):
    """The group of all subcommands, each loaded from its own module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of their use."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a subcommand."""
        if cmd_name not in SUBCOMMANDS:
            return None
        command = getattr(import_module(f"restante.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of subcommands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.group(cls=Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="restante", message="%(prog)s %(version)s")
def restante() -> None:
    """A POP3 server: mail is kept until its owner calls for it and shows who they are."""


def run(arguments: Sequence[str]) -> int:
    """Carry out a command and return the exit status."""
    try:
        status = restante.main(list(arguments), prog_name="restante", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:  # nobody but an operator's log reads a traceback
        failure = explain(error)
        if failure.text:
            click.echo(failure.text, err=True)
        streams.give_up_output()
        return failure.status
    return status if isinstance(status, int) else 0


def main() -> None:
    """Be the program."""
    streams.complete()
    sys.exit(run(sys.argv[1:]))

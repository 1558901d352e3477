"""The command line: one file per subcommand, loaded when it is called."""

from restante.cli.program import main

__all__ = ["main"]

"""Generate the page on the command line from the commands themselves.

    python docs/generate_cli.py

Writes docs/reference/cli.md: what each command takes comes from its definition in `restante.cli`,
the exit statuses from `restante.cli.failures`.
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from restante.cli import failures
from restante.cli.program import restante
from restante.config.loading import DEFAULT_FILE

PAGE = Path(__file__).parent / "reference" / "cli.md"

HEAD = """\
# Command line

Made by `python docs/generate_cli.py` from the commands themselves; a test holds it to them.

A command that succeeds says nothing but what was asked for. One that fails says why in one line on
standard error; a configuration that cannot be honoured has a line for each finding,
`FILE:LINE: KEY: what is wrong`. `--json` is for programs: one line of JSON. Every command has
`--help`, and every one but `demo` and `examine` takes `--config FILE`, or `-c FILE`; without it,
`{default_file}` is taken.

No command takes a password as an argument, where every user of the machine could read it: it is
asked for on the terminal, or read from standard input with `--password-stdin`.
"""

COMMON = "file"
"""What `--config` is called; it is explained once."""

STATUSES = {
    "USAGE": "the command line is wrong, or there is no such setting",
    "DATA": "what was given cannot be taken: no message, a name nobody can have, one that exists",
    "NO_INPUT": "`examine --maildir`: there is no Maildir",
    "NO_USER": "there is no such account",
    "NO_HOST": "`examine`: there is no such host",
    "UNAVAILABLE": "no server is running, or it would not do what was asked; `examine`: no "
    "connection, no answer, or no message can be put in",
    "SOFTWARE": "a defect of ours; the line names its place",
    "CANNOT_CREATE": "the folder of a demo holds something else, or a report cannot be written",
    "INPUT_OUTPUT": "a file, or the database of accounts, failed",
    "TEMPORARY": "not now; trying again later may help. `deliver` ends so for whatever may pass, "
    "`examine` where it was cut short and nothing departed up to there",
    "PROTOCOL": "`examine`: no POP3, no TLS, or a certificate that is not trusted",
    "NO_PERMISSION": "the system does not allow it; `examine`: the login is refused",
    "CONFIGURATION": "the configuration cannot be honoured",
    "INTERRUPTED": "Ctrl-C",
}
"""What each status of `restante.cli.failures` comes to."""

STATUS_HEAD = """\
## Exit status

0, or one of sysexits.h:

| status | meaning |
|---|---|
| 0 | done |
| 1 | whoever read the output wanted no more of it; `examine`: something departs |
"""

SIGNALS = """\
## Signals to a running server

| signal | what happens |
|---|---|
| SIGHUP | configuration and certificates are taken anew, sessions go on; as \
`restante reload`. A `demo` ends: its terminal is gone |
| SIGTERM, SIGINT | no new sessions; those that wait for a command end, others behind the reply \
they are at, what is left after `limits.drain_seconds` is cut. No mail is removed by that. As \
`restante drain` |

They go to the first process, the supervisor; the others are its matter.
"""


def commands(
    group: click.Group, context: click.Context
) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield every command below a group that does something itself, in the order of `--help`."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from commands(command, inner)
        else:
            yield command, inner


def section(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the lines on one command."""
    yield f"### `{context.command_path}`"
    yield ""
    yield f"    {' '.join([context.command_path, *command.collect_usage_pieces(context)])}"
    yield ""
    yield inspect.cleandoc(command.help or "")
    yield ""
    options = [each for each in command.params if isinstance(each, click.Option)]
    for option in options:
        record = option.get_help_record(context)
        assert record is not None
        if option.name != COMMON:
            yield f"* `{record[0]}`: {record[1]}"
    if any(option.name != COMMON for option in options):
        yield ""


def statuses() -> Iterator[str]:
    """Yield the rows of the exit statuses."""
    for name, meaning in STATUSES.items():
        yield f"| {getattr(failures, name)} | {meaning} |"


def page() -> str:
    """Return the page."""
    lines = [HEAD.format(default_file=DEFAULT_FILE), "## Commands", ""]
    context = click.Context(restante, info_name="restante")
    for command, inner in commands(restante, context):
        lines += section(command, inner)
    lines += [STATUS_HEAD.rstrip("\n"), *statuses(), "", SIGNALS]
    return "\n".join(lines)


def main() -> int:
    """Write the page; return the exit status."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Failures: what an exception means to whoever typed the command: one line and an exit status.

The statuses are those of sysexits.h, because programs that deliver mail act on them.
"""

import os
from dataclasses import dataclass

import click

from restante.errors import (
    AccountError,
    ConfigurationError,
    ControlError,
    Refusal,
    RestanteError,
    TemporaryFailure,
    UnknownAccount,
)

USAGE = 64
DATA = 65
NO_INPUT = 66
NO_USER = 67
NO_HOST = 68
UNAVAILABLE = 69
SOFTWARE = 70
CANNOT_CREATE = 73
INPUT_OUTPUT = 74
TEMPORARY = 75
PROTOCOL = 76
NO_PERMISSION = 77
CONFIGURATION = 78
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Failure:
    """How a command ends that could not do what it was asked."""

    status: int
    text: str = ""


class CommandFailed(RestanteError):
    """A failure that a subcommand has already put into words."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def explain(error: BaseException) -> Failure:
    """Return what an exception comes to."""
    if isinstance(error, click.exceptions.Exit):
        return Failure(error.exit_code)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return Failure(USAGE, error.format_message())
    if isinstance(error, click.UsageError):
        return Failure(USAGE, _one_line(f"restante: {error.format_message()}{_see(error)}"))
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Failure(INTERRUPTED, "restante: interrupted")
    if isinstance(error, BrokenPipeError | SystemExit):
        # The reader has what it wanted. The library makes an exit of it by itself, and of nothing
        # else.
        return Failure(1)
    if isinstance(error, ConfigurationError):
        return Failure(CONFIGURATION, str(error))
    if isinstance(error, RestanteError):
        return Failure(_status(error), _one_line(f"restante: {in_words(error)}"))
    if isinstance(error, OSError):
        return Failure(*_operating_system(error))
    if isinstance(error, click.ClickException):
        return Failure(USAGE, _one_line(f"restante: {error.format_message()}"))
    return Failure(SOFTWARE, _one_line(f"restante: defect: {type(error).__name__}{_where(error)}"))


def in_words(error: BaseException) -> str:
    """Return what an administrator is told: of a refusal the reason too, which no client is."""
    if not isinstance(error, Refusal):
        return str(error)
    reason, cause = error.reason, error.__cause__
    if reason is None and isinstance(cause, OSError):
        reason = _operating_system_words(cause)
    elif reason is None and cause is not None:
        reason = f"{type(cause).__name__}: {cause}"
    return error.text if reason is None else f"{error.text} ({reason})"


def _status(error: RestanteError) -> int:
    if isinstance(error, CommandFailed):
        return error.status
    if isinstance(error, UnknownAccount):
        return NO_USER
    if isinstance(error, AccountError):
        # With a cause it is the database that failed, without one it is what was asked.
        return INPUT_OUTPUT if error.__cause__ is not None else DATA
    if isinstance(error, ControlError):
        return UNAVAILABLE
    if isinstance(error, TemporaryFailure):
        return TEMPORARY
    return DATA if isinstance(error, Refusal) else SOFTWARE


def _operating_system(error: OSError) -> tuple[int, str]:
    status = NO_PERMISSION if isinstance(error, PermissionError) else INPUT_OUTPUT
    return status, _one_line(f"restante: {_operating_system_words(error)}")


def _operating_system_words(error: OSError) -> str:
    place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{place}{error.strerror or type(error).__name__}"


def _see(error: click.UsageError) -> str:
    return f" (see {error.ctx.command_path} --help)" if error.ctx is not None else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _where(error: BaseException) -> str:
    """Name the place of a defect: enough for a report, and no argument, which may be a secret."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return ""
    code = traceback.tb_frame.f_code
    return f" in {os.path.basename(code.co_filename)}, line {traceback.tb_lineno}"

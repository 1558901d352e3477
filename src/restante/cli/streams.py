"""Standard streams: all three there, whatever the caller closed.

A descriptor that is missing is the first to be given to the next file or socket that is opened,
and what was meant for the log would go there. Python has no stream object for it either.
"""

import os
import sys

_STDIN, _STDOUT, _STDERR = range(3)
_FLAGS = {
    # The wrong way round, so that reading or writing fails instead of seeming to work.
    _STDIN: os.O_WRONLY,
    _STDOUT: os.O_RDONLY,
    _STDERR: os.O_WRONLY,
}


def complete() -> None:
    """Open what the caller closed."""
    for descriptor, flags in _FLAGS.items():
        try:
            os.fstat(descriptor)
        except OSError:
            # Those before it are open, so it is the lowest that is free.
            os.open(os.devnull, flags)
    # The interpreter's types know nothing of a stream that was closed when it began.
    streams = vars(sys)
    if streams["stdin"] is None:
        sys.stdin = os.fdopen(_STDIN, closefd=False)
    if streams["stdout"] is None:
        sys.stdout = os.fdopen(_STDOUT, "w", closefd=False)
    if streams["stderr"] is None:
        sys.stderr = os.fdopen(_STDERR, "w", closefd=False, errors="backslashreplace")


def give_up_output() -> None:
    """Let go of what cannot be written, or the interpreter would try once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)

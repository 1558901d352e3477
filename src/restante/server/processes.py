"""Child processes of the supervisor: forked from it, in a role, with a line to it."""

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from restante.server import privileges
from restante.server.channel import Channel
from restante.telemetry import Event, LineLog

_PR_SET_PDEATHSIG = 1
EXIT_FAULT = 70
"""EX_SOFTWARE of sysexits.h."""


@dataclass
class Child:
    """A process that was forked, until it has been waited for."""

    pid: int
    role: str
    generation: int
    channel: Channel
    started_at: float
    slot: int | None = None
    ready: bool = False
    leaving: bool = False
    """It was told to end, so its end needs no replacement."""
    answers: dict[int, Callable[[dict[str, object]], None]] = field(default_factory=dict)
    """What waits for a reply of its, by number."""


def spawn(
    role: str,
    life: Callable[[socket.socket], None],
    *,
    generation: int,
    user: str | None,
    to_close: Iterable[int],
    now: float,
    log: LineLog,
) -> Child:
    """Fork a process that lives `life` and then ends.

    `to_close` are descriptors of the parent's that are none of its business.

    Raises:
        OSError: the system has no room for another process.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        pid = os.fork()
    except OSError:
        ours.close()
        theirs.close()
        raise
    if pid == 0:
        ours.close()
        _live(life, theirs, user=user, to_close=to_close, log=log)
    theirs.close()
    log(Event.PROCESS_STARTED, role=role, process=pid, generation=generation)
    return Child(pid, role, generation, Channel(ours), now)


def _live(
    life: Callable[[socket.socket], None],
    channel: socket.socket,
    *,
    user: str | None,
    to_close: Iterable[int],
    log: LineLog,
) -> NoReturn:
    """Be the child; nothing of the parent's stack runs here again."""
    status = EXIT_FAULT
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        # A terminal, or who signals by name, reaches every process: what it means the supervisor
        # decides for all of them.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for descriptor in to_close:
            os.close(descriptor)
        if user is not None and os.geteuid() == 0:
            privileges.become(user)
        privileges.keep_secrets_in()
        # Behind the change of user, which takes it away again: end when the supervisor does.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        life(channel)
        status = 0
    except BaseException as error:  # nothing may get back into the parent's stack
        log(Event.FAULT, reason=f"{type(error).__name__}: {_where(error)}")
    finally:
        log.flush()
        sys.stdout.flush()
        os._exit(status)


def _where(error: BaseException) -> str:
    """Name the place of a defect without the arguments, which may hold anything."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return ""
    code = traceback.tb_frame.f_code
    return f"{code.co_name} line {traceback.tb_lineno}"

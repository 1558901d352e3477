"""Names and fields of operational events, and the line each becomes in the log.

One event, one line, written in one call: `restante[123]: login: rip=203.0.113.7 … user=bob`. The
prefix is made here from the process, never from what a client said. Fields a client can choose
come last and are quoted where they hold anything but plain characters, so that no value can look
like another field, end the line or steer a terminal.

What does not live here: deciding what happens. A server does not wait for its log either: a line
that cannot be written at once is lost, and how many were is said when writing is possible again.
"""

import os
import re
import socket
import stat
import syslog
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from threading import get_ident
from typing import Protocol

from restante.identity import Peer

Field = str | int | float | None


class Event(StrEnum):
    """What can happen; the value is what the log shows."""

    STARTED = "started"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    LISTENING = "listening"
    RELOADED = "reloaded"
    RELOAD_REFUSED = "reload refused"
    PROCESS_STARTED = "process started"
    PROCESS_ENDED = "process ended"
    CONNECTION_REFUSED = "connection refused"
    CONNECTION_ENDED = "connection ended"
    PROXY_REFUSED = "proxy refused"
    DESCRIPTORS_EXHAUSTED = "descriptors exhausted"
    TLS_FAILED = "tls failed"
    CLEARTEXT_REFUSED = "cleartext refused"
    LOGIN = "login"
    LOGIN_ABANDONED = "login abandoned"
    AUTH_FAILED = "auth failed"
    AUTH_DELAYED = "auth delayed"
    AUTH_UNAVAILABLE = "auth unavailable"
    THROTTLE_FORGIVEN = "throttle forgiven"
    MAILDROP_IN_USE = "maildrop in use"
    MAILDROP_FAILED = "maildrop failed"
    MESSAGE_FAILED = "message failed"
    SIZE_CORRECTED = "size corrected"
    REMOVED = "removed"
    UPDATE_FAILED = "update failed"
    LOGOUT = "logout"
    DELIVERED = "delivered"
    ACCOUNT_CHANGED = "account changed"
    WARNING = "warning"
    FAULT = "fault"
    SUPPRESSED = "suppressed"


class Log(Protocol):
    """Where events go."""

    def __call__(self, event: Event, /, **fields: Field) -> None:
        """Record one event."""
        ...


PIPE_OCTETS = 4096
"""What a pipe takes in one piece however many processes write to it (PIPE_BUF)."""
MAXIMUM_CHARACTERS = 255
"""Of one value; a name of a client's may be as long as its line."""

# Printable ASCII without what has a meaning in the line itself: space, quote, equals, backslash.
_is_plain = re.compile(r"[!#-<>-\[\]-~]+").fullmatch
_stands_as_it_is = re.compile(rf"[!#-<>-\[\]-~]{{1,{MAXIMUM_CHARACTERS}}}").fullmatch


class Rendered(str):
    """Fields that stand in a log line as they are; `render_peer` makes the ones worth keeping."""

    __slots__ = ()


def escape(value: str) -> str:
    """Return a value as it stands in a log line: plain as it is, anything else quoted.

    Everything outside printable ASCII is written as an escape: controls, C1, line separators and
    the marks that turn the direction of text can all change what a reader sees. A value that is
    too long is cut.
    """
    if len(value) > MAXIMUM_CHARACTERS:
        value = value[:MAXIMUM_CHARACTERS] + "..."
    if _is_plain(value):
        return value
    return '"' + "".join(map(_escape_character, value)) + '"'


def _escape_character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


class _Shape:
    """What all lines of one event have in common that have the same fields of the same kinds.

    There are as many as there are places that log something.
    """

    __slots__ = ("template", "texts")

    def __init__(self, event: Event, fields: Mapping[str, Field]) -> None:
        self.template = f"{event}:"
        self.texts: list[str] = []
        """Names of fields that may hold anything."""
        for name, value in fields.items():
            if isinstance(value, Rendered):
                self.template += " %s"
            elif value is not None:
                self.template += f" {name}={_FORMATS.get(type(value), '%s')}"
                if type(value) not in _FORMATS:
                    self.texts.append(name)
            else:
                self.template += "%.0s"


_FORMATS: dict[type, str] = {int: "%d", float: "%.3f"}

_shapes: dict[tuple[object, ...], _Shape] = {}


def render(event: Event, fields: Mapping[str, Field]) -> str:
    """Return the text of an event, without prefix and line end; None leaves a field out."""
    key = (event, *fields, *map(type, fields.values()))
    shape = _shapes.get(key)
    if shape is None:
        shape = _shapes[key] = _Shape(event, fields)
    for name in shape.texts:
        text = fields[name]
        if not (type(text) is str and _stands_as_it_is(text)):
            fields = {**fields, name: escape(str(text))}
    return shape.template % tuple(fields.values())


def peer_fields(peer: Peer) -> dict[str, Field]:
    """Return the fields that say which connection an event belongs to."""
    return {
        "rip": peer.address,
        "rport": peer.port,
        "lip": peer.local_address,
        "lport": peer.local_port,
        "tls": peer.tls,
        "session": peer.session,
    }


def render_peer(
    address: str, port: int, local_address: str, local_port: int, session: str, tls: str | None
) -> Rendered:
    """Return what stands in a Peer as the fields of `peer_fields`, all in one.

    None of them is a client's to choose: addresses are the kernel's, or what a trusted proxy said,
    in the kernel's form; the rest is ours.
    """
    cipher = f" tls={tls}" if tls else ""
    return Rendered(
        f"rip={address} rport={port} lip={local_address} lport={local_port}{cipher}"
        f" session={session}"
    )


class LineLog:
    """A log that writes lines to a descriptor, standard error by default.

    Lines are written at once, or, once `batch` was called, together at the end of a turn of the
    loop: under load most of a line's cost is the system call. What other threads than the loop's
    have to say is written at once: neither the loop nor what waits is theirs to touch.
    """

    def __init__(
        self,
        descriptor: int = 2,
        *,
        timestamps: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._descriptor = descriptor
        self._timestamps = timestamps
        self._clock = clock
        self._second = 0
        self._prefix = ""
        self._schedule: Callable[[Callable[[], None]], object] | None = None
        self._thread = 0
        self._waiting: list[str] = []
        self._put: Callable[[bytes], int] = lambda data: os.write(descriptor, data)
        self._lost = 0
        self._cut = False
        """What was written last was not written to its end."""

    def __call__(self, event: Event, /, **fields: Field) -> None:
        """Write one line; a log that is full or gone must not take the mail down with it."""
        if self._schedule is not None and get_ident() != self._thread:
            self._write(f"{self._make_prefix(int(self._clock()))}{render(event, fields)}\n")
            return
        waiting = self._waiting
        if not waiting:
            # Lines that are written together share their second.
            second = int(self._clock())
            if second != self._second:
                self._second, self._prefix = second, self._make_prefix(second)
            if self._schedule is not None:
                self._schedule(self.flush)
        waiting.append(f"{self._prefix}{render(event, fields)}\n")
        if self._schedule is None:
            self.flush()

    def batch(self, schedule: Callable[[Callable[[], None]], object]) -> None:
        """Write once a turn from now on; `schedule` is the `call_soon` of this thread's loop."""
        self._schedule = schedule
        self._thread = get_ident()
        # Whoever has a loop of its own is mostly a process of its own, forked within this second.
        self._second = -1

    def flush(self) -> None:
        """Write what waits."""
        waiting, self._waiting = self._waiting, []
        piece = ""
        for line in waiting:
            if piece and len(piece) + len(line) > PIPE_OCTETS:
                self._write(piece)
                piece = ""
            piece += line
        self._write(piece)

    def never_wait(self) -> Callable[[], None]:
        """Lose lines from now on rather than wait for whoever reads them; return how to stop that.

        Only this process and its children are changed: the descriptor itself may be shared with a
        shell, so it is a new opening of the same thing that does not wait.
        """
        waiting = self._put

        def wait_again(close: Callable[[], None]) -> None:
            self._put = waiting
            close()

        mode = os.fstat(self._descriptor).st_mode
        if stat.S_ISSOCK(mode):
            sock = socket.socket(fileno=os.dup(self._descriptor))
            self._put = lambda data: sock.send(data, socket.MSG_DONTWAIT)
            return partial(wait_again, sock.close)
        if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            try:
                opened = os.open(f"/proc/self/fd/{self._descriptor}", flags)
            except OSError:
                # Somebody else's terminal, or a pipe that nobody reads any more.
                return lambda: None
            self._put = partial(os.write, opened)
            return partial(wait_again, partial(os.close, opened))
        return lambda: None

    def _write(self, lines: str) -> None:
        if not lines:
            return
        try:
            if self._lost or self._cut:
                self._make_amends()
            data = lines.encode("ascii", "backslashreplace")
            self._cut = self._put(data) < len(data)
        except OSError:
            self._lost += lines.count("\n")

    def _make_amends(self) -> None:
        """End a line that was cut, and say how many were lost."""
        said = "\n" if self._cut else ""
        if self._lost:
            prefix = self._make_prefix(int(self._clock()))
            fields: dict[str, Field] = {"reason": "log full", "count": self._lost}
            said += f"{prefix}{render(Event.SUPPRESSED, fields)}\n"
        self._cut = self._put(said.encode("ascii")) < len(said)
        self._lost = 0

    def _make_prefix(self, second: int) -> str:
        # Once a second at the most.
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z ", time.localtime(second))
        return f"{stamp if self._timestamps else ''}restante[{os.getpid()}]: "


class SystemLog:
    """The log of the system, for commands: whoever gives one need not be who reads a server's log.

    Changes of accounts belong among those of the system's own (authpriv); where no log of the
    system is running there is none.
    """

    def __call__(self, event: Event, /, **fields: Field) -> None:
        """Write one line."""
        syslog.openlog("restante", syslog.LOG_PID, syslog.LOG_AUTHPRIV)
        syslog.syslog(syslog.LOG_NOTICE, render(event, fields))


class RecordingLog:
    """A log that keeps its events: for tests, and for programs that embed a server."""

    def __init__(self) -> None:
        self.events: list[tuple[Event, dict[str, Field]]] = []

    def __call__(self, event: Event, /, **fields: Field) -> None:
        """Keep one event."""
        self.events.append((event, fields))

    def named(self, event: Event) -> list[dict[str, Field]]:
        """Return the fields of every event of one name."""
        return [fields for name, fields in self.events if name is event]


class RateLimitedLog:
    """A log in front of another that lets one event of a kind through per interval.

    The next one let through is preceded by a count of what was held back, so that a flood of one
    kind costs one line a second and hides nothing.
    """

    def __init__(
        self,
        log: Log,
        *,
        interval_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._interval = interval_seconds
        self._clock = clock
        self._last: dict[Event, float] = {}
        self._held: dict[Event, int] = {}

    def __call__(self, event: Event, /, **fields: Field) -> None:
        """Record one event, or count it."""
        now = self._clock()
        last = self._last.get(event)
        if last is not None and now - last < self._interval:
            self._held[event] = self._held.get(event, 0) + 1
            return
        self._last[event] = now
        held = self._held.pop(event, 0)
        if held:
            self._log(Event.SUPPRESSED, event=event.value, count=held)
        self._log(event, **fields)

"""Supervisor: binds the sockets, starts the processes, and keeps them going.

It never parses a client's octets and runs no event loop but its own small one, so that it can fork
at any moment. A reload starts a new generation of processes on the sockets of the old one, which
finishes its sessions meanwhile; a configuration that cannot be honoured changes nothing.
"""

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from restante.errors import ConfigurationError
from restante.server import privileges
from restante.server.channel import Channel, Message
from restante.server.control import Answer, ControlSocket
from restante.server.generation import Generation
from restante.server.limits import SharedCounts
from restante.server.listener import bound_address, listen
from restante.server.options import ListenerOptions
from restante.server.processes import Child, spawn
from restante.server.registry import control_socket, through_descriptor
from restante.server.systemd import Notifier, inherited_sockets
from restante.server.worker import WorkerParts, run_worker
from restante.telemetry import Event, LineLog

ANSWER_SECONDS = 2.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
SETTLED_SECONDS = 10.0
"""A process that lived this long did not fail at its start."""
GRACE_SECONDS = 5.0
"""Beyond the deadline of a drain, before what is left is killed."""


class Supervisor:
    """The first process of a server."""

    def __init__(
        self,
        first: Generation,
        load: Callable[[], Generation],
        log: LineLog,
        *,
        hangup_ends: bool = False,
    ) -> None:
        self._generation = first
        self._load = load
        self._log = log
        self._ending = {signal.SIGTERM, signal.SIGINT}
        if hangup_ends:
            self._ending.add(signal.SIGHUP)
        self._number = 0
        self._children: dict[int, Child] = {}
        self._pauses: dict[str, float] = {}
        self._restarts: list[tuple[float, str, int]] = []
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self._questions = 0
        self._stopping_since: float | None = None
        self._selector = selectors.DefaultSelector()
        self._counts = SharedCounts()
        self._inherited = inherited_sockets(os.environ)
        self._notifier = Notifier(os.environ)
        self._notified = False
        self._listeners: dict[str, tuple[ListenerOptions, socket.socket]] = {}
        self._auth: tuple[Path, socket.socket] | None = None

    def run(self) -> int:
        """Serve until told to end, and return the exit status.

        Raises:
            ConfigurationError: a socket cannot be had, or a user is not there.
        """
        privileges.keep_secrets_in()
        privileges.raise_descriptor_limit()
        options = self._generation.options
        self._log(Event.STARTED, workers=options.workers)
        if os.geteuid() == 0 and options.user is None:
            self._log(Event.WARNING, reason="running as root: set user and auth_user")
        self._make_directories()
        # Open as long as we are, in every process: sockets are named through it.
        run = options.state_directory / "run"
        self._run_directory = os.open(run, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._bind(options.listeners)
        self._control = ControlSocket(
            control_socket(options.state_directory), self._selector, self._obey
        )
        for left in run.glob("auth-*.sock"):
            # Of a server that was killed: what listens on the control socket is the only one.
            left.unlink(missing_ok=True)
        self._watch_signals()
        self._start_generation()
        while self._stopping_since is None or self._children:
            self._turn()
        self._control.close()
        self._log(Event.STOPPED)
        return 0

    # ---- the loop

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            # What was done for one of them may have ended what another is about.
            if self._selector.get_map().get(key.fd) is key:
                key.data()
        now = time.monotonic()
        due = [timer for timer in self._timers if timer[0] <= now]
        self._timers = [timer for timer in self._timers if timer[0] > now]
        for _, action in due:
            action()
        if self._notifier.watchdog_seconds is not None:
            self._notifier.alive()

    def _patience(self) -> float | None:
        waits = [at - time.monotonic() for at, _ in self._timers]
        if self._notifier.watchdog_seconds is not None:
            waits.append(self._notifier.watchdog_seconds / 2)
        return max(min(waits), 0.0) if waits else None

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._timers.append((time.monotonic() + seconds, action))

    def _watch_signals(self) -> None:
        self._woken, wake = socket.socketpair()
        for end in (self._woken, wake):
            end.setblocking(False)
        self._wake = wake
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            ignored = signal.getsignal(number) is signal.SIG_IGN
            if ignored and number is signal.SIGHUP and number in self._ending:
                # As nohup(1) wants it.
                continue
            # The handler does nothing; that it exists makes Python write the number to the pipe.
            signal.signal(number, lambda number, frame: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._signalled)

    def _signalled(self) -> None:
        numbers = set(self._woken.recv(4096))
        if signal.SIGCHLD in numbers:
            self._reap()
        if numbers & self._ending:
            self._drain()
        elif signal.SIGHUP in numbers:
            self._reload()

    # ---- sockets and directories

    def _make_directories(self) -> None:
        options = self._generation.options
        for key, user in (("user", options.user), ("auth_user", options.auth_user)):
            if user is not None:
                privileges.look_up(user, key)
        state = options.state_directory
        state.mkdir(mode=0o755, parents=True, exist_ok=True)
        privileges.make_directory(state / "run", 0o711, None)
        privileges.make_directory(state / "locks", 0o700, options.user)
        with suppress(PermissionError):
            # One that is somebody else's may do: whoever cannot use it says so in the log.
            privileges.make_directory(state / "auth", 0o700, options.auth_user)

    def _bind(self, wanted: tuple[ListenerOptions, ...]) -> None:
        """Have a socket for each listener: kept where there is one, else bound; all or none."""
        found: dict[str, tuple[ListenerOptions, socket.socket]] = {}
        bound: list[socket.socket] = []
        try:
            for number, options in enumerate(wanted):
                # Several listeners may take a free port each, so the address alone is no name.
                name = f"{options.address}#{number}" if _takes_any(options) else options.address
                known = self._listeners.get(name)
                if known is None:
                    key = f"listener[{number}].address"
                    sock = listen(options.address, self._inherited, key)
                    bound.append(sock)
                else:
                    sock = known[1]
                found[name] = (options, sock)
        except ConfigurationError:
            self._close(bound)
            raise
        self._close(sock for name, (_, sock) in self._listeners.items() if name not in found)
        self._listeners = found
        for options, sock in found.values():
            if sock in bound:
                self._log(Event.LISTENING, address=bound_address(sock), mode=options.tls)

    def _auth_socket(self, generation: int) -> Path:
        run = self._generation.options.state_directory / "run"
        return run / f"auth-{os.getpid()}-{generation}.sock"

    def _close(self, sockets: Iterable[socket.socket]) -> None:
        """Close sockets, except those that were handed over: they cannot be bound again."""
        for sock in list(sockets):
            if sock not in self._inherited.values():
                sock.close()

    def _listen_for_workers(self) -> tuple[Path, socket.socket]:
        options = self._generation.options
        path = self._auth_socket(self._number + 1)
        path.unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        mask = os.umask(0o177)
        try:
            sock.bind(str(through_descriptor(self._run_directory, path)))
        finally:
            os.umask(mask)
        if options.user is not None and os.geteuid() == 0:
            entry = privileges.look_up(options.user, "user")
            os.chown(path, entry.pw_uid, entry.pw_gid)
        sock.listen(128)
        return through_descriptor(self._run_directory, path), sock

    # ---- processes

    def _start_generation(self) -> None:
        listening = self._listen_for_workers()
        self._number += 1
        if self._auth is not None:
            self._auth[1].close()
        self._auth = listening
        self._start("auth")
        for _ in range(self._generation.options.workers):
            self._start("worker")

    def _start(self, role: str) -> None:
        options = self._generation.options
        user = options.auth_user if role == "auth" else options.user
        slot = self._counts.take() if role == "worker" else None
        try:
            child = spawn(
                role,
                self._life(role, slot),
                generation=self._number,
                user=user,
                to_close=self._private_descriptors(role),
                now=time.monotonic(),
                log=self._log,
            )
        except OSError as error:
            # No process or no descriptor is to be had now; those there are go on serving.
            self._log(Event.FAULT, role=role, reason=error.strerror)
            if slot is not None:
                self._counts.give_back(slot)
            number = self._number
            self._later(FIRST_PAUSE_SECONDS, lambda: self._replace(role, number))
            return
        child.slot = slot
        child.ready = role == "auth"
        self._children[child.pid] = child
        self._selector.register(
            child.channel.socket, selectors.EVENT_READ, lambda: self._heard(child)
        )

    def _life(self, role: str, slot: int | None) -> Callable[[socket.socket], None]:
        assert self._auth is not None
        generation, (path, auth_listener) = self._generation, self._auth
        if role == "auth":
            return lambda channel: generation.run_auth(auth_listener, Channel(channel), self._log)
        assert slot is not None
        sockets = tuple(self._listeners.values())
        return lambda channel: run_worker(
            WorkerParts(generation, sockets, self._counts, slot, channel, path, self._log)
        )

    def _private_descriptors(self, role: str) -> list[int]:
        assert self._auth is not None
        private = [self._woken.fileno(), self._wake.fileno(), *self._control.descriptors()]
        # One whose end was noticed and not yet reaped has none any more.
        channels = [child.channel for child in self._children.values()]
        private += [channel.socket.fileno() for channel in channels if not channel.closed]
        selector = self._selector
        assert isinstance(selector, selectors.EpollSelector)
        private.append(selector.fileno())
        if role == "auth":
            private += [sock.fileno() for _, sock in self._listeners.values()]
        else:
            private.append(self._auth[1].fileno())
        return private

    def _heard(self, child: Child) -> None:
        if child.channel.closed:
            # Its end was reaped in the same turn that this was noticed in.
            return
        messages = child.channel.receive()
        if messages is None:
            # Its end is reaped when the signal comes; until then there is nothing more to hear.
            self._selector.unregister(child.channel.socket)
            child.channel.close()
            return
        for message in messages:
            if message.get("event") == "ready":
                child.ready = True
                self._check_ready()
            reply = message.get("reply")
            if isinstance(reply, int) and reply in child.answers:
                child.answers.pop(reply)(message)

    def _check_ready(self) -> None:
        """When the new generation accepts, the old ones finish what they have."""
        current = [child for child in self._workers() if child.generation == self._number]
        if sum(child.ready for child in current) < self._generation.options.workers:
            return
        for child in self._children.values():
            if child.generation < self._number and not child.leaving:
                child.leaving = True
                if child.role == "worker":
                    child.channel.send({"command": "retire"})
        self._dismiss_auth()
        if not self._notified:
            self._notified = True
            self._log(Event.READY)
        self._notifier.ready()

    def _dismiss_auth(self) -> None:
        """End the auth process of a generation whose workers are all gone."""
        working = {child.generation for child in self._workers()}
        for child in self._children.values():
            outdated = child.generation < self._number or self._stopping_since is not None
            if child.role == "auth" and outdated and child.generation not in working:
                child.leaving = True
                os.kill(child.pid, signal.SIGTERM)

    def _workers(self) -> list[Child]:
        return self._those("worker")

    def _those(self, role: str) -> list[Child]:
        return [child for child in self._children.values() if child.role == role]

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            child = self._children.pop(pid, None)
            if child is not None:
                self._ended(child, os.waitstatus_to_exitcode(status))
        if self._stopping_since is not None or self._number > 1:
            self._dismiss_auth()

    def _ended(self, child: Child, status: int) -> None:
        if not child.channel.closed:
            self._selector.unregister(child.channel.socket)
            child.channel.close()
        if child.slot is not None:
            self._counts.give_back(child.slot)
        for answer in child.answers.values():
            answer({})
        self._log(Event.PROCESS_ENDED, role=child.role, process=child.pid, status=status)
        if child.leaving or self._stopping_since is not None:
            if child.role == "auth":
                self._auth_socket(child.generation).unlink(missing_ok=True)
            return
        pause = self._pause(child)
        number = child.generation
        self._later(pause, lambda: self._replace(child.role, number))

    def _pause(self, child: Child) -> float:
        """Return how long to wait before a replacement: the longer the more often it fails."""
        if time.monotonic() - child.started_at > SETTLED_SECONDS:
            self._pauses.pop(child.role, None)
            return 0.0
        pause = self._pauses.get(child.role, 0.0)
        self._pauses[child.role] = min(max(2 * pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        return pause

    def _replace(self, role: str, generation: int) -> None:
        if self._stopping_since is None and generation == self._number:
            self._start(role)

    # ---- reload and end

    def _reload(self) -> str | None:
        """Take a new configuration; return why not, where it cannot be taken."""
        if self._stopping_since is not None:
            return "the server is stopping"
        self._notifier.reloading()
        try:
            generation = self._load()
            if generation.options.state_directory != self._generation.options.state_directory:
                raise ConfigurationError("state_directory: it changes with a restart only")
            if generation.options.workers > self._counts.free():
                raise ConfigurationError("sessions of too many earlier reloads are not over yet")
            self._bind(generation.options.listeners)
        except Exception as error:
            foreseen = isinstance(error, ConfigurationError)
            reason = str(error) if foreseen else f"unforeseen {type(error).__name__}"
            self._log(Event.RELOAD_REFUSED, reason=reason)
            self._notifier.ready()
            return reason
        previous, self._generation = self._generation, generation
        try:
            self._start_generation()
        except OSError as error:
            self._generation = previous
            self._log(Event.RELOAD_REFUSED, reason=error.strerror)
            self._notifier.ready()
            return "the server has no room for another generation now"
        self._log(Event.RELOADED, generation=self._number)
        return None

    def _drain(self) -> None:
        if self._stopping_since is not None:
            return
        self._stopping_since = time.monotonic()
        self._log(Event.STOPPING)
        self._notifier.stopping()
        for _, sock in self._listeners.values():
            sock.close()
        self._listeners = {}
        for child in self._workers():
            child.channel.send({"command": "drain"})
        self._dismiss_auth()
        deadline = self._generation.options.limits.drain_seconds + GRACE_SECONDS
        self._later(deadline, self._kill)

    def _kill(self) -> None:
        for child in self._children.values():
            os.kill(child.pid, signal.SIGKILL)

    # ---- commands

    def _obey(self, message: Message, answer: Answer) -> None:
        command = message.get("command")
        if command == "who":
            question: Message = {"command": command}
            self._ask(self._workers(), question, lambda replies: answer(self._who(replies)))
        elif command == "kick":
            question = {"command": command, "session": str(message.get("session"))}
            self._ask(self._workers(), question, lambda replies: answer(_kicked(replies)))
        elif command in ("throttle list", "throttle forgive"):
            self._ask_auth(message, answer)
        elif command == "reload":
            refused = self._reload()
            answer({"error": refused} if refused else {"reloaded": True})
        elif command == "drain":
            answer({"draining": True})
            self._drain()
        else:
            answer({"error": "unknown command"})

    def _ask_auth(self, message: Message, answer: Answer) -> None:
        """Pass a command on to the auth process; its line is one that no worker has an end of."""
        question: Message = {key: message[key] for key in ("command", "target") if key in message}
        # Those of earlier generations may have logins that wait, and are told as well.
        asked = self._those("auth")
        current = self._number

        def done(replies: list[Message]) -> None:
            found = [reply for reply in replies if reply.get("generation") == current]
            if not found:
                answer({"error": "the auth process does not answer, try again"})
                return
            answer({key: value for key, value in found[0].items() if key not in _OURS})

        self._ask(asked, question, done)

    def _ask(
        self, asked: list[Child], question: Message, done: Callable[[list[Message]], None]
    ) -> None:
        """Ask processes, and go on with what has been answered in time."""
        self._questions += 1
        number = self._questions
        replies: list[Message] = []
        finished = False

        def finish() -> None:
            nonlocal finished
            if not finished:
                finished = True
                done(replies)

        def answered(child: Child, reply: Message) -> None:
            replies.append(reply | {"generation": child.generation} if reply else reply)
            if len(replies) == len(asked):
                finish()

        for child in asked:
            child.answers[number] = partial(answered, child)
            child.channel.send(question | {"id": number})
        if not asked:
            finish()
            return
        self._later(ANSWER_SECONDS, finish)

    def _who(self, replies: list[Message]) -> Message:
        sessions: list[object] = []
        for reply in replies:
            found = reply.get("sessions")
            sessions += found if isinstance(found, list) else []
        listeners = [
            {"address": bound_address(sock), "tls": options.tls}
            for options, sock in self._listeners.values()
        ]
        return {"listeners": listeners, "sessions": sessions}


_OURS = frozenset({"reply", "generation"})
"""Keys of a reply that are between us and our processes."""


def _takes_any(options: ListenerOptions) -> bool:
    return options.address.endswith(":0")


def _kicked(replies: list[Message]) -> Message:
    if any(reply.get("kicked") for reply in replies):
        return {"kicked": True}
    return {"error": "there is no such session"}

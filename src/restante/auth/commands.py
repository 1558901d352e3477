"""Commands: what an administrator asks of the auth process, over its line to the supervisor.

Workers have no such line: the supervisor makes one for each process, and nobody else holds an end.
Messages are JSON objects, as everywhere between the supervisor and its processes.
"""

import asyncio
import heapq
import socket
from typing import Protocol

from restante.auth.inprocess import InProcessAuthenticator
from restante.auth.throttle import Held
from restante.telemetry import Event, Log

MAXIMUM_HELD = 1_000
"""Entries that one list shows."""
KEYS_AT_ONCE = 1_000
"""Looked at before logins have their turn."""

Message = dict[str, object]


class SupervisorLine(Protocol):
    """The process's end of its line to the supervisor, on a socket that does not block."""

    socket: socket.socket

    @property
    def wants_to_write(self) -> bool:
        """Whether something waits to be written."""
        ...

    def receive(self) -> list[Message] | None:
        """Return the messages that have come; None: the other end is gone."""
        ...

    def send(self, message: Message) -> None:
        """Send a message, or begin to."""
        ...

    def write(self) -> None:
        """Write what waits, as far as the socket takes it."""
        ...


class Commands:
    """Whoever carries out what comes over the line."""

    def __init__(
        self, line: SupervisorLine, authenticator: InProcessAuthenticator, log: Log
    ) -> None:
        self._line = line
        self._authenticator = authenticator
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(line.socket, self._receive)

    def _receive(self) -> None:
        messages = self._line.receive()
        if messages is None:
            # The supervisor is gone; that this process ends with it is the kernel's business.
            self._loop.remove_reader(self._line.socket)
            return
        for message in messages:
            task = self._loop.create_task(self._obey(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _obey(self, message: Message) -> None:
        command, target = message.get("command"), message.get("target")
        if command == "throttle list":
            reply = await self._list()
        elif command == "throttle forgive" and (target is None or isinstance(target, str)):
            reply = {"forgiven": self._forgive(target)}
        else:
            reply = {"error": "unknown command"}
        self._line.send({"reply": message.get("id"), **reply})
        if self._line.wants_to_write:
            self._loop.add_writer(self._line.socket, self._write)

    def _write(self) -> None:
        self._line.write()
        if not self._line.wants_to_write:
            self._loop.remove_writer(self._line.socket)

    async def _list(self) -> Message:
        """Return the worst; logins go on while a large table is looked through."""
        throttle = self._authenticator.throttle
        weighed = []
        for number, key in enumerate(throttle.keys()):
            delay, count = throttle.weight(key)
            if count:
                weighed.append((delay, count, key))
            if number % KEYS_AT_ONCE == 0:
                await asyncio.sleep(0)
        worst = heapq.nlargest(MAXIMUM_HELD, weighed)
        held = [throttle.held_by(key) for _, _, key in worst]
        described = [_described(each) for each in held if each is not None]
        return {"held": described, "left_off": len(weighed) - len(worst)}

    def _forgive(self, target: str | None) -> int:
        forgiven = self._authenticator.forgive(target)
        shown = "all" if target is None else target
        self._log(Event.THROTTLE_FORGIVEN, count=forgiven, target=shown)
        return forgiven


def _described(held: Held) -> Message:
    return held._asdict() | {"seconds_ago": round(held.seconds_ago, 1)}

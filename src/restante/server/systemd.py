"""The two ways systemd talks to a daemon: sockets it hands over, and what it wants to be told.

sd_listen_fds(3) and sd_notify(3). Without systemd both do nothing.
"""

import os
import socket
import time
from collections import Counter
from collections.abc import Mapping, MutableMapping

_FIRST_DESCRIPTOR = 3


def inherited_sockets(environment: MutableMapping[str, str]) -> dict[str, socket.socket]:
    """Return the listening sockets handed over, by name, and take them out of the environment.

    Sockets of one name are told apart by a number: `pop3`, `pop3.1`, …
    """
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return {}
    count = int(environment.get("LISTEN_FDS", "0"))
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        environment.pop(variable, None)
    found: dict[str, socket.socket] = {}
    repeated: Counter[str] = Counter()
    for number in range(count):
        name = names[number] if number < len(names) and names[number] else "unknown"
        descriptor = _FIRST_DESCRIPTOR + number
        os.set_inheritable(descriptor, False)
        unique = name
        while unique in found:
            repeated[name] += 1
            unique = f"{name}.{repeated[name]}"
        found[unique] = socket.socket(fileno=descriptor)
    return found


class Notifier:
    """What is told to whoever started us."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]
        microseconds = environment.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(microseconds) / 1e6 if microseconds.isdigit() else None
        """How often a sign of life is wanted; None: never."""

    def ready(self) -> None:
        """Say that clients are served."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Say that a new configuration is being taken."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that no more clients are taken."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Say in words how things are."""
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        """Give the sign of life."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            try:
                sock.sendto(message.encode(), socket.MSG_DONTWAIT, self._address)
            except OSError:
                # Nobody listens any more; serving mail matters more than saying so.
                return

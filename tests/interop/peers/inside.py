"""The first process of a room: makes the room what it has to be, and runs the peer in it.

    python inside.py PLAN        a JSON object: what `room.Plan` has

It stands alone, with the standard library only, because it is run and not imported. Everything it
mounts is seen in its own mount namespace alone, and all that lives in its process namespace ends
with it: when the server ends, when it is told to, or when whoever started it closes its input.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from types import FrameType
from typing import Any

BACKLOG = 128


def main(plan: dict[str, Any]) -> int:
    """Furnish the room, start the server and stay until the end."""
    for words in plan["mounts"]:
        subprocess.run(["mount", *words], check=True)
    socket.sethostname(plan["hostname"])
    for words in plan["before"]:
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, env=plan["environment"])
    listeners = {listen(int(port)): words for port, words in plan["answer"].items()}
    children = [
        subprocess.Popen(words, stdin=subprocess.DEVNULL, env=plan["environment"])
        for words in plan["run"]
    ]
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGTERM, leave)
    stay({child.pid for child in children}, listeners, plan["environment"])
    return 0


def leave(number: int, frame: FrameType | None) -> None:
    """End, and everything in the room with it."""
    raise SystemExit(0)


def listen(port: int) -> socket.socket:
    """Listen for clients of a server that waits to be called."""
    return socket.create_server(("127.0.0.1", port), backlog=BACKLOG)


def stay(
    daemons: set[int], listeners: dict[socket.socket, list[str]], environment: dict[str, str]
) -> None:
    """Bury what has ended and answer calls until a daemon ends or the input does."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    while True:
        ready, _, _ = select.select([sys.stdin, reader, *listeners], [], [])
        if sys.stdin in ready and not os.read(sys.stdin.fileno(), 1):
            return
        if reader in ready:
            os.read(reader, 4096)
        while (ended := buried()) is not None:
            if ended in daemons:
                return
        for listener in ready:
            if isinstance(listener, socket.socket):
                answer(listener, listeners[listener], environment)


def buried() -> int | None:
    """Return a process that has ended; None when none has."""
    try:
        process, _ = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return process or None


def answer(listener: socket.socket, words: list[str], environment: dict[str, str]) -> None:
    """Start a server for one client, which is its standard input and output."""
    client, _ = listener.accept()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client:
        subprocess.Popen(words, stdin=client.fileno(), stdout=client.fileno(), env=environment)


if __name__ == "__main__":
    raise SystemExit(main(json.loads(sys.argv[1])))

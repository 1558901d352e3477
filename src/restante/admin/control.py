"""Commands to a running server through its control socket."""

import json
import socket
from pathlib import Path
from typing import cast

from restante.errors import ControlError
from restante.server.registry import socket_address

TIMEOUT_SECONDS = 10.0
MAXIMUM_OCTETS = 64 * 1024 * 1024


class ControlClient:
    """One administrator; every request has a connection of its own."""

    def __init__(self, path: Path, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._path = path
        self._timeout = timeout_seconds

    def request(self, command: str, **fields: str) -> dict[str, object]:
        """Have a command carried out and return the reply.

        Raises:
            ControlError: there is no server, it does not answer, or it says no.
        """
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                sock.settimeout(self._timeout)
                with socket_address(self._path) as address:
                    sock.connect(address)
                sock.sendall(json.dumps({"command": command, **fields}).encode() + b"\n")
                reply = _read_line(sock)
        except (FileNotFoundError, ConnectionRefusedError):
            raise ControlError("no server is running with this state directory") from None
        except PermissionError:
            raise ControlError("this user may not command the server") from None
        except TimeoutError:
            raise ControlError("the server does not answer") from None
        except (OSError, ValueError) as error:
            raise ControlError("the server cannot be spoken to") from error
        if "error" in reply:
            raise ControlError(str(reply["error"]))
        return reply


def _read_line(sock: socket.socket) -> dict[str, object]:
    data = bytearray()
    while not data.endswith(b"\n"):
        piece = sock.recv(1 << 20)
        if not piece or len(data) > MAXIMUM_OCTETS:
            raise ValueError("no reply")
        data += piece
    reply = json.loads(data)
    if not isinstance(reply, dict):
        raise ValueError("not a reply")
    return cast("dict[str, object]", reply)

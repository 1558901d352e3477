"""Keying material of TLS 1.3, for logins that are bound to their connection (RFC 9266).

Python's ssl has no exporter, but hands the secret that one derives from to whoever keeps a log of
keys. Ours is a pipe that nobody else can open: its name is gone before the first handshake, and
its ends are closed to programs that we start. It is emptied after every step of a handshake.

A pipe that is full takes no more, so that no client can make a handshake wait for it; a connection
whose secret is lost that way has nothing to be bound to.
"""

import fcntl
import hashlib
import hmac
import os
import ssl
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

_LABEL: Final = b"EXPORTER-Channel-Binding"
_BINDING_OCTETS: Final = 32
_HASHES: Final = {32: "sha256", 48: "sha384"}
"""Of the cipher suite, by the octets of its secrets."""
_PIPE_OCTETS: Final = 65_536


class Exporter:
    """The pipe that the contexts of one process log their keys to."""

    def __init__(self, contexts: Iterable[ssl.SSLContext]) -> None:
        """Have the contexts log to a pipe.

        Raises:
            OSError: there is no place for one.
        """
        with tempfile.TemporaryDirectory(prefix="restante-") as folder:
            path = Path(folder) / "keys"
            os.mkfifo(path, 0o600)
            # For writing as well: without a writer reading would see an end.
            self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            for context in contexts:
                _log_to(context, path)
        self.take(b"")

    def take(self, client_random: bytes) -> bytes | None:
        """Return the secret of the handshake with this random of the client's, emptying the pipe.

        None: it has not come about, or TLS is older than 1.3.
        """
        try:
            log = os.read(self._pipe, _PIPE_OCTETS)
        except BlockingIOError:
            return None
        wanted = b"EXPORTER_SECRET %b " % client_random.hex().encode()
        for line in log.split(b"\n"):
            if line.startswith(wanted):
                with suppress(ValueError):
                    secret = bytes.fromhex(line[len(wanted) :].decode("ascii"))
                    return secret if len(secret) in _HASHES else None
        return None

    def close(self) -> None:
        """Close our end."""
        os.close(self._pipe)


def _log_to(context: ssl.SSLContext, path: Path) -> None:
    """Have a context write to a pipe, by an end that neither waits nor is inherited."""
    descriptor = os.dup(0)
    os.close(descriptor)
    context.keylog_filename = str(path)
    # The lowest number that was free: the end has no other name by which it could be found.
    if os.fstat(descriptor).st_ino != path.stat().st_ino:
        raise OSError("the end of the pipe is not where it was expected")
    fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
    os.set_inheritable(descriptor, False)


def channel_binding(secret: bytes) -> bytes:
    """Return `tls-exporter` (RFC 9266 §2, RFC 8446 §7.5) of a connection's exporter secret."""
    name = _HASHES[len(secret)]
    empty = hashlib.new(name).digest()
    derived = _expand_label(name, secret, _LABEL, empty, len(empty))
    return _expand_label(name, derived, b"exporter", empty, _BINDING_OCTETS)


def _expand_label(name: str, secret: bytes, label: bytes, context: bytes, octets: int) -> bytes:
    """Return HKDF-Expand-Label (RFC 8446 §7.1) of no more octets than the hash has."""
    label = b"tls13 " + label
    info = b"%b%c%b%c%b" % (octets.to_bytes(2, "big"), len(label), label, len(context), context)
    return hmac.digest(secret, info + b"\x01", name)[:octets]

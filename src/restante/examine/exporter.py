"""Keying material of TLS 1.3 for channel binding: the exporter of RFC 8446 §7.5.

Python's ssl has no exporter, but it writes the exporter's secret where it is told to write a key
log. One connection of the suite does so, into a file that nobody else can open: it has lost its
name before the handshake begins.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LABEL = b"EXPORTER-Channel-Binding"
LENGTH = 32
_HASH_BY_SIZE = {32: "sha256", 48: "sha384"}
_SECRET = "EXPORTER_SECRET"


@contextmanager
def logging_keys(context: ssl.SSLContext) -> Iterator[Callable[[], bytes | None]]:
    """Yield what returns the exporter's secret of the one connection made with this context."""
    with tempfile.TemporaryDirectory(prefix="restante-") as folder:
        path = Path(folder) / "keys"
        context.keylog_filename = str(path)
        log = path.open(encoding="ascii")
    # Both have it open, and no secret was written while it had a name: whatever becomes of this
    # process, nothing stays behind.
    try:
        with log:
            yield lambda: secret_in(log.read())
    finally:
        context.keylog_filename = None  # type: ignore[assignment]


def secret_in(log: str, client_random: bytes | None = None) -> bytes | None:
    """Return the exporter's secret that a key log names, of this connection where it is given."""
    for line in log.splitlines():
        word, _, rest = line.partition(" ")
        random, _, secret = rest.partition(" ")
        if word == _SECRET and (client_random is None or random == client_random.hex()):
            return bytes.fromhex(secret)
    return None


def exported(secret: bytes) -> bytes:
    """Return the channel binding of RFC 9266 §2 that follows from an exporter's secret."""
    name = _HASH_BY_SIZE[len(secret)]
    nothing = hashlib.new(name).digest()
    derived = expand_label(name, secret, LABEL, nothing, len(nothing))
    return expand_label(name, derived, b"exporter", nothing, LENGTH)


def expand_label(name: str, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """Return HKDF-Expand-Label of RFC 8446 §7.1; no use of it here is longer than the hash."""
    label = b"tls13 " + label
    info = length.to_bytes(2) + bytes([len(label)]) + label + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\x01", name)[:length]

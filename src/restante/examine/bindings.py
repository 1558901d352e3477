"""Channel bindings (RFC 5929, 9266): a connection under TLS, and what is bound to it.

What a server has to know of TLS for a binding is computed here once more, from the certificate,
from the library, and from the exporter's secret.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from restante.examine.certificate import read_certificate
from restante.examine.exporter import exported, logging_keys
from restante.examine.handshakes import greeted_under
from restante.examine.outcome import NotApplicable, NotTried
from restante.examine.scram import Binding
from restante.examine.stage import Stage

NO_EXTENDED_MASTER_SECRET = 1
"""SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL 3, which Python's ssl has no name for."""
BROKEN_HASHES = ("md5", "sha1")


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of channel binding; `bind` opens a connection under TLS and returns its data.

    `mandatory` cites who asks for it where there is any channel binding, or is empty.
    """

    name: str
    bind: Callable[[Stage], bytes]
    mandatory: str = ""

    def on_new_connection(self, stage: Stage) -> Binding:
        """Open a connection, and bind to it."""
        return Binding(self.name, self.bind(stage))


def end_point_hash(certificate: bytes) -> bytes | None:
    """Return the hash of RFC 5929 §4.1, or None where it is not defined."""
    name = read_certificate(certificate).signature_hash
    if name is None:
        return None
    return hashlib.new("sha256" if name in BROKEN_HASHES else name, certificate).digest()


def tls_1_2(stage: Stage, *, extended: bool = True) -> ssl.SSLContext:
    """Return a context for TLS 1.2, with the extended master secret (RFC 7627) or without."""
    context = stage.target.trust.new_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if not extended:
        context.options |= NO_EXTENDED_MASTER_SECRET
    return context


def _end_point(stage: Stage) -> bytes:
    greeted_under(stage, stage.target.trust.new_context())
    assert stage.wire.tls is not None
    hashed = end_point_hash(stage.wire.tls.certificate or b"")
    if hashed is None:
        raise NotApplicable("for a certificate with such a signature it is not defined")
    return hashed


def _unique(stage: Stage) -> bytes:
    greeted_under(stage, tls_1_2(stage))
    return unique_of(stage)


def unique_of(stage: Stage) -> bytes:
    """Return what Python's ssl calls tls-unique of the current connection."""
    assert stage.wire.tls is not None
    if (data := stage.wire.tls.unique) is None:
        raise NotTried("the library does not tell what tls-unique is")
    return data


def _exporter(stage: Stage) -> bytes:
    context = stage.target.trust.new_context()
    with logging_keys(context) as secret_of:
        greeted_under(stage, context)
        secret = secret_of()
    if secret is None:
        raise NotApplicable("the server does not speak TLS 1.3")
    return exported(secret)


END_POINT = Kind("tls-server-end-point", _end_point)
UNIQUE = Kind("tls-unique", _unique, "RFC 5802 §6.1")
EXPORTER = Kind("tls-exporter", _exporter, "RFC 9266 §3")
KINDS = (EXPORTER, UNIQUE, END_POINT)

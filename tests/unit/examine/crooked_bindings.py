"""What the crooked server binds SCRAM to: its side of the channel, computed in another way.

The suite reads certificates and derives keys with code of its own; here the library `cryptography`
does both, so that the two check each other.
"""

from __future__ import annotations

import ssl
import struct
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

EXTENDED_MASTER_SECRET = 23
EXPORTER, UNIQUE, END_POINT = "tls-exporter", "tls-unique", "tls-server-end-point"


def channel_bindings(
    connection: ssl.SSLSocket,
    hello: bytes,
    key_log: Path,
    certificate: bytes,
    faults: frozenset[str],
) -> dict[str, bytes]:
    """Return the data of each type of binding that this connection has."""
    found = {}
    modern = connection.version() == "TLSv1.3"
    if "no-mandatory-binding" not in faults:
        if modern:
            found[EXPORTER] = exporter(key_log.read_text(), hello[11:43])
        if not modern or "unique-everywhere" in faults:
            found[UNIQUE] = connection.get_channel_binding("tls-unique") or b""
    if "no-end-point" not in faults:
        found[END_POINT] = end_point(certificate, faults)
    return found


def end_point(certificate: bytes, faults: frozenset[str]) -> bytes:
    """Return the hash of the certificate, by a wrong function where a fault wants that."""
    signed = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    assert signed is not None
    weak = isinstance(signed, hashes.SHA1 | hashes.MD5)
    digest = hashes.Hash(hashes.SHA256() if weak else signed)
    if "wrong-hash" in faults:
        digest = hashes.Hash(hashes.SHA3_256())
    digest.update(certificate)
    return digest.finalize()


def exporter(key_log: str, client_random: bytes) -> bytes:
    """Return the exported keying material of the connection with this random."""
    lines = [line.split() for line in key_log.splitlines() if line.startswith("EXPORTER_SECRET")]
    [secret] = [bytes.fromhex(words[2]) for words in lines if words[1] == client_random.hex()]
    algorithm = hashes.SHA256() if len(secret) == 32 else hashes.SHA384()
    digest = hashes.Hash(algorithm)
    nothing = digest.finalize()

    def expand(key: bytes, label: bytes, length: int) -> bytes:
        label = b"tls13 " + label
        parts = struct.pack(">HB", length, len(label)), label, bytes([len(nothing)]), nothing
        return HKDFExpand(algorithm, length, b"".join(parts)).derive(key)

    return expand(expand(secret, b"EXPORTER-Channel-Binding", len(nothing)), b"exporter", 32)


def has_extended_secret(connection: ssl.SSLSocket, hello: bytes) -> bool:
    """Tell whether the master secret is bound to the handshake: OpenSSL does so where asked to."""
    return connection.version() == "TLSv1.3" or EXTENDED_MASTER_SECRET in extensions_of(hello)


def extensions_of(hello: bytes) -> list[int]:
    """Return the types of the extensions of a ClientHello, its record included."""
    at = 44 + hello[43]
    at += 2 + int.from_bytes(hello[at : at + 2])
    at += 1 + hello[at] + 2
    found = []
    while at + 4 <= len(hello):
        kind, size = struct.unpack(">HH", hello[at : at + 4])
        found.append(kind)
        at += 4 + size
    return found

"""TLS for the crooked server: contexts, a look at the ClientHello, and a liar's ServerHello."""

from __future__ import annotations

import datetime
import socket
import ssl
import struct
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from restante.examine.hello import DHE
from restante.examine.target import ClientCertificate

UNRECOGNIZED_NAME, NO_APPLICATION_PROTOCOL, HANDSHAKE_FAILURE = 112, 120, 40
HELLO_LIMIT = 4096
RSA_SHA_256, RSA_SHA_1 = (bytes.fromhex(f"06092a864886f70d0101{end}") for end in ("0b", "05"))


class Certificates:
    """The contexts of the crooked server, and certificates for its clients."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.key_log = folder / "keys"
        self._clients = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self._server = trustme.CA().issue_cert("localhost")
        self._contexts = {
            "asking": self._good(asks=True),
            "plain": self._good(asks=False),
            "lenient-tls": self._lenient(),
            "only-1.3": self._good(asks=True),
        }
        self._contexts["only-1.3"].minimum_version = ssl.TLSVersion.TLSv1_3
        for fault in ("weak-key", "weak-signature"):
            self._contexts[fault] = self._weak(fault)

    @property
    def own(self) -> bytes:
        """Return the server's certificate in DER."""
        return ssl.PEM_cert_to_DER_cert(self._server.cert_chain_pems[0].bytes().decode())

    def context(self, faults: frozenset[str]) -> ssl.SSLContext:
        """Return the context that a server with these faults has."""
        wanted = "plain" if "offers-little" in faults else "asking"
        return self._contexts[next((name for name in self._contexts if name in faults), wanted)]

    def of_client(self, name: str) -> ClientCertificate:
        """Return a certificate that says so, with its key."""
        path = self._folder / f"{name}.pem"
        if not path.exists():
            issued = self._clients.issue_cert(common_name=name, key_type=trustme.KeyType.ECDSA)
            path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
        return ClientCertificate(path)

    def _good(self, *, asks: bool) -> ssl.SSLContext:
        """Return a context that does what RFC 9325 asks for."""
        context = server_context(self._server)
        context.keylog_filename = str(self.key_log)
        if asks:
            context.verify_mode = ssl.CERT_OPTIONAL
            self._clients.configure_trust(context)
        return context

    def _lenient(self) -> ssl.SSLContext:
        """Return a context that lets the client choose, and is one version behind."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        self._server.configure_cert(context)
        return context

    def _weak(self, fault: str) -> ssl.SSLContext:
        """Return a context with a certificate that nobody should have any more."""
        path = self._folder / f"{fault}.pem"
        path.write_bytes(weak_certificate(fault))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.load_cert_chain(path)
        return context


def server_context(certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
    """Return a context that does what RFC 9325 asks for, its certificate a new one if need be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM")
    context.set_alpn_protocols(["pop3"])
    (certificate or trustme.CA().issue_cert("localhost")).configure_cert(context)
    return context


def weak_certificate(fault: str) -> bytes:
    """Return a certificate with a short key, or one that says SHA-1 of its signature, and its key.

    No library signs with SHA-1 any more, and nobody here verifies the signature.
    """
    key = rsa.generate_private_key(65537, 1024 if fault == "weak-key" else 2048)
    signer = rsa.generate_private_key(65537, 2048)
    now = datetime.datetime.now(datetime.UTC)
    named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("a", "b")]
    certificate = (
        x509.CertificateBuilder(named[0], named[1], key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(1))
        .not_valid_after(now + datetime.timedelta(1))
        .sign(signer, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    if fault == "weak-signature":
        certificate = certificate.replace(RSA_SHA_256, RSA_SHA_1)
    return ssl.DER_cert_to_PEM_cert(certificate).encode() + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def peeked(connection: socket.socket) -> bytes:
    """Return the ClientHello, which stays unread."""
    return connection.recv(HELLO_LIMIT, socket.MSG_PEEK)


def objection(hello: bytes) -> int | None:
    """Return the alert that a ClientHello deserves."""
    if b"nowhere.invalid" in hello:
        return UNRECOGNIZED_NAME
    return NO_APPLICATION_PROTOCOL if b"\x02h2" in hello else None


def turn_away(connection: socket.socket, alert: int) -> bool:
    """Refuse the handshake."""
    connection.recv(2048)
    connection.sendall(b"\x15\x03\x03\0\x02\x02" + bytes([alert]))
    return False


def agree_to_anything(connection: socket.socket) -> bool:
    """Take the first of everything the client offers, and ask for its certificate."""
    hello = connection.recv(2048)
    version, first_suite = hello[9:11], hello[46:48]
    compressions = 46 + struct.unpack(">H", hello[44:46])[0]
    body = version + bytes(32) + b"\0" + first_suite + hello[compressions + 1 : compressions + 2]
    messages = b"\x02" + len(body).to_bytes(3) + body
    if int.from_bytes(first_suite) in DHE:
        group = (128).to_bytes(2) + b"\xff" * 128 + b"\0\x01\x02"
        messages += b"\x0c" + len(group).to_bytes(3) + group
    messages += b"\x0d\0\0\0" + b"\x0e\0\0\0"
    connection.sendall(b"\x16\x03\x03" + struct.pack(">H", len(messages)) + messages)
    connection.recv(2048)
    return False

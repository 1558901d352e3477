"""TLS for the crooked server: a context, a look at the ClientHello, and a liar's ServerHello."""

from __future__ import annotations

import socket
import ssl
import struct

import trustme

UNRECOGNIZED_NAME, NO_APPLICATION_PROTOCOL, HANDSHAKE_FAILURE = 112, 120, 40


def server_context() -> ssl.SSLContext:
    """Return a context that does what RFC 9325 asks for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM")
    context.set_alpn_protocols(["pop3"])
    trustme.CA().issue_cert("localhost").configure_cert(context)
    return context


def lenient_context() -> ssl.SSLContext:
    """Return a context that lets the client choose, and is one version behind."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    trustme.CA().issue_cert("localhost").configure_cert(context)
    return context


def objection(connection: socket.socket) -> int | None:
    """Look at the ClientHello, which stays unread, and return the alert it deserves."""
    hello = connection.recv(2048, socket.MSG_PEEK)
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
    messages += b"\x0d\0\0\0" + b"\x0e\0\0\0"
    connection.sendall(b"\x16\x03\x03" + struct.pack(">H", len(messages)) + messages)
    connection.recv(2048)
    return False

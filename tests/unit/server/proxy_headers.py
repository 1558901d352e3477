"""PROXY headers as a proxy sends them, made by the specification and not by what reads them."""

import struct
from ipaddress import ip_address

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")
LOCAL, PROXY = 0x20, 0x21
UNSPEC, TCP4, UDP4, TCP6, UNIX = 0x00, 0x11, 0x12, 0x21, 0x31
ALPN, AUTHORITY, CRC32C, NOOP, SSL = 0x01, 0x02, 0x03, 0x04, 0x20
CLIENT = "203.0.113.7"
SERVER = "198.51.100.1"


def line(
    client: str = CLIENT, server: str = SERVER, ports: tuple[int, int] = (50_540, 995)
) -> bytes:
    """Return a header of version 1."""
    family = "TCP6" if ":" in client else "TCP4"
    return f"PROXY {family} {client} {server} {ports[0]} {ports[1]}\r\n".encode()


def vector(kind: int, value: bytes) -> bytes:
    """Return one TLV."""
    return struct.pack("!BH", kind, len(value)) + value


def addresses(
    client: str = CLIENT, server: str = SERVER, ports: tuple[int, int] = (50_540, 995)
) -> bytes:
    """Return the address block of TCP over IPv4 or IPv6."""
    packed = ip_address(client).packed + ip_address(server).packed
    return packed + struct.pack("!HH", *ports)


def block(
    body: bytes | None = None, *, command: int = PROXY, family: int = TCP4, size: int | None = None
) -> bytes:
    """Return a header of version 2."""
    body = addresses() if body is None else body
    size = len(body) if size is None else size
    return SIGNATURE + struct.pack("!BBH", command, family, size) + body


def checked(*others: bytes) -> bytes:
    """Return a header of version 2 with a right checksum among other TLVs."""
    before = addresses() + b"".join(others)
    bare = block(before + vector(CRC32C, bytes(4)) + vector(NOOP, b"x"))
    at = 16 + len(before) + 3
    return bare[:at] + struct.pack("!I", castagnoli(bare)) + bare[at + 4 :]


def castagnoli(data: bytes) -> int:
    """Return the checksum, bit by bit."""
    remainder = 0xFFFFFFFF
    for octet in data:
        remainder ^= octet
        for _ in range(8):
            remainder = (remainder >> 1) ^ (0x82F63B78 * (remainder & 1))
    return remainder ^ 0xFFFFFFFF

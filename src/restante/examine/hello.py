"""A TLS ClientHello written by hand, and what a server says to it.

The library under Python's ssl no longer offers what is to be found out: whether a server would
still speak an old version or a weak suite. Up to the end of the server's first flight TLS 1.2 is
in clear, so that no cryptography is needed to look.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from restante.examine.outcome import Broken, Flooded
from restante.examine.wire import Wire

TLS_1_0, TLS_1_1, TLS_1_2 = 0x0301, 0x0302, 0x0303
_VERSIONS = {TLS_1_0: "1.0", TLS_1_1: "1.1", TLS_1_2: "1.2"}
ECDSA_GCM, RSA_GCM = (0xC02B, 0xC02C), (0xC02F, 0xC030)
ECDHE_GCM = (*ECDSA_GCM, *RSA_GCM)
OLD_SUITES = (0xC009, 0xC00A, 0xC013, 0xC014, 0x002F, 0x0035, 0x000A)
DHE = (0x009E, 0x009F, 0xCCAA, 0x0067, 0x006B, 0x0033, 0x0039)
SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST = 2, 11, 12, 13
SERVER_HELLO_DONE = 14
SERVER_NAME, ALPN, EXTENDED_MASTER_SECRET, RENEGOTIATION = 0, 16, 23, 0xFF01
_ALERT, _HANDSHAKE = 21, 22
_FLIGHT_LIMIT = 1 << 17


@dataclass(frozen=True, slots=True)
class Hello:
    """What the client offers."""

    suites: Sequence[int] = ECDHE_GCM
    version: int = TLS_1_2
    record_version: int = TLS_1_0
    compressions: bytes = b"\0"
    server_name: str = ""
    protocols: Sequence[str] = ()

    def encode(self) -> bytes:
        """Return the record that carries it."""
        suites = struct.pack(f">{len(self.suites)}H", *self.suites)
        body = struct.pack(">H", self.version) + secrets.token_bytes(32) + b"\0"
        body += _vector(2, suites) + _vector(1, self.compressions) + _vector(2, self._extensions())
        message = b"\x01" + len(body).to_bytes(3) + body
        return struct.pack(">BHH", _HANDSHAKE, self.record_version, len(message)) + message

    @property
    def told(self) -> str:
        """Return what the record shows of it."""
        words = [f"<ClientHello of TLS {_VERSIONS.get(self.version, hex(self.version))}"]
        if self.server_name:
            words.append(f"for {self.server_name}")
        if self.protocols:
            words.append(f"protocols {' '.join(self.protocols)}")
        if self.compressions != b"\0":
            words.append(f"compressions {self.compressions.hex(' ')}")
        words.append(f"suites {' '.join(f'{suite:04x}' for suite in self.suites)}")
        return ", ".join(words) + ">"

    def _extensions(self) -> bytes:
        signatures = (0x0403, 0x0503, 0x0804, 0x0805, 0x0401, 0x0501, 0x0203, 0x0201)
        offered = {
            10: _vector(2, struct.pack(">3H", 29, 23, 24)),
            11: _vector(1, b"\0"),
            13: _vector(2, struct.pack(f">{len(signatures)}H", *signatures)),
            EXTENDED_MASTER_SECRET: b"",
            RENEGOTIATION: b"\0",
        }
        if self.server_name:
            offered[SERVER_NAME] = _vector(2, b"\0" + _vector(2, self.server_name.encode()))
        if self.protocols:
            names = b"".join(_vector(1, name.encode()) for name in self.protocols)
            offered[ALPN] = _vector(2, names)
        return b"".join(struct.pack(">H", kind) + _vector(2, x) for kind, x in offered.items())


@dataclass(slots=True)
class Flight:
    """What the server answers: an alert, or the messages of its first flight.

    `prime_bits` is the size of its Diffie-Hellman group, where the suite is one of `DHE`.
    """

    alert: int | None = None
    version: int | None = None
    suite: int | None = None
    compression: int | None = None
    extensions: Mapping[int, bytes] = field(default_factory=dict)
    messages: list[int] = field(default_factory=list)
    certificates: list[bytes] = field(default_factory=list)
    prime_bits: int | None = None

    @property
    def accepted(self) -> bool:
        """Tell whether the server went along."""
        return self.suite is not None


def say_hello(wire: Wire, hello: Hello) -> Flight:
    """Send a ClientHello and read the server's first flight, or as much as there is."""
    wire.send(hello.encode(), shown=hello.told.encode())
    flight = Flight()
    messages = bytearray()
    total = 0
    # One for all of it: records that come one by one, or are empty, would never end.
    deadline = wire.deadline()
    try:
        while SERVER_HELLO_DONE not in flight.messages:
            kind, _, size = struct.unpack(">BHH", wire.exactly(5, deadline))
            if kind not in (_ALERT, _HANDSHAKE):
                return flight
            content = wire.exactly(size, deadline)
            total += size
            if total > _FLIGHT_LIMIT:
                raise Flooded("the server's first flight does not end")
            if kind == _ALERT:
                flight.alert = content[-1] if content else None
                return flight
            messages += content
            _take_messages(flight, messages)
    except Broken:
        pass
    return flight


def _take_messages(flight: Flight, messages: bytearray) -> None:
    """Take the complete handshake messages off the buffer."""
    while len(messages) >= 4 and len(messages) >= 4 + (size := int.from_bytes(messages[1:4])):
        kind, body = messages[0], bytes(messages[4 : 4 + size])
        del messages[: 4 + size]
        flight.messages.append(kind)
        if kind == SERVER_HELLO:
            _read_server_hello(flight, body)
        elif kind == CERTIFICATE:
            flight.certificates = _read_chain(body[3:])
        elif kind == SERVER_KEY_EXCHANGE and flight.suite in DHE:
            prime = body[2 : 2 + int.from_bytes(body[:2])]
            flight.prime_bits = int.from_bytes(prime).bit_length()


def _read_chain(rest: bytes) -> list[bytes]:
    """Return the certificates of a list of TLS 1.2 (RFC 5246 §7.4.2)."""
    chain = []
    while len(rest) >= 3:
        size = int.from_bytes(rest[:3])
        chain.append(rest[3 : 3 + size])
        rest = rest[3 + size :]
    return chain


def _read_server_hello(flight: Flight, body: bytes) -> None:
    if len(body) < 38 or len(body) < 38 + body[34]:
        return
    flight.version = int.from_bytes(body[:2])
    after_id = 35 + body[34]
    flight.suite = int.from_bytes(body[after_id : after_id + 2])
    flight.compression = body[after_id + 2]
    rest = body[after_id + 5 :]
    extensions = {}
    while len(rest) >= 4:
        kind, size = struct.unpack(">HH", rest[:4])
        extensions[kind] = rest[4 : 4 + size]
        rest = rest[4 + size :]
    flight.extensions = extensions


def _vector(width: int, octets: bytes) -> bytes:
    """Return the octets behind their count."""
    return len(octets).to_bytes(width) + octets

"""The header that a proxy puts before a connection: PROXY protocol, versions 1 and 2.

Octets in, the ends of the client's own connection out; nothing here touches a socket. Everything is
bounded and strict, because what is read here is believed: an address comes out in the one form its
octets have, a number is decimal digits, and whatever is not exactly the protocol is refused.

What a proxy adds about the client (TLVs: its name for the server, its certificate) is stepped over,
but for the checksum, which is checked where there is one.
"""

import re
from functools import cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final, NamedTuple

from restante.errors import RestanteError

LINE_OCTETS: Final = 107
"""Version 1: a line has no more than this, its CRLF included."""
BLOCK_OCTETS: Final = 4_096
"""Version 2: no more than this follows the first sixteen octets. The protocol means it to fit into
one segment; a proxy that passes on a client's certificate needs more, none needs the 64 KiB that
could be announced."""

_LINE_START: Final = b"PROXY "
_SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED_OCTETS: Final = 16
_LOCAL, _PROXY = 0, 1
_UNSPECIFIED, _INET, _INET6, _UNIX = range(4)
_STREAM, _DATAGRAM = 1, 2
_ADDRESS_OCTETS: Final = {_UNSPECIFIED: 0, _INET: 12, _INET6: 36, _UNIX: 216}
_CRC32C: Final = 3

_PORT = rb" (0|[1-9][0-9]{0,4})"
_IPV4, _IPV6 = rb" ([0-9.]{7,15})", rb" ([0-9A-Fa-f:.]{2,45})"
_match_tcp4 = re.compile(rb"PROXY TCP4" + 2 * _IPV4 + 2 * _PORT).fullmatch
_match_tcp6 = re.compile(rb"PROXY TCP6" + 2 * _IPV6 + 2 * _PORT).fullmatch
# What stands behind the word is ignored, but it cannot hide half a line end.
_match_unknown = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?").fullmatch


class BadHeader(RestanteError):
    """Octets that are no header, or not the beginning of one; the text is for the log."""


class Ends(NamedTuple):
    """Both ends of the client's connection to the proxy, as the proxy saw them."""

    remote: tuple[str, int]
    local: tuple[str, int]


class Header(NamedTuple):
    """What a header says."""

    octets: int
    """Its size; what follows is the client's."""
    ends: Ends | None
    """None: it names no client, either because there is none or because it has no such address."""
    own: bool = False
    """The proxy speaks for itself, to see whether we are there."""


def parse(octets: bytes) -> Header | None:
    """Return the header that these octets begin with; None: some of it is still missing.

    Raises:
        BadHeader: they begin with something else.
    """
    if octets.startswith(_LINE_START):
        return _parse_line(octets)
    if octets.startswith(_SIGNATURE):
        return _parse_block(octets)
    if _LINE_START.startswith(octets) or _SIGNATURE.startswith(octets):
        return None
    raise BadHeader("no proxy header")


def _parse_line(octets: bytes) -> Header | None:
    """Version 1."""
    end = octets.find(b"\r\n", 0, LINE_OCTETS)
    if end < 0:
        if len(octets) >= LINE_OCTETS:
            raise BadHeader("proxy header too long")
        return None
    line = octets[:end]
    for match, family in ((_match_tcp4, AF_INET), (_match_tcp6, AF_INET6)):
        if found := match(line):
            source, destination, source_port, destination_port = found.groups()
            ends = Ends(
                (_address(family, source), _port(source_port)),
                (_address(family, destination), _port(destination_port)),
            )
            return Header(end + 2, ends)
    if _match_unknown(line):
        return Header(end + 2, None)
    raise BadHeader("proxy header malformed")


def _address(family: int, text: bytes) -> str:
    try:
        return inet_ntop(family, inet_pton(family, text.decode("ascii")))
    except OSError:
        raise BadHeader("proxy header malformed") from None


def _port(digits: bytes) -> int:
    port = int(digits)
    if port > 65_535:
        raise BadHeader("proxy header malformed")
    return port


def _parse_block(octets: bytes) -> Header | None:
    """Version 2."""
    if len(octets) < _FIXED_OCTETS:
        return None
    version, command = divmod(octets[12], 16)
    family, protocol = divmod(octets[13], 16)
    if version != 2 or command not in (_LOCAL, _PROXY):
        raise BadHeader("proxy header malformed")
    # Of a connection of the proxy's own the rest is of no account, whatever it is.
    if command == _PROXY and (family not in _ADDRESS_OCTETS or protocol > _DATAGRAM):
        raise BadHeader("proxy header malformed")
    size = int.from_bytes(octets[14:_FIXED_OCTETS], "big")
    if size > BLOCK_OCTETS:
        raise BadHeader("proxy header too long")
    end = _FIXED_OCTETS + size
    if len(octets) < end:
        return None
    if command == _LOCAL:
        return Header(end, None, own=True)
    return Header(end, _block_ends(octets[:end], family, protocol))


def _block_ends(header: bytes, family: int, protocol: int) -> Ends | None:
    vectors = _FIXED_OCTETS + _ADDRESS_OCTETS[family]
    if len(header) < vectors:
        raise BadHeader("proxy header malformed")
    if family != _UNSPECIFIED:
        # Where no family is named nobody can tell where the addresses end.
        _check_vectors(header, vectors)
    if protocol != _STREAM or family not in (_INET, _INET6):
        return None
    kind, octets = (AF_INET, 4) if family == _INET else (AF_INET6, 16)
    middle, ports = _FIXED_OCTETS + octets, _FIXED_OCTETS + 2 * octets
    return Ends(
        (
            inet_ntop(kind, header[_FIXED_OCTETS:middle]),
            int.from_bytes(header[ports : ports + 2], "big"),
        ),
        (
            inet_ntop(kind, header[middle:ports]),
            int.from_bytes(header[ports + 2 : ports + 4], "big"),
        ),
    )


def _check_vectors(header: bytes, at: int) -> None:
    """Step over the TLVs from here to the end, and check the first checksum among them."""
    checked = False
    while at < len(header):
        value = at + 3
        end = value + int.from_bytes(header[at + 1 : value], "big")
        if end > len(header):
            raise BadHeader("proxy header malformed")
        if header[at] == _CRC32C and not checked:
            checked = True
            if end - value != 4:
                raise BadHeader("proxy header malformed")
            zeroed = b"".join((header[:value], bytes(4), header[end:]))
            if crc32c(zeroed) != int.from_bytes(header[value:end], "big"):
                raise BadHeader("proxy header checksum")
        at = end


def crc32c(data: bytes) -> int:
    """Return the Castagnoli checksum, as SCTP computes it."""
    table, remainder = _crc32c_table(), 0xFFFF_FFFF
    for octet in data:
        remainder = remainder >> 8 ^ table[(remainder ^ octet) & 0xFF]
    return remainder ^ 0xFFFF_FFFF


@cache
def _crc32c_table() -> tuple[int, ...]:
    table = []
    for octet in range(256):
        remainder = octet
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F6_3B78 if remainder & 1 else 0)
        table.append(remainder)
    return tuple(table)

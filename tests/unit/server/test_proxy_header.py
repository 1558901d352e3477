"""The header of a proxy: what is read of it, and what is refused."""

import pytest

from restante.server.proxy_header import (
    BLOCK_OCTETS,
    LINE_OCTETS,
    BadHeader,
    Ends,
    Header,
    crc32c,
    parse,
)
from unit.server.proxy_headers import (
    ALPN,
    AUTHORITY,
    CLIENT,
    CRC32C,
    LOCAL,
    NOOP,
    SERVER,
    SIGNATURE,
    SSL,
    TCP6,
    UDP4,
    UNIX,
    UNSPEC,
    addresses,
    block,
    checked,
    line,
    vector,
)

BEHIND = b"CAPA\r\n"
ENDS = Ends((CLIENT, 50_540), (SERVER, 995))
SIX = ("2001:db8::7", "2001:db8::1")
CERTIFICATE = vector(SSL, b"\x07" + bytes(4) + vector(0x21, b"TLSv1.3") + vector(0x22, b"alice"))


def refused(octets: bytes) -> str:
    with pytest.raises(BadHeader) as caught:
        parse(octets)
    return str(caught.value)


# ---- version 1


@pytest.mark.parametrize(
    ("client", "server"),
    [(CLIENT, SERVER), SIX, ("::ffff:203.0.113.7", "::ffff:198.51.100.1"), ("0.0.0.0", "1.2.3.4")],
)
def test_a_line_names_both_ends(client: str, server: str) -> None:
    octets = line(client, server)
    assert parse(octets + BEHIND) == Header(
        len(octets), Ends((client, 50_540), (server, 995)), own=False
    )


def test_an_address_comes_out_in_one_form() -> None:
    header = parse(line("2001:0DB8:0:0:0:0:0:0007", "2001:DB8::1", (0, 65_535)))
    assert header is not None
    assert header.ends == Ends(("2001:db8::7", 0), ("2001:db8::1", 65_535))


@pytest.mark.parametrize(
    "rest", [b"", b" ", b" a", b" ffff::1 ffff::2 1 2", b" \xff\0" + b"x" * 80]
)
def test_an_unknown_client_is_nobody(rest: bytes) -> None:
    octets = b"PROXY UNKNOWN" + rest + b"\r\n"
    assert parse(octets + BEHIND) == Header(len(octets), None, own=False)


@pytest.mark.parametrize(
    "octets",
    [
        b"PROXY \r\n",
        b"PROXY TCP4\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 1\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 1 2 3\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 1 2 \r\n",
        b"PROXY  TCP4 203.0.113.7 198.51.100.1 1 2\r\n",
        b"PROXY TCP4  203.0.113.7 198.51.100.1 1 2\r\n",
        b"PROXY TCP4\t203.0.113.7 198.51.100.1 1 2\r\n",
        b"PROXY tcp4 203.0.113.7 198.51.100.1 1 2\r\n",
        b"PROXY UDP4 203.0.113.7 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
        b"PROXY TCP6 203.0.113.7 198.51.100.1 1 2\r\n",
        b"PROXY TCP6 2001:db8::7 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 203.0.113.07 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 203.0.113 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 203.0.113.256 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 0x7f.0.0.1 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 2130706433 198.51.100.1 1 2\r\n",
        b"PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2\r\n",
        b"PROXY TCP6 1::2::3 2001:db8::1 1 2\r\n",
        b"PROXY TCP6 1:2:3:4:5:6:7:8:9 2001:db8::1 1 2\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 +1 2\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 -1 2\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 01 2\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 1_0 2\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 1 65536\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 1 100000\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 \xd9\xa1 2\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 1 2\n\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 1 2\r\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 1 2\0\r\n",
        b"PROXY UNKNOWNS\r\n",
        b"PROXY UNKNOWN\nUSER alice\r\n",
        b"PROXY UNKNOWN \rUSER alice\r\n",
    ],
)
def test_a_line_is_exactly_the_protocol(octets: bytes) -> None:
    assert refused(octets) == "proxy header malformed"


def test_a_line_is_bounded() -> None:
    longest = b"PROXY UNKNOWN ".ljust(LINE_OCTETS - 2, b"x") + b"\r\n"
    assert LINE_OCTETS == 107
    assert parse(longest) == Header(107, None)
    assert parse(longest[:-1]) is None
    assert refused(longest[:-2] + b"x\r\n") == "proxy header too long"
    assert refused(longest[:-1] + b"x") == "proxy header too long"


# ---- version 2


def test_a_block_names_both_ends() -> None:
    assert parse(block() + BEHIND) == Header(28, ENDS, own=False)
    six = block(addresses(*SIX), family=TCP6)
    assert parse(six + BEHIND) == Header(52, Ends((SIX[0], 50_540), (SIX[1], 995)), own=False)


def test_an_ipv4_client_of_a_socket_for_both_has_dots() -> None:
    header = parse(block(addresses("::ffff:203.0.113.7", "::ffff:198.51.100.1"), family=TCP6))
    assert header is not None
    assert header.ends == Ends(("::ffff:203.0.113.7", 50_540), ("::ffff:198.51.100.1", 995))


@pytest.mark.parametrize("family", [UNSPEC, 0x11, UNIX, 0x77, 0xFF])
@pytest.mark.parametrize("body", [b"", b"\xff", addresses(), bytes(BLOCK_OCTETS)])
def test_a_proxy_may_speak_for_itself(family: int, body: bytes) -> None:
    octets = block(body, command=LOCAL, family=family)
    assert parse(octets + BEHIND) == Header(16 + len(body), None, own=True)


@pytest.mark.parametrize(
    ("family", "body"),
    [
        (UNSPEC, b""),
        (UNSPEC, b"\xff\xff\xff"),
        (0x01, b""),
        (0x02, b"x"),
        (0x10, addresses()),
        (UDP4, addresses()),
        (0x20, bytes(36)),
        (0x22, bytes(36)),
        (0x30, bytes(216)),
        (UNIX, b"/run/client".ljust(216, b"\0")),
        (0x32, bytes(216) + vector(NOOP, b"")),
    ],
)
def test_a_client_without_such_an_address_is_nobody(family: int, body: bytes) -> None:
    octets = block(body, family=family)
    assert parse(octets + BEHIND) == Header(len(octets), None, own=False)


@pytest.mark.parametrize(
    "octets",
    [
        block(command=0x11),
        block(command=0x31),
        block(command=0x22),
        block(command=0x2F),
        block(command=0x00),
        block(family=0x41),
        block(family=0xF1),
        block(family=0x13),
        block(family=0x1F),
        block(b""),
        block(addresses()[:-1]),
        block(addresses(), family=TCP6),
        block(bytes(215), family=UNIX),
        block(bytes(215), family=0x32),
        block(addresses() + b"\x04"),
        block(addresses() + b"\x04\0"),
        block(addresses() + b"\x04\0\x01"),
        block(addresses() + vector(NOOP, b"abc")[:-1]),
        block(addresses() + vector(NOOP, b"abc") + b"\x02\xff\xff"),
        block(bytes(216) + b"\x04", family=UNIX),
        block(addresses() + vector(CRC32C, b"")),
        block(addresses() + vector(CRC32C, bytes(5))),
    ],
)
def test_a_block_is_exactly_the_protocol(octets: bytes) -> None:
    assert refused(octets + bytes(16)) == "proxy header malformed"


def test_a_block_is_bounded() -> None:
    room = BLOCK_OCTETS - 12 - 3
    octets = block(addresses() + vector(SSL, bytes(room)))
    assert parse(octets) == Header(16 + BLOCK_OCTETS, ENDS)
    assert refused(block(size=BLOCK_OCTETS + 1)[:16]) == "proxy header too long"
    assert refused(block(b"", command=LOCAL, size=0xFFFF)) == "proxy header too long"


@pytest.mark.parametrize(
    "vectors",
    [
        vector(NOOP, b""),
        vector(ALPN, b"pop3") + vector(AUTHORITY, b"pop.example.org"),
        CERTIFICATE,
        vector(SSL, b""),
        vector(0xEE, b"\0" * 300) + vector(NOOP, b"x"),
        b"\0\0\0" * 100,
    ],
)
def test_what_a_proxy_adds_is_stepped_over(vectors: bytes) -> None:
    octets = block(addresses() + vectors)
    assert parse(octets + BEHIND) == Header(len(octets), ENDS)
    assert parse(checked(vectors)) == Header(len(checked(vectors)), ENDS)


def test_a_checksum_is_checked() -> None:
    octets = checked(vector(AUTHORITY, b"pop.example.org"), CERTIFICATE)
    assert parse(octets) is not None
    for at in (16, 23, 31, len(octets) - 5, len(octets) - 1):
        wrong = bytearray(octets)
        wrong[at] ^= 1
        assert refused(bytes(wrong)) == "proxy header checksum"


def test_the_checksum_is_castagnolis() -> None:
    assert crc32c(b"") == 0
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA


# ---- both


@pytest.mark.parametrize(
    "octets",
    [b"USER alice\r\n", b"\n", b"\r\r", b"PROXX", b"PASS x\r\n", b"proxy ", b"\x16\x03\x01", b"\0"],
)
def test_anything_else_is_told_at_once(octets: bytes) -> None:
    assert refused(octets) == "no proxy header"


@pytest.mark.parametrize("octets", [SIGNATURE[:-1] + b"\r", SIGNATURE[:5] + b"x", b"PROXY\r"])
def test_a_beginning_that_goes_wrong_is_none(octets: bytes) -> None:
    assert parse(octets[:-1]) is None
    assert refused(octets) == "no proxy header"


@pytest.mark.parametrize(
    "octets",
    [line(), line(*SIX), b"PROXY UNKNOWN\r\n", block(), checked(CERTIFICATE), block(command=LOCAL)],
)
def test_a_header_may_come_in_pieces(octets: bytes) -> None:
    for size in range(len(octets)):
        assert parse(octets[:size]) is None
    assert parse(octets) == parse(octets + BEHIND)
    assert parse(octets) is not None

"""What is fuzzed: each target takes any octets and raises where something is wrong.

No fuzzer is needed to call one, so the tests call them too; `run.py` puts them under atheris.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from itertools import pairwise

from fuzz import below

from restante.errors import AuthenticationFailed, RestanteError
from restante.protocol import SessionOptions
from restante.protocol.authorization import decode
from restante.protocol.commands import BadSyntax, Command, parse
from restante.protocol.lines import COMMAND_OCTETS, SASL_OCTETS, LineBuffer, LineFault
from restante.protocol.stuffing import DotStuffer, TopCut
from restante.sasl import (
    ClientExchange,
    ClientMechanism,
    CramMd5Client,
    CramMd5Server,
    ExternalClient,
    ExternalServer,
    LoginClient,
    LoginServer,
    MechanismError,
    OAuthBearerClient,
    OAuthBearerServer,
    PlainClient,
    PlainServer,
    ScramClient,
    ScramServer,
    ServerMechanism,
    ServerUnproved,
    XOAuth2Client,
    XOAuth2Server,
)
from restante.sasl.mechanism import Channel
from restante.secret import Secret
from restante.server.proxy_header import BLOCK_OCTETS, LINE_OCTETS, BadHeader, Header
from restante.server.proxy_header import parse as parse_header
from transcripts.maildrops import MAILDROPS, letter, on_the_wire
from transcripts.post_office import Desk, PostOffice
from unit.sasl.dialogue import Account, Host

LINES = re.compile(rb"(?:[^\r\n]{0,510}\r\n)*")
STLS = re.compile(rb"(?:^|(?<=\n))STLS\r?\n", re.IGNORECASE)
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
SECRET = Secret(b"pencil")
CHANNEL = Channel(
    random=bytes(18),
    bindings={"tls-server-end-point": bytes(32)},
    certificate=b"DER",
)
SCRAM = ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS")
PATIENT = SessionOptions(bad_commands_before_login=1 << 60, bad_commands_in_a_row=1 << 60)


def lines(data: bytes) -> None:
    """Cut octets in two ways and compare the lines; parse each."""
    limit = SASL_OCTETS if data[:1] > b"\x7f" else COMMAND_OCTETS
    size = data[1] + 1 if len(data) > 1 else 1
    octets = data[2:]
    whole = _lines_of([octets], limit)
    cut = [octets[start : start + size] for start in range(0, len(octets), size)]
    assert _lines_of(cut, limit) == whole
    for line in whole:
        if isinstance(line, bytes):
            assert len(line) < limit
            assert not set(line) & set(b"\r\n\0")
            _parsed(line)


def _lines_of(segments: list[bytes], limit: int) -> list[bytes | LineFault]:
    buffer = LineBuffer()
    found: list[bytes | LineFault] = []
    for segment in segments:
        buffer.append(segment)
        while (line := buffer.next_line(limit)) is not None:
            found.append(line)
            if line is LineFault.ENDLESS:
                return found
    return found


def _parsed(line: bytes) -> None:
    command = parse(line)
    in_utf8 = parse(line, utf8=True)
    # What ASCII allows is the same in both; only what goes beyond it may differ.
    assert command == in_utf8 or not line.isascii()
    for either in (command, in_utf8):
        if isinstance(either, BadSyntax):
            assert either.value.isascii()
            continue
        assert isinstance(either, Command)
        for value in (either.number, either.lines):
            assert value is None or 0 <= value < 10**10
        assert b" " not in either.name
        either.name.decode("utf-8")


def session(data: bytes) -> None:
    """Hold one conversation in two cuts; the first octets say how it is cut and where it begins."""
    begun, size, octets = data[:1], data[1:2], data[2:]
    start = b"USER alice\r\nPASS secret\r\n" if begun > b"\x7f" else b""
    uncut, cut = _desk(), _desk()
    _converse(uncut, start + octets, len(start + octets) or 1)
    _converse(cut, start + octets, (size[0] if size else 0) + 1)
    assert uncut.sent == cut.sent
    assert uncut.events == cut.events
    assert LINES.fullmatch(bytes(uncut.sent))


def _desk() -> Desk:
    office = PostOffice()
    office.add(
        "alice", "secret", (*MAILDROPS["MD"], letter(150), *MAILDROPS["MH"], *MAILDROPS["MU"])
    )
    return Desk(office, options=PATIENT)


def _converse(desk: Desk, octets: bytes, size: int) -> None:
    # STLS is the one command whose outcome the cuts decide: here it always ends its segment, and
    # TLS is made at once.
    ends = [match.end() for match in STLS.finditer(octets)]
    for begin, end in pairwise([0, *ends, len(octets)]):
        part = octets[begin:end]
        for start in range(0, len(part), size):
            desk.receive(part[start : start + size])
        if desk.negotiating:
            desk.make_tls()
    desk.receive_eof()


def message(data: bytes) -> None:
    """Stuff a message and cut it for TOP, in pieces, against what a whole look says."""
    size, count, stored = (data[0] if data else 0) + 1, data[1] if len(data) > 1 else 0, data[2:]
    wire = on_the_wire(stored)
    pieces = [wire[start : start + size] for start in range(0, len(wire), size)]
    stuffer, cut = DotStuffer(), TopCut(count)
    sent = b"".join(map(stuffer.stuff, pieces))
    lines_sent = sent.split(b"\r\n")
    assert b"\r\n".join(line.removeprefix(b".") for line in lines_sent) == wire
    assert b"." not in lines_sent
    lines_stored = wire.split(b"\r\n")[:-1]
    header = lines_stored.index(b"") + 1 if b"" in lines_stored else len(lines_stored)
    shown = b"".join(line + b"\r\n" for line in lines_stored[: header + count])
    assert b"".join(map(cut.cut, pieces)) == shown


def exchange(data: bytes) -> None:
    """Decode a response and give it to PLAIN."""
    decoded = decode(data)
    for response in (data, decoded):
        if response is None:
            continue
        try:
            PlainServer().respond(response)
        except MechanismError as error:
            text = str(error)
        else:
            continue
        assert text.isascii()
        assert "[" not in text


def mechanism(data: bytes) -> None:
    """Hold one exchange with a server, or with a client; lines are its messages."""
    which, *messages = data[:1], *data[1:].split(b"\n")
    chosen = which[0] if which else 0
    if chosen & 1:
        _challenge(ClientExchange(_clients()[(chosen >> 1) % 7]), messages)
    else:
        _respond(Host(_servers()[(chosen >> 1) % 10], Account()), messages)


def _servers() -> list[ServerMechanism]:
    return [
        PlainServer(),
        LoginServer(),
        CramMd5Server(CHANNEL),
        ExternalServer(CHANNEL),
        OAuthBearerServer(CHANNEL),
        XOAuth2Server(CHANNEL),
        *(ScramServer(name, CHANNEL) for name in SCRAM),
    ]


def _clients() -> list[ClientMechanism]:
    return [
        PlainClient("alice", SECRET),
        LoginClient("alice", SECRET),
        CramMd5Client("alice", SECRET),
        ExternalClient(),
        OAuthBearerClient(SECRET, CHANNEL),
        XOAuth2Client("alice", SECRET),
        ScramClient("SCRAM-SHA-256-PLUS", "alice", SECRET, CHANNEL),
    ]


def _respond(host: Host, messages: list[bytes]) -> None:
    try:
        challenge = host.start(None if not messages[0] else messages[0])
        for response in messages[1:]:
            if challenge is None:
                break
            challenge = host.respond(response)
    except MechanismError as error:
        _is_ours(error)
    if isinstance(host.outcome, AuthenticationFailed):
        _is_ours(host.outcome)


def _challenge(client: ClientExchange, messages: list[bytes]) -> None:
    try:
        for challenge in messages:
            client.respond(challenge)
    except (MechanismError, ServerUnproved) as error:
        _is_ours(error)
    assert client.failure.isascii()


def _is_ours(error: RestanteError) -> None:
    assert re.fullmatch(r"[A-Za-z0-9 ,.'`-]{1,99}", str(error)), error
    assert error.__context__ is None


def proxy_header(data: bytes) -> None:
    """Read the header of a proxy as it comes in: once it is whole the rest makes no difference."""
    whole = _header_of(data)
    size = min(len(data), LINE_OCTETS + 1)
    for end in range(size):
        begun = _header_of(data[:end])
        assert begun is None or begun == whole
    if isinstance(whole, Header):
        assert _header_of(data[: whole.octets]) == whole
        assert _header_of(data[: whole.octets - 1]) is None
        for address, port in whole.ends or ():
            assert str(ip_address(address))
            assert 0 <= port <= 65_535
    elif whole is None:
        assert len(data) < 16 + BLOCK_OCTETS


def _header_of(data: bytes) -> Header | str | None:
    try:
        return parse_header(data)
    except BadHeader as error:
        return str(error)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "lines": lines,
    "session": session,
    "message": message,
    "exchange": exchange,
    "mechanism": mechanism,
    "proxy-header": proxy_header,
    **below.TARGETS,
}

SEEDS: dict[str, list[bytes]] = {
    "lines": [
        b"\0\0NOOP\r\nTOP 1 0\nUSER a\rb\r\n",
        b"\xff\x05AUTH PLAIN AGEAYg==\r\nPASS a b\r\n",
    ],
    "session": [
        b"\0\x03USER alice\r\nPASS secret\r\nSTAT\r\nLIST\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n",
        b"\xff\x07TOP 1 1\r\nUIDL\r\nRSET\r\nCAPA\r\nNOOP\n",
        b"\0\x01AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\nLIST 2\r\n",
        b"\0\x09USER alice\r\nSTLS\r\nPASS secret\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n",
    ],
    "message": [b"\x02\x01A: b\r\n\r\n.\r\n..\r\nx", b"\0\0\n.\n"],
    "exchange": [b"AGFsaWNlAHNlY3JldA==", b"\0alice\0secret", b"*", b"="],
    "mechanism": [
        *(b"\x00\0alice\0pencil", b"\x02\nalice\npencil", b"\x04\nalice " + b"0" * 32),
        *(
            b"\x06alice",
            b"\x08n,a=alice,\x01auth=Bearer token\x01\x01",
            b"\x08n,,\x01auth=\x01\x01\n\x01",
        ),
        *(b"\x0auser=alice\x01auth=Bearer token\x01\x01", b"\x0auser=alice\x01\x01\n"),
        b"\x0en,a=alice,n=al=2Cice,r=abc,x=y\nc=biws,r=abc"
        + b"A" * 24
        + b",p="
        + b"A" * 42
        + b"A=\n",
        b"\x12p=tls-server-end-point,,n=alice,r=abc\nc=cD10bHM=,r=abc,p=AAAA\n",
        *(b"\x03Username:\nPassword:", b"\x05<1.2@h>", b'\x09{"status": "invalid_token"}\n'),
        b"\x0d\nr=" + b"A" * 24 + b"B,s=c2FsdA==,i=4096\nv=" + b"A" * 42 + b"A=",
        b"\x0d\nr=" + b"A" * 24 + b"B,s=c2FsdA==,i=4096\ne=invalid-proof",
    ],
    "proxy-header": [
        b"PROXY TCP4 203.0.113.7 198.51.100.1 50540 995\r\nCAPA\r\n",
        b"PROXY TCP6 2001:db8::7 ::ffff:198.51.100.1 0 65535\r\n",
        b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
        SIGNATURE + b"\x20\x00\x00\x00CAPA\r\n",
        SIGNATURE + b"\x21\x11\x00\x14" + bytes(12) + b"\x02\x00\x05pop.x",
        SIGNATURE + b"\x21\x11\x00\x13" + bytes(12) + b"\x03\x00\x04\xa0\xb2\x87\x95",
        SIGNATURE + b"\x21\x21\x00\x2f" + bytes(36) + b"\x20\x00\x08\x07\0\0\0\0\x21\0\0",
        SIGNATURE + b"\x21\x31\x00\xd8" + bytes(216),
    ],
    **below.SEEDS,
}

"""Behind a proxy: whose address counts, whom the server believes, and what it does for nobody."""

import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from serving import Dialogue, ServerProcess, eventually, fill

CLIENT = "203.0.113.7"
LINE = b"PROXY TCP4 203.0.113.7 198.51.100.1 50540 995\r\n"
BLOCK = bytes.fromhex("0d0a0d0a000d0a515549540a 21 11 000c cb007107 c6336401 c56c 03e3")
HEADERS = {"version 1": LINE, "version 2": BLOCK}
EACH_HEADER = pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
LOG_IN = b"USER alice\r\nPASS secret\r\n"
STRANGER = "127.0.0.9"
"""Not one of those whose headers are believed."""
SECONDS = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(
        tmp_path_factory.mktemp("proxied"),
        cleartext="loopback",
        workers=2,
        proxies=["127.0.0.0/29", "10.0.0.0/8"],
        limits={"proxy_header_seconds": 3.0, "connections_per_address": 5},
    ) as running:
        fill(running.account("alice", "secret"), b"Subject: one\n\none\n")
        yield running


def connect(server: ServerProcess, listener: str, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((server.host, server.ports[listener]), SECONDS, (source, 0))


def everything(sock: socket.socket) -> bytes:
    """Return all that comes until the server closes."""
    received = b""
    try:
        while piece := sock.recv(65_536):
            received += piece
    except ConnectionResetError:
        # It closed without reading what was sent.
        pass
    return received


def sessions(server: ServerProcess) -> list[dict[str, object]]:
    told = server.control("who")["sessions"]
    assert isinstance(told, list)
    return told


def lines(server: ServerProcess, event: str) -> list[str]:
    return re.findall(rf"(?m)^.*\]: {event}: .*$", server.log())


@EACH_HEADER
def test_the_clients_address_is_the_one_that_counts(server: ServerProcess, header: bytes) -> None:
    with Dialogue(
        server.host, server.ports["implicit"], server.client_context(), header=header
    ) as client:
        assert client.log_in("alice", "secret") == b"+OK maildrop has 1 messages (21 octets)"
        # Those of tests before may still be on their way out.
        eventually(lambda: len(sessions(server)) == 1)
        (session,) = sessions(server)
        told = (session["address"], session["port"], session["local_address"])
        assert told == (CLIENT, 50_540, "198.51.100.1")
        assert f" {CLIENT}:50540 " in server.run("who").stdout.decode()
        assert client.say(b"PASS x").startswith(b"-ERR")
        assert client.say(b"QUIT") == b"+OK goodbye"
    ends = f"rip={CLIENT} rport=50540 lip=198.51.100.1 lport=995 tls=TLSv1.3"
    eventually(lambda: ends in "".join(lines(server, "login")))


@EACH_HEADER
def test_a_failed_login_is_the_clients(server: ServerProcess, header: bytes) -> None:
    with Dialogue(
        server.host, server.ports["implicit"], server.client_context(), header=header
    ) as client:
        before = len(lines(server, "auth failed"))
        assert client.log_in("alice", "wrong").startswith(b"-ERR [AUTH]")
    # The client may have the reply before the log has the line.
    eventually(lambda: len(lines(server, "auth failed")) > before)
    assert f"rip={CLIENT} " in lines(server, "auth failed")[-1]


@EACH_HEADER
def test_commands_may_come_with_the_header(server: ServerProcess, header: bytes) -> None:
    with connect(server, "none") as client:
        client.sendall(header + b"CAPA\r\nUSER alice\r\nQUIT\r\n")
        greeting, *_, refused, goodbye = everything(client).splitlines()
    assert greeting == b"+OK POP3 server ready"
    assert refused.startswith(b"-ERR"), "the proxy is on this machine, its client is not"
    assert goodbye == b"+OK goodbye"


@EACH_HEADER
def test_tls_may_begin_in_the_segment_of_the_header(server: ServerProcess, header: bytes) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = server.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with connect(server, "implicit") as client:
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        client.sendall(header + outgoing.read())
        said = b""
        while b"\r\n" not in said:
            incoming.write(client.recv(65_536))
            try:
                tls.do_handshake()
                said += tls.read()
            except ssl.SSLWantReadError:
                continue
            finally:
                client.sendall(outgoing.read() or b"")
        assert said == b"+OK POP3 server ready\r\n"


@EACH_HEADER
def test_a_header_may_come_octet_by_octet(server: ServerProcess, header: bytes) -> None:
    with connect(server, "none") as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in header + b"QUIT\r\n":
            client.sendall(bytes([octet]))
        assert everything(client) == b"+OK POP3 server ready\r\n+OK goodbye\r\n"


@pytest.mark.parametrize(("begin", "allowed"), [(b"127.0.0.8", True), (b"203.0.113.8", False)])
def test_this_machine_is_where_the_client_is(
    server: ServerProcess, begin: bytes, allowed: bool
) -> None:
    header = b"PROXY TCP4 " + begin + b" 127.0.0.1 1 2\r\n"
    with Dialogue(server.host, server.ports["none"], header=header) as client:
        assert client.say(b"USER alice").startswith(b"+OK") is allowed


def test_a_stranger_is_served_and_not_believed(server: ServerProcess) -> None:
    with Dialogue(server.host, server.ports["none"], source=STRANGER) as client:
        assert client.greeting == b"+OK POP3 server ready"
        assert client.say(LINE.removesuffix(b"\r\n")).startswith(b"-ERR")
        eventually(lambda: [each["address"] for each in sessions(server)] == [STRANGER])
    with connect(server, "none", STRANGER) as client:
        # Version 2 begins so that a server that does not know it hears a QUIT.
        client.sendall(BLOCK + LOG_IN)
        said = everything(client).splitlines()
        assert said[0] == b"+OK POP3 server ready"
        assert {line[:4] for line in said[1:-1]} == {b"-ERR"}
        assert said[-1] == b"+OK goodbye"


def test_limits_are_the_clients_own(server: ServerProcess) -> None:
    def header(number: int) -> bytes:
        return f"PROXY TCP4 192.0.2.{number} 198.51.100.1 1 110\r\n".encode()

    with ExitStack() as stack:
        for number in range(20):
            client = stack.enter_context(
                Dialogue(server.host, server.ports["none"], header=header(number))
            )
            assert client.greeting == b"+OK POP3 server ready"
        *others, last = (
            stack.enter_context(Dialogue(server.host, server.ports["none"], header=header(7)))
            for _ in range(5)
        )
        assert {client.greeting for client in others} == {b"+OK POP3 server ready"}
        assert last.greeting.startswith(b"-ERR [SYS/TEMP] too many connections")
    eventually(lambda: "rip=192.0.2.7 " in "".join(lines(server, "connection refused")))


def test_a_proxy_without_a_header_is_turned_away(server: ServerProcess) -> None:
    before = len(lines(server, "proxy refused"))
    with connect(server, "none") as silent, connect(server, "none", "127.0.0.2") as other:
        other.sendall(b"USER alice\r\n")
        assert everything(other) == b""
        assert everything(silent) == b""
    eventually(lambda: len(lines(server, "proxy refused")) >= before + 2)
    said = "".join(lines(server, "proxy refused")[before:])
    assert 'reason="no proxy header" rip=127.0.0.2 ' in said
    assert 'reason="proxy header timeout" rip=127.0.0.1 ' in said


@pytest.mark.parametrize("listener", ["none", "stls", "implicit"])
def test_health_checks_leave_no_line(server: ServerProcess, listener: str) -> None:
    def nobody() -> bool:
        return not sessions(server)

    before = server.log()
    local = BLOCK[:12] + b"\x20\0\0\0"
    for header in (b"", local, b"PROXY UNKNOWN\r\n"):
        for reset in (False, True):
            eventually(nobody)
            with connect(server, listener) as client:
                if reset:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(header)
    eventually(nobody)
    # Somebody's line after all of theirs, so that theirs would be there.
    test_a_failed_login_is_the_clients(server, LINE)
    new = server.log().removeprefix(before)
    assert [line for line in new.splitlines() if "rip=127.0.0.1 " in line or "rip= " in line] == []


def test_the_throttle_is_the_clients_own(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, proxies=["127.0.0.1"])
    server.configuration.write_text(
        server.configuration.read_text().replace(
            "free_failures = 1000000",
            "free_failures = 0\nfirst_delay_seconds = 900\nlongest_delay_seconds = 900",
        )
    )
    with server:
        server.account("alice", "secret")
        server.account("bob", "secret")
        port = server.ports["none"]
        with Dialogue(server.host, port, header=LINE) as guessing:
            assert guessing.log_in("alice", "wrong").startswith(b"-ERR [AUTH]")
            guessing.socket.sendall(LOG_IN)
            eventually(lambda: f"rip={CLIENT} " in "".join(lines(server, "auth delayed")))
            other = b"PROXY TCP4 192.0.2.1 198.51.100.1 1 110\r\n"
            with Dialogue(server.host, port, header=other) as client:
                assert client.log_in("bob", "secret").startswith(b"+OK maildrop")
            with Dialogue(server.host, port, source=STRANGER) as client:
                assert client.log_in("bob", "secret").startswith(b"+OK maildrop")
            assert len(lines(server, "auth delayed")) == 1


def test_a_configuration_that_names_no_network_is_refused(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, proxies=["10.0.0.1/8"])
    checked = server.run("config", "check")
    assert checked.returncode != 0
    assert b"proxy_protocol: " in checked.stderr

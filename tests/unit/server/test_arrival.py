"""A connection behind a proxy: nothing before its header, and then the client's own."""

import socket

import pytest
import trustme

from restante.server.arrival import Arrival
from restante.server.certificates import Certificates
from restante.server.connection import TOO_MANY_CONNECTIONS
from restante.server.options import LimitOptions, ListenerOptions, TlsMode
from restante.telemetry import Event
from unit.server.booth import LOG_IN, Booth, Client, SteppedLoop
from unit.server.proxy_headers import CLIENT, LOCAL, UNIX, block, checked, line
from unit.server.tls_client import TlsClient

PROXY = "10.1.2.3"
TRUSTED = ("10.0.0.0/8", "127.0.0.1")
GREETING = b"+OK POP3 server ready\r\n"
HEADERS = {"version 1": line(), "version 2": block(), "with a checksum": checked()}
OWN = {
    "LOCAL": block(command=LOCAL),
    "UNKNOWN": b"PROXY UNKNOWN\r\n",
    "UNIX": block(bytes(216), family=UNIX),
    "its own end": line(PROXY, "127.0.0.1", (4711, 110)),
}
"""What keeps the proxy's own address."""


def proxied(booth: Booth, address: str = PROXY, tls: TlsMode = "none") -> Client:
    return booth.connect(address, tls, TRUSTED)


def refusals(booth: Booth) -> list[object]:
    return [fields["reason"] for fields in booth.log.named(Event.PROXY_REFUSED)]


def counted(booth: Booth) -> tuple[int, int]:
    """Return what is registered and what is counted."""
    return booth.service.session_count, booth.limits.total()


# ---- with a header


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_nothing_is_said_before_the_header(booth: Booth, header: bytes) -> None:
    client = proxied(booth)
    assert client.taken == b""
    assert client.send(header[:-1]) == b""
    assert client.send(header[-1:]) == GREETING
    assert client.log_in().startswith(b"+OK")
    peer = client.connection.peer
    assert peer[:4] == (CLIENT, 50_540, "198.51.100.1", 995)
    (login,) = booth.log.named(Event.LOGIN)
    assert f"rip={CLIENT} rport=50540 lip=198.51.100.1 lport=995 " in str(login["peer"])
    (who,) = booth.service.registry.who()
    assert (who["address"], who["port"], who["local_address"]) == (CLIENT, 50_540, "198.51.100.1")
    assert who["account"] == "alice"


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_commands_may_come_with_the_header(booth: Booth, header: bytes) -> None:
    client = proxied(booth)
    answer = client.send(header + LOG_IN + b"QUIT\r\n")
    assert answer.startswith(GREETING)
    assert answer.endswith(b"+OK goodbye\r\n")
    assert client.closed


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_may_be_cut_anywhere(booth: Booth, header: bytes) -> None:
    stream = header + b"NOOP\r\nQUIT\r\n"
    whole = proxied(booth)
    whole.send(stream)
    for at in range(1, len(stream)):
        client = proxied(booth)
        client.send(stream[:at])
        client.send(stream[at:])
        assert client.taken == whole.taken
    by_octet = proxied(booth)
    for octet in stream:
        by_octet.send(bytes([octet]))
    assert by_octet.taken == whole.taken
    assert refusals(booth) == []
    assert counted(booth) == (0, 0)


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_tls_may_begin_in_the_segment_of_the_header(
    loop: SteppedLoop, certificates: Certificates, authority: trustme.CA, header: bytes
) -> None:
    booth = Booth(loop, certificates=certificates)
    client = proxied(booth, tls="implicit")
    first = [header]

    def exchange(ciphertext: bytes) -> bytes:
        return client.send((first.pop() if first else b"") + ciphertext)

    tls = TlsClient(authority, exchange)
    tls.handshake()
    assert tls.say(LOG_IN).startswith(GREETING)
    assert client.connection.peer.address == CLIENT
    assert client.connection.peer.tls is not None
    assert booth.log.named(Event.LOGIN)


def test_stls_works_behind_a_header(
    loop: SteppedLoop, certificates: Certificates, authority: trustme.CA
) -> None:
    booth = Booth(loop, certificates=certificates, cleartext="tls")
    client = proxied(booth, tls="stls")
    assert client.send(line() + b"STLS\r\n").endswith(b"+OK begin TLS\r\n")
    tls = TlsClient(authority, client.send)
    tls.handshake()
    assert b"+OK maildrop" in tls.say(LOG_IN)


def test_a_second_header_is_a_bad_command(booth: Booth) -> None:
    client = proxied(booth)
    client.send(line())
    assert client.send(line("127.0.0.1")).startswith(b"-ERR")
    assert client.connection.peer.address == CLIENT


@pytest.mark.parametrize("header", OWN.values(), ids=OWN)
def test_who_is_nobody_keeps_the_address_of_the_proxy(booth: Booth, header: bytes) -> None:
    client = proxied(booth)
    assert client.send(header) == GREETING
    assert client.connection.peer[:4] == (PROXY, 4711, "127.0.0.1", 110)
    client.send(b"QUIT\r\n")
    proxied(booth).send(header + LOG_IN)
    assert booth.log.named(Event.LOGIN), "what matters is logged all the same"


@pytest.mark.parametrize("header", OWN.values(), ids=OWN)
def test_health_checks_leave_no_line(booth: Booth, header: bytes) -> None:
    for _ in range(3):
        proxied(booth).lose()
        proxied(booth).end()
        client = proxied(booth)
        client.send(header)
        client.lose()
        proxied(booth).send(header + b"QUIT\r\n")
    assert booth.log.events == []
    assert counted(booth) == (0, 0)


def test_a_client_that_leaves_before_its_login_has_its_line(booth: Booth) -> None:
    client = proxied(booth)
    client.send(line())
    client.lose()
    (ended,) = booth.log.named(Event.CONNECTION_ENDED)
    assert f"rip={CLIENT} " in str(ended["peer"])


def test_cleartext_from_this_machine_goes_by_the_client(loop: SteppedLoop) -> None:
    booth = Booth(loop, cleartext="loopback")
    near, far = proxied(booth, "127.0.0.1"), proxied(booth, "127.0.0.1")
    assert near.send(line("127.0.0.1", "127.0.0.1") + LOG_IN).splitlines()[-1].startswith(b"+OK")
    assert far.send(line() + b"USER alice\r\n").splitlines()[-1].startswith(b"-ERR")


# ---- without one


def test_who_comes_from_elsewhere_is_served_as_itself(booth: Booth) -> None:
    client = proxied(booth, "192.0.2.9")
    assert client.taken == GREETING
    assert client.log_in().startswith(b"+OK")
    assert client.connection.peer.address == "192.0.2.9"


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_who_comes_from_elsewhere_is_not_believed(booth: Booth, header: bytes) -> None:
    client = proxied(booth, "192.0.2.9")
    assert b"-ERR" in client.send(header + b"\r\n")
    assert client.connection.peer.address == "192.0.2.9"
    assert refusals(booth) == []


def test_an_ipv4_proxy_of_a_socket_for_both_is_known(booth: Booth) -> None:
    client = proxied(booth, f"::ffff:{PROXY}")
    assert client.taken == b""
    assert client.send(line()) == GREETING


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"USER alice\r\n", "no proxy header"),
        (b"\x16\x03\x01\x02\0", "no proxy header"),
        (b"PROXY TCP4 1.2.3.4\r\n", "proxy header malformed"),
        (b"PROXY ".ljust(108, b"x"), "proxy header too long"),
        (block(command=0x2F), "proxy header malformed"),
    ],
)
@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_a_trusted_sender_needs_a_header(
    loop: SteppedLoop, certificates: Certificates, octets: bytes, reason: str, tls: TlsMode
) -> None:
    booth = Booth(loop, certificates=certificates)
    client = proxied(booth, tls=tls)
    assert client.send(octets) == b""
    assert client.closed
    assert refusals(booth) == [reason]
    assert f"rip={PROXY} rport=4711 " in str(booth.log.named(Event.PROXY_REFUSED)[0]["peer"])
    assert client.send(line() + LOG_IN) == b""
    assert len(booth.log.events) == 1
    assert counted(booth) == (0, 0)


@pytest.mark.parametrize("begun", [b"", b"PROXY TCP4", block()[:20]])
def test_a_header_has_to_come_in_time(booth: Booth, begun: bytes) -> None:
    seconds = LimitOptions().proxy_header_seconds
    client = proxied(booth)
    client.send(begun)
    booth.wait(seconds)
    assert not client.closed
    booth.wait(1)
    assert client.closed
    assert refusals(booth) == ["proxy header timeout"]
    assert counted(booth) == (0, 0)


def test_once_it_has_come_the_deadline_is_that_of_the_login(booth: Booth) -> None:
    client = proxied(booth)
    client.send(line())
    booth.wait(LimitOptions().proxy_header_seconds + 2)
    assert not client.closed


def test_a_header_that_is_cut_off_has_one_line(booth: Booth) -> None:
    client = proxied(booth)
    client.send(line()[:20])
    client.end()
    assert client.closed
    assert refusals(booth) == ["proxy header cut off"]
    assert counted(booth) == (0, 0)


def test_a_flood_of_refusals_is_one_line_a_second(booth: Booth) -> None:
    for _ in range(20):
        proxied(booth).send(b"x")
    assert len(booth.log.events) == 1


def test_who_is_gone_before_it_is_accepted_is_nobody(booth: Booth) -> None:
    client = proxied(booth, "")
    assert client.transport.aborted
    assert client.send(line()) == b""
    assert booth.log.events == []
    assert counted(booth) == (0, 0)


def test_the_loop_of_the_standard_library_does_as_well(booth: Booth) -> None:
    listener = ListenerOptions(address="127.0.0.1:0", tls="none", proxy_protocol=("127.0.0.1",))
    making = booth.loop.create_server(booth.service.connection_factory(listener), "127.0.0.1", 0)
    server = booth.loop.run_until_complete(making)
    with socket.create_connection(server.sockets[0].getsockname()[:2], timeout=20) as client:
        for piece in (line()[:9], line()[9:] + b"CAPA\r\n"):
            client.sendall(piece)
            booth.loop.settle()
        assert client.recv(1_000).startswith(GREETING + b"+OK capabilities")
        (who,) = booth.service.registry.who()
        assert who["address"] == CLIENT
        assert who["local_port"] == 995
    booth.loop.settle()
    assert counted(booth) == (0, 0)
    server.close()
    booth.loop.run_until_complete(server.wait_closed())


# ---- what is counted


def test_a_proxy_is_no_crowd(loop: SteppedLoop) -> None:
    limits = LimitOptions(
        connections_per_address=1, connections_per_network=1, before_login_per_address=1
    )
    booth = Booth(loop, limits=limits)
    clients = [proxied(booth) for _ in range(5)]
    assert counted(booth) == (5, 5)
    for number, client in enumerate(clients):
        assert client.send(line(f"203.0.{number}.1")) == GREETING
    assert counted(booth) == (5, 5)


def test_its_clients_are_counted_by_their_own_addresses(loop: SteppedLoop) -> None:
    booth = Booth(loop, limits=LimitOptions(connections_per_address=1))
    first, second = proxied(booth), proxied(booth)
    assert first.send(line()) == GREETING
    assert second.send(line() + LOG_IN) == TOO_MANY_CONNECTIONS
    assert second.closed
    (refused,) = booth.log.named(Event.CONNECTION_REFUSED)
    assert f"rip={CLIENT} " in str(refused["peer"])
    assert booth.gatekeeper.asked == []
    first.lose()
    assert proxied(booth).send(line()) == GREETING


@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_before_the_header_all_count_together(
    loop: SteppedLoop, certificates: Certificates, tls: TlsMode
) -> None:
    booth = Booth(loop, certificates=certificates, limits=LimitOptions(connections=1))
    waiting = proxied(booth)
    client = proxied(booth, tls=tls)
    assert client.taken == (b"" if tls == "implicit" else TOO_MANY_CONNECTIONS)
    assert client.closed
    assert client.send(line()) == b""
    assert booth.log.named(Event.CONNECTION_REFUSED)[0]["reason"] == "connections"
    assert counted(booth) == (1, 1)
    assert waiting.send(line()) == GREETING, "it is not counted beside itself"
    waiting.lose()
    assert counted(booth) == (0, 0)


def test_descriptors_are_left_for_those_who_are_there(loop: SteppedLoop) -> None:
    booth = Booth(loop, capacity=1)
    proxied(booth)
    assert proxied(booth).closed
    assert booth.log.named(Event.CONNECTION_REFUSED)[0]["reason"] == "descriptors"


# ---- what the service asks


def test_who_shows_who_waits(booth: Booth) -> None:
    client = proxied(booth)
    (who,) = booth.service.registry.who()
    assert (who["address"], who["port"], who["state"]) == (PROXY, 4711, "proxy header")
    assert booth.service.registry.kick(str(who["session"]))
    assert client.transport.aborted
    booth.loop.settle()
    assert counted(booth) == (0, 0)
    assert booth.log.events == []


def test_a_drain_ends_who_waits(booth: Booth) -> None:
    client = proxied(booth)
    client.send(b"PROXY ")
    booth.service.begin_drain()
    booth.loop.settle()
    assert client.closed
    assert counted(booth) == (0, 0)
    assert booth.log.events == []


def test_without_proxies_there_is_no_arrival(booth: Booth) -> None:
    assert not isinstance(booth.connect().protocol, Arrival)
    assert not isinstance(proxied(booth, "192.0.2.9").protocol, Arrival)

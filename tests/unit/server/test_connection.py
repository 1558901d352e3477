"""One connection: octets both ways, backpressure, deadlines, and TLS between two calls."""

import pytest
import trustme

from restante.errors import ConfigurationError
from restante.protocol.server import OUTPUT_OCTETS
from restante.server import connection
from restante.server.certificates import Certificates
from restante.server.connection import (
    LINGER_SECONDS,
    TOO_MANY_CONNECTIONS,
    WRITE_HIGH_OCTETS,
)
from restante.server.offering import INPUT_OCTETS
from restante.server.options import LimitOptions, TlsOptions
from restante.server.outlet import CHUNK_OCTETS
from restante.telemetry import Event
from unit.server.booth import ALICE, LOG_IN, Booth, Client, SteppedLoop
from unit.server.tls_client import TlsClient

LARGE = b"x" * 70 + b"\r\n"


@pytest.fixture
def secure(loop: SteppedLoop, certificates: Certificates) -> Booth:
    """A service that speaks TLS."""
    return Booth(loop, certificates=certificates)


def reasons(booth: Booth) -> list[object]:
    """Return why connections and sessions ended."""
    ended = booth.log.named(Event.CONNECTION_ENDED) + booth.log.named(Event.LOGOUT)
    return [fields["reason"] for fields in ended]


def logged_in(booth: Booth, *messages: bytes) -> Client:
    """Return a client that has alice's mail open."""
    booth.deposit(*messages)
    client = booth.connect()
    assert client.log_in().startswith(b"+OK maildrop")
    return client


# ---- the start


def test_the_server_speaks_first(booth: Booth) -> None:
    """conformance: 1939-S-02."""
    assert booth.connect().taken == b"+OK POP3 server ready\r\n"


def test_under_implicit_tls_nothing_is_said_in_clear(secure: Booth) -> None:
    """conformance: 8314-S-01."""
    client = secure.connect(tls="implicit")
    assert client.taken == b""
    answer = client.send(b"USER alice\r\n")
    assert client.closed
    assert not answer.startswith((b"+OK", b"-ERR"))
    (failed,) = secure.log.named(Event.TLS_FAILED)
    assert failed["reason"]


def test_too_many_are_told_and_closed(loop: SteppedLoop) -> None:
    """conformance: 1939-S-03."""
    booth = Booth(loop, limits=LimitOptions(connections_per_address=1))
    first, second = booth.connect(), booth.connect()
    assert second.taken == TOO_MANY_CONNECTIONS
    assert second.closed
    assert second.send(b"CAPA\r\n") == b""
    assert booth.log.named(Event.CONNECTION_REFUSED)[0]["reason"] == "connections per address"
    assert not first.closed
    assert not booth.connect("192.0.2.2").closed
    first.lose()
    assert not booth.connect().closed


def test_who_is_turned_away_under_implicit_tls_hears_nothing(
    loop: SteppedLoop, certificates: Certificates
) -> None:
    booth = Booth(loop, certificates=certificates, limits=LimitOptions(connections=1))
    booth.connect()
    client = booth.connect(tls="implicit")
    assert (client.taken, client.closed) == (b"", True)


def test_descriptors_are_left_for_those_who_are_there(loop: SteppedLoop) -> None:
    booth = Booth(loop, capacity=1)
    assert not booth.connect().closed
    assert booth.connect("192.0.2.2").closed
    assert booth.log.named(Event.CONNECTION_REFUSED)[0]["reason"] == "descriptors"


def test_whoever_logs_in_is_no_longer_one_of_the_crowd(loop: SteppedLoop) -> None:
    booth = Booth(loop, limits=LimitOptions(before_login_per_address=1))
    client = booth.connect()
    assert booth.connect().closed
    client.log_in()
    assert not booth.connect().closed


# ---- backpressure


def test_a_client_that_does_not_read_costs_a_bounded_buffer(booth: Booth) -> None:
    message = LARGE * 20_000
    client = logged_in(booth, message)
    client.transport.stuck = True
    client.send(b"RETR 1\r\n")
    assert client.transport.get_write_buffer_size() <= WRITE_HIGH_OCTETS + CHUNK_OCTETS + 100
    client.transport.unstick()
    booth.loop.settle()
    assert client.taken.endswith(message + b".\r\n")


def test_a_large_listing_waits_for_its_reader_too(booth: Booth) -> None:
    client = logged_in(booth, *[b"x"] * 60_000)
    client.transport.stuck = True
    client.send(b"UIDL\r\nLIST\r\nNOOP\r\n")
    assert client.transport.get_write_buffer_size() <= WRITE_HIGH_OCTETS + CHUNK_OCTETS
    client.transport.unstick()
    booth.loop.settle()
    assert client.taken.count(b"\r\n.\r\n") == 2
    assert client.taken.endswith(b".\r\n+OK nothing done\r\n")


def test_no_more_is_read_than_can_be_answered(booth: Booth) -> None:
    """conformance: 2449-S-24."""
    client = logged_in(booth, LARGE * 20_000)
    client.transport.stuck = True
    client.send(b"RETR 1\r\n")
    client.send(b"NOOP\r\n" * 10_000)
    assert not client.transport.reading_paused
    client.send(b"NOOP\r\n" * 10_000)
    assert client.transport.reading_paused
    client.transport.unstick()
    booth.loop.settle()
    assert not client.transport.reading_paused
    assert client.taken.count(b"+OK nothing done\r\n") == 20_000


def test_no_more_is_read_while_a_login_is_judged(booth: Booth) -> None:
    booth.gatekeeper.held = True
    client = booth.connect()
    client.send(LOG_IN + b"NOOP\r\n" * 20_000)
    assert client.transport.reading_paused
    booth.gatekeeper.release()
    booth.loop.settle()
    assert not client.transport.reading_paused
    assert client.taken.count(b"+OK nothing done\r\n") == 20_000


def test_a_flood_is_held_back_although_its_sender_reads(loop: SteppedLoop) -> None:
    booth = Booth(loop)
    client = logged_in(booth)
    # Not `send`, which would let the loop answer everything before it returns.
    client.connection.data_received(b"NOOP\r\n" * 100_000)
    assert client.transport.reading_paused
    assert client.connection.session.octets_waiting > INPUT_OCTETS
    loop.settle()
    assert not client.transport.reading_paused
    assert client.taken.count(b"+OK nothing done\r\n") == 100_000


def test_a_flood_lets_others_have_their_turn(loop: SteppedLoop) -> None:
    booth = Booth(loop)
    client = logged_in(booth)
    client.connection.data_received(b"NOOP\r\n" * 100_000)
    assert client.taken.count(b"+OK nothing done\r\n") < 20_000


# ---- the end of input


def test_what_was_pipelined_before_the_end_is_answered(booth: Booth) -> None:
    booth.gatekeeper.held = True
    client = booth.connect()
    client.send(LOG_IN + b"STAT\r\nNOOP")
    client.end()
    assert not client.closed
    booth.gatekeeper.release()
    booth.loop.settle()
    assert client.taken.endswith(b"+OK 0 0\r\n"), "a line without its end is no command"
    assert client.closed


@pytest.mark.parametrize("octets", [OUTPUT_OCTETS, CHUNK_OCTETS, 2 * CHUNK_OCTETS])
def test_the_end_is_met_behind_a_reply_that_has_to_be_sent_first(booth: Booth, octets: int) -> None:
    """Nobody comes by again: the session would keep the maildrop until the autologout."""
    booth.deposit(b"x" * octets)
    booth.gatekeeper.held = True
    client = booth.connect()
    client.send(LOG_IN + b"RETR 1\r\n")
    client.end()
    booth.gatekeeper.release()
    booth.loop.settle()
    assert client.taken.endswith(b"x\r\n.\r\n")
    assert client.closed
    booth.mail.open(ALICE).close()


def test_quit_and_the_end_complete_the_update(booth: Booth) -> None:
    """conformance: 1939-S-115."""
    client = logged_in(booth, b"x")
    booth.executor.held = True
    client.send(b"DELE 1\r\nQUIT\r\n")
    client.end()
    booth.executor.release()
    booth.loop.settle()
    assert client.taken.endswith(b"+OK goodbye\r\n")
    assert booth.kept == 0


def test_the_end_without_quit_removes_nothing(booth: Booth) -> None:
    """conformance: 1939-S-08, 1939-S-115."""
    client = logged_in(booth, b"x")
    client.send(b"DELE 1\r\nQUIT")
    client.end()
    assert client.closed
    assert booth.kept == 1


# ---- deadlines


def test_a_login_has_its_deadline(booth: Booth) -> None:
    """conformance: 1939-S-32."""
    client = booth.connect()
    for _ in range(59):
        booth.wait(1)
        client.send(b"CAPA\r\n")
    assert not client.closed
    before = len(client.taken)
    booth.wait(2)
    assert client.transport.aborted
    assert len(client.taken) == before
    assert reasons(booth) == ["login timeout"]


def test_reading_slowly_does_not_put_off_the_deadline_of_a_login(booth: Booth) -> None:
    client = booth.connect()
    client.transport.stuck = True
    client.send(b"CAPA\r\n" * 1000)
    for _ in range(62):
        booth.wait(1)
        client.transport.read_some(1)
    assert client.transport.aborted
    assert reasons(booth) == ["login timeout"]


def test_a_login_that_is_judged_is_not_waited_for_for_ever(booth: Booth) -> None:
    booth.gatekeeper.held = True
    client = booth.connect()
    client.send(LOG_IN)
    booth.wait(62)
    assert client.transport.aborted
    assert booth.gatekeeper.withdrawn == 1


def test_autologout_is_silent_and_removes_nothing(booth: Booth) -> None:
    """conformance: 1939-S-29, 1939-S-31, TG-G-7."""
    client = logged_in(booth, b"x")
    client.send(b"DELE 1\r\n")
    before = len(client.taken)
    booth.wait(600)
    assert not client.closed
    booth.wait(2)
    assert client.transport.aborted
    assert len(client.taken) == before
    assert booth.kept == 1
    assert reasons(booth) == ["autologout"]
    booth.mail.open(ALICE).close()


def test_autologout_never_comes_early(booth: Booth) -> None:
    """A command between two ticks counts from itself. conformance: 1939-S-29."""
    client = logged_in(booth)
    booth.wait(1)
    booth.loop.now += 0.99
    client.send(b"NOOP\r\n")
    said = booth.loop.now
    while not client.closed:
        booth.loop.now += 0.5
        booth.service.tick(booth.loop.now)
    assert booth.loop.now - said >= 600


def test_any_command_restarts_the_timer(booth: Booth) -> None:
    """conformance: 1939-S-30."""
    client = logged_in(booth)
    for _ in range(4):
        booth.wait(540)
        assert client.send(b"NOOP\r\n") == b"+OK nothing done\r\n"
    assert client.send(b"nonsense\r\n").startswith(b"-ERR")
    booth.wait(599)
    assert not client.closed


def test_a_slow_reader_is_not_idle(booth: Booth) -> None:
    """conformance: 1939-S-33."""
    message = LARGE * 13_000
    client = logged_in(booth, message)
    client.transport.stuck = True
    client.send(b"RETR 1\r\n")
    for _ in range(900):
        booth.wait(1)
        client.transport.read_some(1024)
    assert not client.closed
    client.transport.unstick()
    booth.loop.settle()
    assert client.taken.endswith(b"x\r\n.\r\n")


def test_what_the_system_alone_sees_taken_is_taken(
    booth: Booth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """conformance: 1939-S-33."""
    held = 4_000_000
    monkeypatch.setattr(connection, "_unacknowledged_octets", lambda transport: held)
    client = logged_in(booth, LARGE * 20_000)
    client.transport.stuck = True
    client.send(b"RETR 1\r\n")
    for _ in range(600):
        booth.wait(1)
        held -= 1024
    assert not client.closed
    booth.wait(89)
    assert not client.closed
    booth.wait(92)
    assert client.transport.aborted
    assert reasons(booth) == ["client does not read"]


@pytest.mark.parametrize("trickling", [False, True])
def test_who_takes_nothing_is_cut(booth: Booth, *, trickling: bool) -> None:
    """conformance: 1939-S-33."""
    client = logged_in(booth, LARGE * 20_000)
    client.send(b"DELE 1\r\nRSET\r\n")
    client.transport.stuck = True
    client.send(b"RETR 1\r\n")
    for _ in range(89):
        booth.wait(1)
        if trickling:
            client.send(b"N")
    assert not client.closed
    booth.wait(3)
    assert client.transport.aborted
    assert reasons(booth) == ["client does not read"]
    assert booth.kept == 1


def test_an_old_stall_is_not_held_against_a_new_reply(booth: Booth) -> None:
    client = logged_in(booth, LARGE * 1000)
    for _ in range(2):
        client.transport.stuck = True
        client.send(b"RETR 1\r\n")
        booth.wait(60)
        client.transport.unstick()
        booth.wait(300)
    client.transport.stuck = True
    client.send(b"RETR 1\r\n")
    booth.wait(60)
    assert not client.closed


def test_a_disk_is_waited_for_longer_than_a_client(booth: Booth) -> None:
    client = logged_in(booth, b"x")
    booth.executor.held = True
    client.send(b"DELE 1\r\nQUIT\r\n")
    booth.wait(1000)
    assert not client.transport.aborted
    booth.executor.release()
    booth.loop.settle()
    assert client.taken.endswith(b"+OK goodbye\r\n")


def test_the_last_reply_has_its_time_however_old_the_connection_is(booth: Booth) -> None:
    """The tail of a message, whose removal QUIT asked for behind it, is not thrown away."""
    message = LARGE * 3000
    client = logged_in(booth, message)
    booth.wait(500)
    client.transport.stuck = True
    client.send(b"RETR 1\r\nDELE 1\r\nQUIT\r\n")
    for _ in range(300):
        booth.wait(1)
        client.transport.read_some(500)
        assert not client.transport.aborted
    client.transport.unstick()
    booth.loop.settle()
    assert client.taken.endswith(message + b".\r\n+OK marked\r\n+OK goodbye\r\n")


def test_a_last_reply_that_nobody_takes_is_cut(booth: Booth) -> None:
    client = logged_in(booth, LARGE * 3000)
    client.transport.stuck = True
    client.send(b"RETR 1\r\nQUIT\r\n")
    booth.wait(93)
    assert client.transport.aborted


def test_who_does_not_hang_up_is_cut(booth: Booth) -> None:
    client = booth.connect()
    assert client.send(b"GET / HTTP/1.1\r\n") != b"+OK"
    assert client.transport.ended
    assert not client.transport.closed
    assert client.send(b"x" * 1000) == b""
    booth.wait(LINGER_SECONDS + 2)
    assert client.transport.aborted


def test_a_deadline_that_fails_harms_nobody_else(
    booth: Booth, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, other = booth.connect(), booth.connect()

    def fail() -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(broken.transport, "get_write_buffer_size", fail)
    booth.wait(62)
    assert broken.transport.aborted
    assert other.transport.aborted
    assert len(booth.log.named(Event.FAULT)) == 1


def test_everything_is_given_back(booth: Booth) -> None:
    clients = [booth.connect() for _ in range(5)]
    clients[0].log_in()
    assert booth.limits.total() == 5
    for client in clients:
        client.lose()
    assert booth.limits.total() == 0
    assert booth.service.session_count == 0


# ---- TLS


def tls(client: Client, authority: trustme.CA, **options: tuple[str, ...]) -> TlsClient:
    return TlsClient(authority, client.send, **options)  # type: ignore[arg-type]


def test_implicit_tls_greets_inside(secure: Booth, authority: trustme.CA) -> None:
    """conformance: 8314-S-01, 8314-S-07."""
    client = secure.connect(tls="implicit")
    peer = tls(client, authority)
    peer.handshake()
    assert peer.read() == b"+OK POP3 server ready\r\n"
    assert peer.say(LOG_IN).endswith(b"(0 octets)\r\n")
    assert "tls=TLSv1.3/TLS_" in str(secure.log.named(Event.LOGIN)[0]["peer"])


def test_stls_begins_anew_under_tls(secure: Booth, authority: trustme.CA) -> None:
    """conformance: 2595-S-10."""
    client = secure.connect(tls="stls")
    client.send(b"USER alice\r\n")
    assert client.send(b"STLS\r\n").startswith(b"+OK")
    peer = tls(client, authority)
    peer.handshake()
    assert peer.read() == b"", "there is no second greeting"
    assert peer.say(b"PASS secret\r\n").startswith(b"-ERR")
    assert b"STLS" not in peer.say(b"CAPA\r\n")
    assert peer.say(b"STLS\r\n").startswith(b"-ERR")
    assert peer.say(LOG_IN).endswith(b"(0 octets)\r\n")


@pytest.mark.parametrize("behind", [b"U", b"USER ev", b"CAPA\r\n", b"\x16\x03\x01", b"x" * 65_536])
def test_octets_behind_stls_end_the_connection(secure: Booth, behind: bytes) -> None:
    """Whatever was said behind STLS reaches neither side of it. conformance: 2595-S-09."""
    client = secure.connect(tls="stls")
    assert client.send(b"STLS\r\n" + behind) == b"-ERR octets behind STLS\r\n"
    assert client.closed


@pytest.mark.parametrize("behind", [b"U", b"USER evil\r\n", b"\x16\x03\x01\x00\x05hello"])
def test_what_is_no_handshake_ends_the_connection(secure: Booth, behind: bytes) -> None:
    """conformance: 2595-S-11."""
    client = secure.connect(tls="stls")
    client.send(b"STLS\r\n")
    answer = client.send(behind)
    assert client.closed or not answer
    secure.wait(12)
    assert client.closed
    assert b"evil" not in client.taken
    assert client.taken.count(b"+OK") == 2


@pytest.mark.parametrize("mode", ["stls", "implicit"])
def test_a_handshake_has_its_deadline(secure: Booth, mode: str) -> None:
    client = secure.connect(tls=mode)  # type: ignore[arg-type]
    if mode == "stls":
        secure.wait(30)
        client.send(b"STLS\r\n")
    for octet in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc":
        client.send(bytes([octet]))
        secure.wait(1)
    assert not client.closed
    secure.wait(3)
    assert client.transport.aborted
    assert reasons(secure) == ["tls handshake timeout"]


def test_the_end_of_tls_leaves_time_for_the_answers(secure: Booth, authority: trustme.CA) -> None:
    client = secure.connect(tls="implicit")
    peer = tls(client, authority)
    peer.handshake()
    peer.read()
    secure.gatekeeper.held = True
    peer.say(LOG_IN + b"STAT\r\n")
    peer.finish()
    client.end()
    assert not client.closed
    seen = len(client.taken)
    secure.gatekeeper.release()
    secure.loop.settle()
    assert peer.take(client.taken[seen:]).endswith(b"+OK 0 0\r\n")
    assert client.closed


def test_the_end_of_tcp_alone_is_the_end_of_everything(
    secure: Booth, authority: trustme.CA
) -> None:
    client = secure.connect(tls="implicit")
    peer = tls(client, authority)
    peer.handshake()
    secure.deposit(b"x")
    peer.say(LOG_IN + b"DELE 1\r\n")
    client.end()
    assert client.closed
    assert secure.kept == 1


def test_goodbye_is_followed_by_the_end_of_tls(secure: Booth, authority: trustme.CA) -> None:
    """conformance: 8314-S-03."""
    client = secure.connect(tls="implicit")
    peer = tls(client, authority)
    peer.handshake()
    peer.read()
    assert peer.say(b"QUIT\r\n") == b"+OK goodbye\r\n"
    assert peer.object.read(1) == b"", "close_notify came"
    assert client.closed


def test_a_record_that_was_tampered_with_ends_the_session(
    secure: Booth, authority: trustme.CA
) -> None:
    secure.deposit(b"x")
    client = secure.connect(tls="implicit")
    peer = tls(client, authority)
    peer.handshake()
    peer.say(LOG_IN + b"DELE 1\r\n")
    client.send(b"\x17\x03\x03\x00\x20" + bytes(32))
    assert client.closed
    assert secure.kept == 1
    assert secure.log.named(Event.LOGOUT)[0]["reason"] == "tls failed"


def test_a_large_message_waits_for_its_reader_under_tls(
    secure: Booth, authority: trustme.CA
) -> None:
    message = LARGE * 20_000
    secure.deposit(message)
    client = secure.connect(tls="implicit")
    peer = tls(client, authority)
    peer.handshake()
    peer.read()
    peer.say(LOG_IN)
    client.transport.stuck = True
    seen = len(client.taken)
    peer.say(b"RETR 1\r\n")
    assert client.transport.get_write_buffer_size() <= WRITE_HIGH_OCTETS + 2 * CHUNK_OCTETS
    client.transport.unstick()
    secure.loop.settle()
    assert peer.take(client.taken[seen:]).endswith(message + b".\r\n")


def test_tls_without_a_certificate_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"tls\.certificate"):
        Certificates(TlsOptions())

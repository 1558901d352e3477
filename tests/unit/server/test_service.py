"""What all connections of a worker share, and what happens to all of them at once."""

from restante.telemetry import Event
from unit.server.booth import LOG_IN, Booth


def test_a_drain_ends_who_waits_at_once_and_the_others_behind_their_reply(booth: Booth) -> None:
    idle, newcomer, busy = booth.connect(), booth.connect(), booth.connect()
    idle.log_in()
    booth.gatekeeper.held = True
    busy.send(b"USER bob\r\nPASS secret\r\n")
    heard = len(idle.taken), len(newcomer.taken)
    booth.service.begin_drain()
    assert idle.closed
    assert newcomer.closed
    assert (len(idle.taken), len(newcomer.taken)) == heard, "nothing is said"
    assert not busy.closed
    booth.gatekeeper.release()
    booth.loop.settle()
    assert busy.closed
    assert busy.taken.endswith(b"(0 octets)\r\n")


def test_a_client_that_comes_during_a_drain_is_let_go(booth: Booth) -> None:
    booth.service.begin_drain()
    client = booth.connect()
    client.send(b"CAPA\r\n")
    assert client.closed


def test_a_cut_ends_everybody(booth: Booth) -> None:
    booth.gatekeeper.held = True
    clients = [booth.connect() for _ in range(3)]
    clients[1].send(LOG_IN)
    booth.service.cut()
    assert all(client.transport.aborted for client in clients)
    booth.loop.settle()
    assert booth.service.session_count == 0
    assert booth.gatekeeper.withdrawn == 1


def test_sessions_are_counted_while_they_last(booth: Booth) -> None:
    gone, quitting, reading = booth.connect(), booth.connect(), booth.connect()
    gone.lose()
    assert booth.service.session_count == 2
    quitting.send(b"QUIT\r\n")
    assert booth.service.session_count == 1
    reading.transport.stuck = True
    reading.send(b"QUIT\r\n")
    assert booth.service.session_count == 1, "its client has not read the last of it"
    reading.transport.unstick()
    booth.loop.settle()
    assert booth.service.session_count == 0


def test_who_ends_before_a_login_is_one_line_a_second(booth: Booth) -> None:
    for _ in range(20):
        booth.connect().lose()
    assert len(booth.log.named(Event.CONNECTION_ENDED)) == 1

"""What waits before a login, bounded over all: who has had much there for longest has to go."""

import pytest

from restante.server import backlog
from restante.server.backlog import LONG_OCTETS, Backlog
from unit.server.booth import LOG_IN, Booth, SteppedLoop

MUCH = b"NOOP\r\n" * (LONG_OCTETS // 6 + 1)


class Stranger:
    """Somebody with so much there."""

    def __init__(self, octets_waiting: int) -> None:
        self.octets_waiting = octets_waiting
        self.dropped: list[str] = []

    def drop(self, reason: str) -> None:
        self.dropped.append(reason)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "LONG_AT_ONCE", 2)


def test_the_one_that_has_had_much_there_for_longest_goes() -> None:
    kept, strangers = Backlog(), [Stranger(LONG_OCTETS + 1) for _ in range(4)]
    for stranger in strangers:
        kept.look(stranger)
        kept.look(stranger)
    assert [len(each.dropped) for each in strangers] == [1, 1, 0, 0]
    assert len(kept) == 2


def test_a_common_line_counts_nothing() -> None:
    kept = Backlog()
    for _ in range(10):
        kept.look(Stranger(LONG_OCTETS))
    assert len(kept) == 0


def test_what_was_looked_at_meanwhile_costs_nobody_the_connection() -> None:
    kept, strangers = Backlog(), [Stranger(LONG_OCTETS + 1) for _ in range(3)]
    for stranger in strangers[:2]:
        kept.look(stranger)
    strangers[0].octets_waiting = 0
    kept.look(strangers[2])
    assert not any(each.dropped for each in strangers)
    strangers[1].octets_waiting = 0
    kept.look(strangers[1])
    kept.leave(strangers[2])
    kept.leave(strangers[2])
    assert len(kept) == 0


def test_connections_before_their_login(loop: SteppedLoop) -> None:
    booth = Booth(loop)
    booth.gatekeeper.held = True
    clients = [booth.connect() for _ in range(3)]
    for client in clients:
        client.send(LOG_IN + MUCH)
    assert [client.transport.aborted for client in clients] == [True, False, False]
    assert len(booth.service.backlog) == 2
    clients[1].lose()
    assert len(booth.service.backlog) == 1
    booth.gatekeeper.release()
    booth.loop.settle()
    assert len(booth.service.backlog) == 0
    assert clients[2].taken.endswith(b"+OK nothing done\r\n")


def test_after_the_login_nobody_is_counted(loop: SteppedLoop) -> None:
    booth = Booth(loop)
    clients = [booth.connect() for _ in range(4)]
    for client in clients:
        client.send(LOG_IN.replace(b"alice", b"user%d" % id(client)))
        client.transport.stuck = True
        client.send(MUCH * 10)
        assert client.connection.octets_waiting > LONG_OCTETS
    assert not any(client.transport.aborted for client in clients)

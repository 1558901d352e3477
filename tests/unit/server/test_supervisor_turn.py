"""One turn of the supervisor's loop, when several things happen in it."""

import selectors
import socket
from typing import cast

from restante.server.generation import Generation
from restante.server.supervisor import Supervisor
from restante.telemetry import LineLog


def refuse() -> Generation:
    raise AssertionError


def test_what_a_turn_has_ended_is_not_heard_in_it() -> None:
    """A process that ended is reaped in the turn in which its line tells so too."""
    supervisor = Supervisor(cast(Generation, None), refuse, LineLog())
    selector = supervisor._selector
    heard: list[int] = []
    pairs = [socket.socketpair() for _ in range(2)]

    def hear(number: int) -> None:
        heard.append(number)
        other, _ = pairs[1 - number]
        selector.unregister(other)
        other.close()

    for number, (ours, theirs) in enumerate(pairs):
        selector.register(ours, selectors.EVENT_READ, lambda number=number: hear(number))
        theirs.close()
    supervisor._turn()
    assert len(heard) == 1
    for ours, _ in pairs:
        ours.close()
    selector.close()

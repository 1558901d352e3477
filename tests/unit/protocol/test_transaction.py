"""TRANSACTION: commands on an open maildrop, taken one by one."""

import pytest

from restante.protocol.commands import Command, Verb
from restante.protocol.events import MessageRequested
from restante.protocol.legality import Phase
from restante.protocol.offers import Offer
from restante.protocol.replies import Output
from restante.protocol.transaction import Transaction
from transcripts.maildrops import MAILDROPS, Drop

NO_SUCH = b"-ERR no such message\r\n"


class Bench:
    """A transaction, and what it answered last."""

    def __init__(self, maildrop: str = "M2") -> None:
        self.transaction = Transaction(Drop(MAILDROPS[maildrop]), Offer())
        self.output = Output()
        self.event: MessageRequested | None = None

    def do(self, verb: Verb, number: int | None = None, lines: int | None = None) -> bytes:
        command = Command(verb, number, lines)
        transaction, output = self.transaction, self.output
        if verb is Verb.STAT:
            transaction.stat(output)
        elif verb is Verb.RSET:
            transaction.rset(output)
        elif verb is Verb.LIST:
            transaction.list(command, output)
        elif verb is Verb.UIDL:
            transaction.uidl(command, output)
        elif verb is Verb.DELE:
            transaction.dele(command, output)
        else:
            self.event = transaction.message(command, output)
        answer = b"".join(output.buffers or ())
        output.buffers = None
        return answer


def test_its_row_in_the_table() -> None:
    assert Bench().transaction.phase is Phase.TRANSACTION


def test_a_login_without_the_right_marks_nothing() -> None:
    bench = Bench()
    bench.transaction = Transaction(Drop(MAILDROPS["M2"]), Offer(), read_only=True)
    assert bench.do(Verb.DELE, 1).startswith(b"-ERR this login may collect mail")
    assert bench.do(Verb.DELE, 3) == NO_SUCH
    assert bench.transaction.marked == ()


def test_stat() -> None:
    """conformance: 1939-S-67, 1939-S-68, 1939-S-69, 1939-S-70"""
    bench = Bench()
    assert bench.do(Verb.STAT) == b"+OK 2 320\r\n"
    bench.do(Verb.DELE, 1)
    assert bench.do(Verb.STAT) == b"+OK 1 200\r\n"
    assert Bench("M0").do(Verb.STAT) == b"+OK 0 0\r\n"


def test_list() -> None:
    """conformance: 1939-S-72, 1939-S-73, 1939-S-74, 1939-S-75, 1939-S-76, 1939-S-78"""
    bench = Bench()
    assert bench.do(Verb.LIST) == b"+OK scan listing follows\r\n1 120\r\n2 200\r\n.\r\n"
    assert bench.do(Verb.LIST, 2) == b"+OK 2 200\r\n"
    bench.do(Verb.DELE, 1)
    assert bench.do(Verb.LIST) == b"+OK scan listing follows\r\n2 200\r\n.\r\n"
    for absent in (0, 1, 3, 4_294_967_297):
        assert bench.do(Verb.LIST, absent) == NO_SUCH
    bench.do(Verb.DELE, 2)
    assert bench.do(Verb.LIST) == b"+OK scan listing follows\r\n.\r\n"


def test_uidl() -> None:
    """conformance: 1939-S-100, 1939-S-101, 1939-S-105"""
    bench = Bench()
    assert bench.do(Verb.UIDL) == b"+OK unique-id listing follows\r\n1 id-1\r\n2 id-2\r\n.\r\n"
    assert bench.do(Verb.UIDL, 2) == b"+OK 2 id-2\r\n"
    bench.do(Verb.DELE, 2)
    assert bench.do(Verb.UIDL) == b"+OK unique-id listing follows\r\n1 id-1\r\n.\r\n"
    for absent in (0, 2, 3):
        assert bench.do(Verb.UIDL, absent) == NO_SUCH


def test_a_unique_id_may_hold_a_bracket() -> None:
    """conformance: 1939-S-101"""
    bench = Bench()
    bench.transaction.listing = Drop([b"a"], [b"[x]~!"])
    assert bench.do(Verb.UIDL, 1) == b"+OK 1 [x]~!\r\n"


@pytest.mark.parametrize(("verb", "lines"), [(Verb.RETR, None), (Verb.TOP, 0), (Verb.TOP, 7)])
def test_messages_are_asked_for(verb: Verb, lines: int | None) -> None:
    """conformance: 1939-S-81, 1939-S-96"""
    bench = Bench()
    assert bench.do(verb, 2, lines) == b""
    assert bench.event == MessageRequested(2, lines)
    bench.do(Verb.DELE, 2)
    for absent in (0, 2, 3):
        assert bench.do(verb, absent, lines) == NO_SUCH
        assert bench.event is None


def test_marks_are_set_once_and_taken_away_together() -> None:
    """conformance: 1939-S-85, 1939-S-86, 1939-S-88, 1939-S-89"""
    bench = Bench("M5")
    assert not bench.transaction.marked
    assert bench.do(Verb.RSET) == b"+OK no message is marked\r\n"
    for number in (4, 2):
        assert bench.do(Verb.DELE, number) == b"+OK marked\r\n"
        assert bench.do(Verb.DELE, number) == NO_SUCH
    assert bench.do(Verb.DELE, 0) == bench.do(Verb.DELE, 6) == NO_SUCH
    assert bench.transaction.marked == (2, 4)
    bench.do(Verb.RSET)
    assert not bench.transaction.marked
    assert bench.do(Verb.STAT) == b"+OK 5 515\r\n"
    assert bench.do(Verb.DELE, 4) == b"+OK marked\r\n"

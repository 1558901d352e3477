"""The judge's connection: deadlines and bounds hold whatever the server does."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from restante.examine import wire as wire_module
from restante.examine.layer import receive_some
from restante.examine.outcome import Ended, Flooded, NotTried, Silent, Unmet
from restante.examine.record import Record
from restante.examine.wire import Wire
from unit.examine.behaving import listening, under_tls
from unit.examine.crooked_tls import server_context

Peer = Callable[[Callable[[socket.socket], None]], Wire]


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def peer(record: Record) -> Iterator[Peer]:
    """A server that does what it is told, once, and the judge's connection to it."""
    opened: list[Wire] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def start(behave: Callable[[socket.socket], None]) -> Wire:
        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                behave(connection)

        threading.Thread(target=serve, daemon=True).start()
        opened.append(Wire(listener.getsockname(), 0.5, record, 1))
        return opened[-1]

    yield start
    for wire in opened:
        wire.close()
    listener.close()


def until_gone(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def saying(octets: bytes, *, stay: bool = False) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.sendall(octets)
        if stay:
            until_gone(connection)

    return behave


def test_a_reply_is_read_to_its_line_end(peer: Peer) -> None:
    wire = peer(saying(b"+OK one\r\n-ERR two\r\n"))
    assert wire.status().line == "+OK one"
    assert not wire.status().positive


def test_a_multi_line_reply_is_read_to_its_dot_and_unstuffed(peer: Peer) -> None:
    answer = peer(saying(b"+OK\r\na\r\n..\r\n..b\r\n.\r\n")).answer()
    assert answer.lines == ("a", ".", ".b")
    assert answer.content == b"a\r\n.\r\n.b\r\n"


def test_a_negative_reply_where_lines_are_due_is_unmet(peer: Peer) -> None:
    with pytest.raises(Unmet, match="no such message"):
        peer(saying(b"-ERR no such message\r\n")).answer()


@pytest.mark.parametrize("octets", [b"220 ftp ready\r\n", b"* OK IMAP\r\n", b"HTTP/1.1 400\r\n"])
def test_another_protocol_is_told_apart(peer: Peer, octets: bytes) -> None:
    with pytest.raises(Unmet, match="not a reply of POP3"):
        peer(saying(octets)).status()


def test_silence_ends_at_the_deadline(peer: Peer) -> None:
    with pytest.raises(Silent):
        peer(saying(b"+OK half a li", stay=True)).status()


def test_a_close_in_the_middle_of_a_line_is_told_with_what_came(peer: Peer) -> None:
    with pytest.raises(Ended, match="half a li"):
        peer(saying(b"+OK half a li")).status()


def test_a_line_without_end_is_bounded(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "LINE_LIMIT", 5000)
    with pytest.raises(Flooded):
        peer(saying(b"+OK " + b"x" * 200_000)).status()


def test_a_reply_without_end_is_bounded(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "REPLY_LIMIT", 5000)
    with pytest.raises(Flooded):
        peer(saying(b"+OK\r\n" + b"line\r\n" * 5000)).answer()


def test_the_rest_of_a_connection_is_bounded(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "REPLY_LIMIT", 5000)
    with pytest.raises(Flooded):
        peer(saying(b"x" * 200_000)).rest()


def test_a_server_that_does_not_read_is_given_up(peer: Peer) -> None:
    held = threading.Event()

    def hold(connection: socket.socket) -> None:
        held.wait(20)

    wire = peer(hold)
    with pytest.raises(Silent, match="stopped reading"):
        wire.send(b"NOOP\r\n" * 5_000_000)
    held.set()


def test_what_a_server_says_is_read_while_it_does_not_read(peer: Peer) -> None:
    def talk_first(connection: socket.socket) -> None:
        connection.sendall(b"+OK\r\n" * 1_000_000)
        until_gone(connection)

    wire = peer(talk_first)
    wire.send(b"NOOP\r\n" * 1_000_000)
    assert wire.status().positive


def test_sending_to_a_server_that_is_gone_leaves_its_last_words(peer: Peer) -> None:
    wire = peer(saying(b"-ERR enough\r\n"))
    assert wire.status().text == "enough"
    for _ in range(3):
        wire.send(b"NOOP\r\n")
    with pytest.raises(Ended):
        wire.status()


def test_a_port_nobody_listens_on_is_not_tried(record: Record) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(NotTried, match="no connection"):
        Wire(address, 0.5, record, 1)


def test_a_handshake_with_a_server_that_speaks_clear_fails(peer: Peer) -> None:
    def speak(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"+OK no TLS here\r\n")

    with pytest.raises(OSError, match=r"SSL|ended"):
        peer(speak).start_tls()


def test_a_handshake_with_a_silent_server_ends_at_the_deadline(peer: Peer) -> None:
    with pytest.raises(TimeoutError):
        peer(until_gone).start_tls()


def test_octets_in_clear_before_the_handshake_are_refused(peer: Peer) -> None:
    wire = peer(saying(b"+OK\r\n+OK injected\r\n", stay=True))
    wire.status()
    with pytest.raises(ConnectionError, match="injected"):
        wire.start_tls()


def test_long_utterances_and_long_dialogues_are_cut(record: Record) -> None:
    for _ in range(1000):
        record.note(1, "S", b"x" * 10_000)
    said = record.utterances()
    assert len(said) < 1000
    assert len(said[0].octets) + said[0].left_out == 10_000
    assert said[0].left_out


def test_octets_that_keep_coming_do_not_move_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"x")
        with pytest.raises(TimeoutError):
            receive_some(ours, time.monotonic())
        assert receive_some(ours, time.monotonic() + 5) == b"x"


def test_the_end_of_the_run_is_the_end_of_every_wait(record: Record) -> None:
    with listening(until_gone) as port:
        began = time.monotonic()
        wire = Wire(("127.0.0.1", port), 20.0, record, 1, until=began + 0.3)
        with pytest.raises(Silent):
            wire.status()
        wire.close()
    assert time.monotonic() - began < 2


def test_a_reply_of_too_many_lines_is_bounded(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "REPLY_LINES_LIMIT", 5000)
    with pytest.raises(Flooded):
        peer(saying(b"+OK\r\n" + b"\n" * 100_000)).answer()


def test_nothing_is_sent_that_the_watch_refuses(record: Record) -> None:
    def refuse(wire: Wire, octets: bytes) -> None:
        raise NotTried("no")

    heard: list[bytes] = []
    with listening(lambda connection: heard.append(connection.recv(100))) as port:
        wire = Wire(("127.0.0.1", port), 1.0, record, 1, watch=refuse)
        with pytest.raises(NotTried):
            wire.send(b"DELE 1\r\n")
        wire.close()
    assert b"".join(heard) == b""
    assert all(said.speaker != "C" for said in record.utterances())


def test_under_tls_too_what_a_server_says_is_read_while_it_does_not_read(record: Record) -> None:
    def talk_first(connection: socket.socket) -> None:
        connection.sendall(b"+OK\r\n" * 4_000_000)
        until_gone(connection)

    with listening(under_tls(server_context(), talk_first)) as port:
        wire = Wire(("127.0.0.1", port), 10.0, record, 1)
        wire.start_tls()
        wire.send(b"NOOP\r\n" * 2_000_000)
        assert wire.status().positive
        wire.close()


def glance_on(wire: Wire) -> None:
    while True:
        wire.glance()


def test_a_glance_takes_what_is_there_and_does_not_wait(peer: Peer, record: Record) -> None:
    told = threading.Event()
    heard = threading.Event()

    def behave(connection: socket.socket) -> None:
        told.wait(20)
        connection.sendall(b"late")
        heard.wait(20)

    wire = peer(behave)
    assert wire.glance() == b""
    told.set()
    while not (seen := wire.glance()):
        pass
    assert seen == b"late"
    assert record.utterances()[-1].octets == b"late"
    heard.set()
    with pytest.raises(Ended):
        glance_on(wire)


def test_a_glance_under_tls_waits_for_nothing_whole(peer: Peer) -> None:
    go = threading.Event()

    def behave(connection: socket.socket) -> None:
        with server_context().wrap_socket(connection, server_side=True) as inside:
            inside.sendall(b"one")
            go.wait(20)

    wire = peer(behave)
    wire.start_tls()
    while not (seen := wire.glance()):
        pass
    assert seen == b"one"
    go.set()
    with pytest.raises(Ended):
        glance_on(wire)


def test_a_sip_is_never_larger_than_asked_for(peer: Peer) -> None:
    wire = peer(saying(b"x" * 100_000))
    sips = [wire.sip(30_000)]
    while sum(map(len, sips)) < 100_000:
        sips.append(wire.sip(30_000))
    assert max(map(len, sips)) == 30_000
    with pytest.raises(Ended):
        wire.sip(1)


def test_a_sip_is_as_large_as_asked_for_where_so_much_is_there(peer: Peer) -> None:
    sent = threading.Event()

    def behave(connection: socket.socket) -> None:
        with server_context().wrap_socket(connection, server_side=True) as inside:
            inside.sendall(b"x" * 100_000)
            sent.set()
            until_gone(inside)

    wire = peer(behave)
    wire.start_tls()
    assert sent.wait(20)
    sips = [wire.sip(25_000) for _ in range(4)]
    assert [len(sip) for sip in sips] == [25_000] * 4

"""Dovecot's POP3 on a copy of the same Maildir: the oracle of what mail hosts show today.

Where the two differ, RFC 1939 decides, and the difference has a test and a name of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from interop import dovecot, maildirs
from interop.conftest import NewMailbox, needs_root
from interop.messages import HARD, Message, corpus
from interop.record import Peer, departs
from interop.service import Service, open_folder

from conftest import require
from serving import Dialogue

PEER = Peer("Dovecot", "oracle", "dovecot-pop3d")

TOP_LINES = (0, 1, 2, 7, 100_000)
Both = tuple[Dialogue, Dialogue]
Open = Callable[[tuple[Message, ...]], AbstractContextManager[Both]]


@pytest.fixture
def open_both(service: Service, new_mailbox: NewMailbox) -> Open:
    """Open the same maildrop at Restante and at Dovecot."""
    require("dovecot")
    needs_root()

    @contextmanager
    def opened(messages: tuple[Message, ...]) -> Iterator[Both]:
        mailbox = new_mailbox(messages)
        with open_folder("dovecot") as folder:
            oracle = dovecot.Dovecot(folder)
            oracle.copy(mailbox.maildir)
            with (
                oracle,
                Dialogue(service.host, service.ports["none"]) as ours,
                Dialogue(service.host, oracle.port) as theirs,
            ):
                assert ours.log_in(mailbox.name, mailbox.password).startswith(b"+OK")
                assert theirs.log_in(dovecot.NAME, dovecot.PASSWORD).startswith(b"+OK")
                yield ours, theirs

    return opened


def ask(dialogue: Dialogue, command: str) -> list[bytes]:
    """Return the lines of a multi-line reply as they were sent."""
    assert dialogue.say(command.encode()).startswith(b"+OK"), command
    return dialogue.lines()


def octets(lines: list[bytes]) -> bytes:
    """Return what lines are when their stuffing is undone."""
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines)


def begins_with_dot(message: Message) -> bool:
    return message.stored.startswith(b".")


def has_last_end(message: Message) -> bool:
    return not message.stored or message.stored.endswith(b"\n")


def test_the_same_listing(open_both: Open) -> None:
    """STAT and LIST of every message that ends in a line end: the same numbers and sizes."""
    with open_both(tuple(filter(has_last_end, corpus()))) as (ours, theirs):
        assert ours.say(b"STAT") == theirs.say(b"STAT")
        assert ask(ours, "LIST") == ask(theirs, "LIST")


def test_the_same_octets(open_both: Open) -> None:
    """RETR of every message, and TOP of none, some and all of its lines, but for the messages that
    begin with a dot and the empty one: the same octets.
    """
    messages = tuple(m for m in corpus() if m.stored and not begins_with_dot(m))
    with open_both(messages) as (ours, theirs):
        for number, message in enumerate(messages, 1):
            shown = ask(ours, f"RETR {number}")
            assert shown == ask(theirs, f"RETR {number}"), message.name
            assert octets(shown) == message.wire, message.name
            for lines in TOP_LINES:
                top = ask(ours, f"TOP {number} {lines}")
                assert top == ask(theirs, f"TOP {number} {lines}"), (message.name, lines)
                assert octets(top) == message.top(lines), (message.name, lines)


def test_the_same_marks(open_both: Open) -> None:
    """DELE and RSET: the same listings of what is left, the same refusals."""
    with open_both(tuple(filter(has_last_end, HARD))) as (ours, theirs):
        for command in (b"DELE 1", b"DELE 1", b"RETR 1", b"LIST 1", b"DELE 3", b"DELE 999"):
            assert ours.say(command)[:4].strip() == theirs.say(command)[:4].strip(), command
        assert ask(ours, "LIST") == ask(theirs, "LIST")
        assert ours.say(b"STAT") == theirs.say(b"STAT")
        assert ours.say(b"RSET").startswith(b"+OK")
        assert theirs.say(b"RSET").startswith(b"+OK")
        assert ask(ours, "LIST") == ask(theirs, "LIST")


@departs("A dot that begins a message is sent without stuffing: a client loses it, or the rest.")
def test_first_dot(open_both: Open) -> None:
    """Messages that begin with a dot, which RFC 1939 §3 wants stuffed like any other.

    conformance: 1939-S-17
    """
    messages = tuple(message for message in corpus() if begins_with_dot(message))
    assert {"one dot", "sndhdr.au"} <= {message.name for message in messages}
    for message in messages:
        with open_both((message,)) as (ours, theirs):
            assert octets(ask(ours, "RETR 1")) == message.wire
            assert theirs.say(b"RETR 1").startswith(b"+OK")
            first = message.wire.partition(b"\r\n")[0]
            assert theirs.line() == first
            assert ours.say(b"NOOP").startswith(b"+OK")


@departs("An empty message of 0 octets is sent as an empty line, of 2.")
def test_empty(open_both: Open) -> None:
    """A message of no octets: RFC 1939 §5 sends the message, and LIST counts what is sent.

    conformance: 1939-S-79
    """
    with open_both((Message("empty", b""),)) as (ours, theirs):
        assert ours.say(b"LIST 1") == theirs.say(b"LIST 1") == b"+OK 1 0"
        assert ask(ours, "RETR 1") == []
        assert ask(theirs, "RETR 1") == [b""]


@departs(
    "The CRLF that is added to a message without its last line end is not counted, unless `,W=` in "
    "the file name does."
)
def test_no_last_end(open_both: Open) -> None:
    """LIST of messages without their last line end: RFC 1939 §11 counts what is sent.

    conformance: 1939-S-104, 1939-S-79
    """
    messages = tuple(m for m in corpus() if not has_last_end(m) and not begins_with_dot(m))
    with open_both(messages) as (ours, theirs):
        short = 0
        for number in range(1, len(messages) + 1):
            sent = octets(ask(ours, f"RETR {number}"))
            assert octets(ask(theirs, f"RETR {number}")) == sent
            assert ours.say(f"LIST {number}".encode()) == f"+OK {number} {len(sent)}".encode()
            told = int(theirs.say(f"LIST {number}".encode()).split()[2])
            assert told in (len(sent), len(sent) - 2)
            short += told != len(sent)
        assert short > len(messages) // 3


@departs("A size that `,W=` in the file name claims is believed where it is false.")
def test_false_size(service: Service, new_mailbox: NewMailbox) -> None:
    """A file name that tells a size of its own: RFC 1939 §11 wants what is sent.

    conformance: 1939-S-79
    """
    require("dovecot")
    needs_root()
    message = HARD[0]
    mailbox = new_mailbox((message,))
    (file,) = maildirs.files(mailbox.maildir)
    file.rename(mailbox.maildir / "cur" / "1700000000.M1P1.host,W=7:2,S")
    with open_folder("dovecot") as folder:
        oracle = dovecot.Dovecot(folder)
        oracle.copy(mailbox.maildir)
        with oracle, Dialogue(service.host, oracle.port) as theirs:
            theirs.log_in(dovecot.NAME, dovecot.PASSWORD)
            assert theirs.say(b"LIST 1") == b"+OK 1 7"
            assert octets(ask(theirs, "RETR 1")) == message.wire
    with Dialogue(service.host, service.ports["none"]) as ours:
        ours.log_in(mailbox.name, mailbox.password)
        assert ours.say(b"LIST 1") == f"+OK 1 {len(message.wire)}".encode()
        assert octets(ask(ours, "RETR 1")) == message.wire


@departs("Unique-ids are numbers of its own, not the names of the files.")
def test_unique_ids(open_both: Open) -> None:
    """UIDL: one for each message, in the same order, none twice, made otherwise.

    conformance: 1939-S-100, 1939-S-101
    """
    with open_both(HARD) as (ours, theirs):
        own, other = (
            [line.split() for line in ask(dialogue, "UIDL")] for dialogue in (ours, theirs)
        )
        numbers = [b"%d" % number for number in range(1, len(HARD) + 1)]
        assert [number for number, _ in own] == [number for number, _ in other] == numbers
        assert len({unique_id for _, unique_id in own}) == len(HARD)
        assert not {unique_id for _, unique_id in own} & {unique_id for _, unique_id in other}

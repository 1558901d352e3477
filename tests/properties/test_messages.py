"""Messages on their way out, against oracles that see them whole."""

from hypothesis import given
from hypothesis import strategies as st

from properties.streams import THOROUGH
from restante.protocol.stuffing import DotStuffer, TopCut
from transcripts.maildrops import Drop, on_the_wire
from transcripts.post_office import Desk, PostOffice

line = st.text("..a\r\xff \0", max_size=6).map(lambda text: text.encode("latin-1"))
stored = st.lists(line, max_size=12).map(b"\n".join) | st.binary(max_size=200)
sizes = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def cut_up(data: bytes, pieces: list[int]) -> list[bytes]:
    found: list[bytes] = []
    start = 0
    while start < len(data):
        size = pieces[len(found) % len(pieces)]
        found.append(data[start : start + size])
        start += size
    return found


def unstuffed(data: bytes) -> bytes:
    """Undo stuffing line by line, as a client does."""
    lines = data.split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


def top(message: bytes, count: int) -> bytes:
    """Cut a message that is there as a whole."""
    lines = message.split(b"\r\n")[:-1]
    header = lines.index(b"") + 1 if b"" in lines else len(lines)
    return b"".join(line + b"\r\n" for line in lines[: header + count])


@THOROUGH
@given(stored, sizes)
def test_stuffing_can_be_undone(message: bytes, pieces: list[int]) -> None:
    """conformance: 1939-S-17, 1939-S-18, 1939-S-122"""
    data = on_the_wire(message)
    stuffer = DotStuffer()
    sent = b"".join(map(stuffer.stuff, cut_up(data, pieces)))
    assert sent == DotStuffer().stuff(data)
    assert unstuffed(sent) == data
    assert b"\r\n.\r\n" not in b"\r\n" + sent


@THOROUGH
@given(stored, sizes, st.integers(0, 8))
def test_top_cuts_where_the_oracle_does(message: bytes, pieces: list[int], count: int) -> None:
    """conformance: 1939-S-94, 1939-S-95, 1939-S-97, 1939-S-98"""
    data = on_the_wire(message)
    cut = TopCut(count)
    assert b"".join(map(cut.cut, cut_up(data, pieces))) == top(data, count)


@THOROUGH
@given(
    st.lists(stored, min_size=1, max_size=3), st.integers(1, 9), st.integers(0, 5), st.booleans()
)
def test_a_client_receives_what_was_stored(
    messages: list[bytes], piece: int, count: int, utf8: bool
) -> None:
    """But for headers beyond ASCII, if it has not said UTF8.

    conformance: 1939-S-71, 1939-S-79, 1939-S-80, 1939-S-104, 1939-S-119, 1939-S-120, 6856-S-05
    """
    office = PostOffice()
    office.add("alice", "secret", tuple(messages))
    desk = Desk(office)
    desk.piece_octets = piece
    desk.receive(b"UTF8\r\n" * utf8 + b"USER alice\r\nPASS secret\r\n")
    drop = Drop(messages)
    for number, message in enumerate(drop.messages, 1):
        for command, expected in (
            (b"RETR %d\r\n" % number, message),
            (b"TOP %d %d\r\n" % (number, count), top(message, count)),
        ):
            desk.sent.clear()
            desk.receive(command)
            status, _, body = bytes(desk.sent).partition(b"\r\n")
            if not (utf8 or top(message, 0).isascii()):
                assert (status[:12], body) == (b"-ERR [UTF8] ", b"")
                continue
            assert status.startswith(b"+OK ")
            assert body.endswith(b".\r\n")
            assert unstuffed(body.removesuffix(b".\r\n")) == expected
        desk.sent.clear()
        desk.receive(b"LIST %d\r\n" % number)
        assert desk.sent == b"+OK %d %d\r\n" % (number, len(message))
    desk.sent.clear()
    desk.receive(b"STAT\r\n")
    assert desk.sent == b"+OK %d %d\r\n" % (drop.count, drop.octets)

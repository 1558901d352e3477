"""What is said and done depends on the octets, never on how they were cut into segments."""

from hypothesis import example, given
from hypothesis import strategies as st

from properties.streams import THOROUGH, converse, cuts, office, streams
from restante.protocol.lines import ENDLESS_OCTETS
from transcripts.post_office import Desk, PostOffice

sections = st.lists(
    st.builds(lambda stream, stls: stream + stls, streams, st.sampled_from([b"", b"STLS\r\n"])),
    min_size=1,
    max_size=3,
)


def outcome(parts: list[bytes], sizes: list[int] | None) -> tuple[object, ...]:
    """Return everything that a conversation leaves behind."""
    shared: PostOffice = office()
    desk = Desk(shared)
    converse(desk, parts, sizes)
    kept = [(name, account.letters) for name, account in shared.accounts.items()]
    return bytes(desk.sent), desk.events, desk.closed, kept


@THOROUGH
@given(sections, cuts)
@example([b"A" * (ENDLESS_OCTETS + 1) + b"\nNOOP\r\n"], [1])
@example([b"AUTH PLAIN\r\n" + b"A" * 20_481 + b"\r\nCAPA\r\n"], [5000])
@example([b"GET /" + b"x" * 500 + b" HTTP/1.1\r\nUSER alice\r\n"], [3])
def test_the_cuts_leave_no_trace(parts: list[bytes], sizes: list[int]) -> None:
    """conformance: 1939-S-09"""
    assert outcome(parts, sizes) == outcome(parts, None)


@THOROUGH
@given(streams)
def test_octet_by_octet(stream: bytes) -> None:
    """conformance: 1939-S-09"""
    assert outcome([stream], [1]) == outcome([stream], None)

"""Streams of a client's octets, from well-behaved to hostile, and who reads them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle

from hypothesis import settings
from hypothesis import strategies as st

from restante.protocol import SessionOptions
from transcripts.maildrops import MAILDROPS, letter
from transcripts.post_office import Desk, PostOffice

THOROUGH = settings(max_examples=200)
PATIENT = SessionOptions(bad_commands_before_login=1 << 60, bad_commands_in_a_row=1 << 60)
"""Options that let a session live through any number of bad commands."""

PLAIN_OF_ALICE = b"AGFsaWNlAHNlY3JldA=="
PLAIN_OF_NOBODY = b"AG5vYm9keQBzZWNyZXQ="

WORDS = [
    b"USER alice", b"USER bob", b"USER nobody", b"PASS secret", b"PASS wrong", b"PASS", b"USER",
    b"AUTH PLAIN", b"AUTH PLAIN " + PLAIN_OF_ALICE, b"AUTH PLAIN " + PLAIN_OF_NOBODY, b"AUTH",
    b"AUTH FOO", b"AUTH PLAIN =", PLAIN_OF_ALICE, PLAIN_OF_NOBODY, b"*", b"=", b"", b"CAPA",
    b"STAT", b"LIST", b"UIDL", b"NOOP", b"RSET", b"LIST 1", b"LIST 2", b"UIDL 1", b"RETR 1",
    b"RETR 2", b"RETR 3", b"TOP 1 0", b"TOP 2 1", b"TOP 3 99", b"DELE 1", b"DELE 2", b"DELE 3",
    b"DELE 0", b"LIST -1", b"RETR 99999999999", b"TOP 1", b"NOOP x", b"APOP a b", b"XYZZY",
]  # fmt: skip

LENGTHS = [253, 254, 255, 256, 300, 8191, 8192, 8193, 12286, 12287, 12288, 20479, 20480, 20481]

words = st.sampled_from(WORDS)
# Without a T there is no STLS in it.
hostile = st.binary(max_size=12).map(lambda octets: octets.translate(None, b"Tt"))
long_lines = st.builds(
    lambda start, octets: (start + b"A" * octets)[:octets],
    st.sampled_from([b"", b"AUTH PLAIN ", b"USER ", b"\0"]),
    st.sampled_from(LENGTHS),
)
ends = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\n", b"\r", b"", b"\r\r\n", b"\0\r\n"])
pieces = st.tuples(words | words | words | hostile | long_lines, ends).map(b"".join)
logins = st.sampled_from(
    [b"", b"USER alice\r\nPASS secret\r\n", b"AUTH PLAIN " + PLAIN_OF_ALICE + b"\r\n"]
)
streams = st.builds(
    lambda login, rest: login + b"".join(rest), logins, st.lists(pieces, max_size=25)
)
"""Octets without STLS: where that stands, the cuts between segments do matter."""

cuts = st.lists(st.integers(1, 600) | st.integers(1, 4), min_size=1, max_size=8)


def office() -> PostOffice:
    """Return a post office with two accounts."""
    made = PostOffice()
    made.add("alice", "secret", (*MAILDROPS["MD"], letter(150), *MAILDROPS["MH"]))
    made.add("bob", "secret", ())
    return made


def segments(octets: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """Cut octets into segments of these sizes, again and again."""
    start = 0
    for size in cycle(sizes):
        if start >= len(octets):
            return
        yield octets[start : start + size]
        start += size


def converse(desk: Desk, sections: Sequence[bytes], sizes: Sequence[int] | None) -> None:
    """Send sections of octets; where one ended in an STLS that was agreed to, TLS is made."""
    for section in sections:
        for segment in segments(section, sizes or [len(section) or 1]):
            desk.receive(segment)
        if desk.negotiating:
            desk.make_tls()
    if not desk.negotiating:
        desk.receive_eof()

"""Nothing said in clear is heard under TLS."""

from hypothesis import assume, given
from hypothesis import strategies as st

from properties.streams import PATIENT, THOROUGH, cuts, office, segments, streams, words
from restante.protocol import EndReason, SessionEnded
from transcripts.post_office import Desk

lines = st.lists(words, max_size=12).map(lambda each: b"".join(line + b"\r\n" for line in each))
in_clear = lines.map(lambda octets: octets.replace(b"secret", b"wrong").replace(b"AGFs", b"AGFt"))


def under_tls(clear: bytes, secret: bytes, sizes: list[int]) -> tuple[object, ...] | None:
    """Return what is said and done under TLS after this was said in clear."""
    shared = office()
    desk = Desk(shared, options=PATIENT)
    for segment in segments(clear, sizes):
        desk.receive(segment)
    desk.receive(b"STLS\r\n")
    if not desk.negotiating:
        return None
    desk.sent.clear()
    desk.events.clear()
    desk.make_tls()
    desk.receive(secret)
    return bytes(desk.sent), desk.events, desk.closed, shared.accounts


@THOROUGH
@given(in_clear, lines, cuts)
def test_what_was_said_in_clear_changes_nothing(
    clear: bytes, secret: bytes, sizes: list[int]
) -> None:
    """conformance: 2595-S-10"""
    found = under_tls(clear, secret, sizes)
    assume(found is not None)
    assert found == under_tls(b"", secret, [1])


@THOROUGH
@given(st.sampled_from([b"", b"USER alice\r\n"]), streams.filter(bool))
def test_octets_behind_stls_are_never_run(before: bytes, behind: bytes) -> None:
    """conformance: 2449-S-26, 2595-S-09"""
    shared = office()
    desk = Desk(shared)
    desk.receive(before + b"STLS\r\n" + behind)
    assert desk.closed
    assert desk.events == [SessionEnded(EndReason.OCTETS_BEHIND_STLS)]
    assert desk.sent.endswith(b"-ERR octets behind STLS\r\n")
    desk.receive(b"PASS secret\r\n")
    assert desk.sent.endswith(b"-ERR octets behind STLS\r\n")

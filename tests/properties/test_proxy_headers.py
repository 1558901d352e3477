"""The header of a proxy: cuts make no difference, and nothing breaks its reader."""

from hypothesis import given
from hypothesis import strategies as st

from properties.streams import THOROUGH, cuts, segments
from restante.server.options import ListenerOptions
from restante.server.proxy_header import BLOCK_OCTETS, LINE_OCTETS, BadHeader, parse
from unit.server.booth import Booth, stepped_loop
from unit.server.proxy_headers import SIGNATURE, addresses, block, checked, line, vector

PROXY = "10.1.2.3"

four, six = st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)
ports = st.tuples(st.integers(0, 65_535), st.integers(0, 65_535))
lines = st.builds(line, four, four, ports) | st.builds(line, six, six, ports)
vectors = st.lists(
    st.builds(vector, st.integers(0, 255).filter(lambda kind: kind != 3), st.binary(max_size=40)),
    max_size=5,
).map(b"".join)
bodies = st.builds(
    lambda ends, more: addresses(*ends) + more, st.tuples(four, four, ports), vectors
)
blocks = st.builds(block, bodies) | vectors.map(checked)
headers = lines | blocks | st.sampled_from([b"PROXY UNKNOWN\r\n", block(command=0x20)])
broken = st.builds(
    lambda header, at, octet: header[: at % len(header)] + octet + header[at % len(header) + 1 :],
    headers,
    st.integers(0, 4_000),
    st.binary(max_size=2),
)
beginnings = st.builds(
    lambda start, fixed, rest: start + fixed + rest,
    st.sampled_from([b"PROXY ", b"PROXY TCP4 ", b"PROXY TCP6 ", SIGNATURE, SIGNATURE + b"\x21"]),
    st.binary(max_size=4),
    st.binary(max_size=300),
)
streams = st.builds(
    lambda header, rest: header + rest,
    headers | broken | beginnings | st.binary(max_size=200),
    st.sampled_from([b"", b"CAPA\r\n", b"USER alice\r\nPASS secret\r\nSTAT\r\nQUIT\r\n"]),
)


def outcome(stream: bytes, sizes: list[int]) -> tuple[object, ...]:
    """Return all that a client in this stream hears, and what is left of it."""
    with stepped_loop() as loop:
        booth = Booth(loop)
        client = booth.connect(PROXY, "none", ("10.0.0.0/8",))
        for segment in segments(stream, sizes):
            client.send(segment)
        client.end()
        client.transport.unstick()
        # The names of sessions are made by chance.
        logged = [
            (event, fields.get("reason"), str(fields.get("peer")).partition(" session=")[0])
            for event, fields in booth.log.events
        ]
        loop.now += 60
        booth.service.tick(loop.now)
        loop.settle()
        assert (booth.service.session_count, booth.limits.total()) == (0, 0)
        assert loop.faults == []
        return client.taken, logged


@THOROUGH
@given(streams, cuts)
def test_the_cuts_make_no_difference(stream: bytes, sizes: list[int]) -> None:
    assert outcome(stream, sizes) == outcome(stream, [len(stream) or 1])


@THOROUGH
@given(streams)
def test_any_octets_are_a_header_or_its_beginning_or_none(stream: bytes) -> None:
    for size in range(len(stream) + 1):
        try:
            header = parse(stream[:size])
        except BadHeader:
            return
        if header is not None:
            assert header.octets == size, "it is known as soon as it is whole"
            assert parse(stream) == header
            return
        assert size < max(LINE_OCTETS, 16 + BLOCK_OCTETS)


@THOROUGH
@given(st.tuples(four, four, ports) | st.tuples(six, six, ports), vectors)
def test_both_versions_name_the_same_ends(
    ends: tuple[str, str, tuple[int, int]], more: bytes
) -> None:
    first = parse(line(*ends))
    second = parse(block(addresses(*ends) + more, family=0x21 if ":" in ends[0] else 0x11))
    assert first is not None
    assert second is not None
    assert first.ends == second.ends
    assert first.ends is not None
    assert first.ends.remote[1] == ends[2][0]
    assert ListenerOptions(address="127.0.0.1:0", proxy_protocol=(first.ends.remote[0],))

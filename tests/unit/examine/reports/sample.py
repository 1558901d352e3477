"""A small examination with a finding of every kind, and arbitrary ones."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from restante.examine.case import Case, Finding, Level, Verdict
from restante.examine.examination import Examination, Server
from restante.examine.record import Utterance
from restante.examine.target import Tls

GOLDEN = Path(__file__).with_name("golden")

HOSTILE = (
    b"+OK \x1b]0;owned\x07 \x00\x9b2J <script>alert('&\")</script> ]]> \xe2\x80\xae back\\slash"
)
"""A terminal sequence, C1, NUL, markup, the end of CDATA, a bidi mark and a backslash."""


def case_of(
    number: int,
    level: Level = Level.MUST,
    title: str = "Made up",
    source: str = "RFC 1939 §4",
    variant: str = "",
    also: tuple[str, ...] = (),
) -> Case:
    return Case(
        id=f"1939-S-{number}",
        title=title,
        source=source,
        level=level,
        steps=(),
        variant=variant,
        also=also,
    )


FINDINGS = (
    Finding(
        case_of(36, title="QUIT before the login is answered", also=("TG-U-9",)),
        Verdict.PASSES,
        "the server does what the source says",
        (
            Utterance(1, "*", b"connected"),
            Utterance(1, "S", b"+OK ready\r\n"),
            Utterance(1, "C", b"QUIT\r\n"),
            Utterance(1, "S", b"+OK\r\n"),
        ),
        0.0625,
    ),
    Finding(
        case_of(84, title="DELE marks and removes nothing yet", source="RFC 1939 §5 (DELE)"),
        Verdict.DEPARTS,
        r"'STAT' is answered '+OK 1 200'; expected \+OK 2 320",
        (
            Utterance(1, "C", b"DELE 1\r\n"),
            Utterance(1, "S", b"+OK marked\r\n"),
            Utterance(2, "*", b"connected"),
            Utterance(2, "S", HOSTILE + b"\n"),
            Utterance(2, "C", b"STAT\r\n"),
            Utterance(2, "S", b"+OK 1 200\r\n", 0),
        ),
        0.5,
    ),
    Finding(
        case_of(12, Level.SHOULD, "A long listing is complete", "RFC 2449 §5", "long"),
        Verdict.DEPARTS,
        "the lines end early",
        (Utterance(1, "S", b"".join(b"line %d\r\n" % n for n in range(30)), 5_000),),
        0.25,
    ),
    Finding(
        case_of(40, Level.MAY, "USER does not tell whether a mailbox exists", "RFC 1939 §13"),
        Verdict.DIFFERS,
        "unknown user: '-ERR who', wrong password: '-ERR no'",
        (Utterance(1, "S", b"-ERR who"),),
        0.125,
    ),
    Finding(
        case_of(70, Level.INFERRED, "AUTH names no user", "TCP/IP Guide, Authorization State"),
        Verdict.NOT_APPLICABLE,
        "the server does not announce SASL",
        (),
        0.03125,
    ),
    Finding(
        case_of(111, title="A lost session removes nothing", variant="reset"),
        Verdict.NOT_TRIED,
        "the case would remove mail, and no maildrop is its own",
        (),
    ),
)

SAMPLE = Examination(
    server=Server("pop.example.org", 995, Tls.IMPLICIT, "+OK ready", "Acme POP3 2.1", "TLSv1.3"),
    capabilities={
        "tls": {"TOP": (), "SASL": ("PLAIN", "SCRAM-SHA-256"), "IMPLEMENTATION": ("Acme",)},
        "transaction": {"TOP": ()},
    },
    findings=FINDINGS,
    seconds=1.5,
    started="2026-11-24T20:12:18+00:00",
)

octets = st.binary(max_size=80) | st.sampled_from([HOSTILE, b"\xff\xfe", b"]]>\r\n", b"<!--"])
texts = st.text(st.characters(), max_size=60) | octets.map(lambda o: o.decode("latin-1"))
utterances = st.builds(
    Utterance, st.integers(0, 3), st.sampled_from("CS*"), octets, st.integers(0, 1 << 33)
)
cases = st.builds(
    case_of,
    st.integers(1, 999),
    st.sampled_from(Level),
    texts,
    st.sampled_from(["RFC 1939 §5", "RFC 2449", "TCP/IP Guide, Authorization"]) | texts,
    st.sampled_from(["", "reset"]) | texts,
)
findings = st.builds(
    Finding,
    cases,
    st.sampled_from(Verdict),
    texts,
    st.lists(utterances, max_size=4).map(tuple),
    st.none() | st.floats(0, 1e4),
)
announcements = st.dictionaries(
    st.sampled_from(["clear", "tls", "transaction"]),
    st.dictionaries(texts, st.lists(texts, max_size=3).map(tuple), max_size=3),
)
examinations = st.builds(
    Examination,
    st.builds(
        Server, texts, st.integers(1, 65535), st.sampled_from(Tls), texts, texts, st.none() | texts
    ),
    announcements,
    st.lists(findings, max_size=4).map(tuple),
    st.floats(0, 1e6),
    st.just("2026-11-24T20:12:18+00:00") | texts,
)

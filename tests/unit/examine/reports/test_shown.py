"""What a server said is shown in printable ASCII, and can be told from it."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.examine.examination import Server
from restante.examine.record import Utterance
from restante.examine.reports.shown import (
    SHOWN_LINES,
    SHOWN_OCTETS,
    Line,
    address_of,
    announced,
    cleaned,
    escaped,
    escaped_text,
    lines_of,
    tls_of,
)
from restante.examine.target import Tls
from unit.examine.reports.sample import HOSTILE, texts, utterances


def harmless(text: str) -> bool:
    return text.isascii() and (not text or text.isprintable())


def read_back(shown: str) -> bytes:
    """Take escapes for what Python's own parser takes them for."""
    octets = ast.literal_eval("b'" + shown.replace("'", r"\x27") + "'")
    assert isinstance(octets, bytes)
    return octets


@given(st.binary())
def test_octets_can_be_told_from_what_is_shown(octets: bytes) -> None:
    shown = escaped(octets)
    assert harmless(shown)
    assert read_back(shown) == octets


@given(texts)
def test_no_character_does_harm(text: str) -> None:
    assert harmless(escaped_text(text))
    assert harmless(cleaned(text).replace("§", ""))


def test_a_reply_is_shown_as_it_is() -> None:
    assert escaped(b"+OK \\ \x1b[1m\xff\t\r\n") == r"+OK \\ \x1b[1m\xff\t\r\n"


def test_text_beyond_one_octet_has_escapes_of_its_own() -> None:
    assert escaped_text("\u202e\U0001f600\udc80é\\") == r"\u202e\U0001f600\udc80\xe9" + "\\\\"


def test_text_of_the_suite_keeps_its_escapes_and_its_sections() -> None:
    assert cleaned(r"RFC 1939 §5: '\x00'" + "\x00") == r"RFC 1939 §5: '\x00'\x00"


def test_long_text_is_cut() -> None:
    assert cleaned("x" * 2_500) == "x" * 2_000 + " [500 characters more]"
    assert escaped_text("x" * 20, 15) == "x" * 15 + " [5 characters more]"


def test_a_dialogue_is_shown_line_by_line_with_every_end() -> None:
    said = Utterance(1, "S", b"+OK\r\none\ntwo\r\r\nlast")
    assert list(lines_of([said])) == [
        Line(0, "S", "+OK", r"\r\n"),
        Line(0, "S", "one", r"\n"),
        Line(0, "S", r"two\r", r"\r\n"),
        Line(0, "S", "last"),
    ]


def test_connections_are_told_apart_where_there_are_several() -> None:
    said = [Utterance(1, "C", b"QUIT\r\n"), Utterance(2, "S", b"+OK\r\n"), Utterance(0, "*", b"x")]
    assert [line.who for line in lines_of(said)] == ["1 C:", "2 S:", "*:"]


def test_of_a_long_utterance_the_beginning_is_shown() -> None:
    said = Utterance(1, "S", b"x" * 3_000, 1_096)
    first, rest = lines_of([said])
    assert first.text == "x" * SHOWN_OCTETS
    assert (rest.who, rest.text) == ("…", "3,096 octets more")


def test_of_many_lines_the_first_are_shown() -> None:
    said = Utterance(1, "S", b"one\r\n" * 30)
    lines = list(lines_of([said]))
    assert len(lines) == SHOWN_LINES + 1
    assert lines[-1].text == "50 octets more"


@given(st.lists(utterances))
def test_lines_carry_no_harm(dialogue: list[Utterance]) -> None:
    for line in lines_of(dialogue):
        assert harmless(line.text + line.end)


@given(st.dictionaries(texts, st.lists(texts).map(tuple)))
def test_capabilities_carry_no_harm(listed: dict[str, tuple[str, ...]]) -> None:
    shown = announced({"clear": listed})["clear"]
    assert all(harmless(tag) and all(map(harmless, shown[tag])) for tag in shown)


def test_capabilities_are_bounded() -> None:
    listed = {f"X{n}" * 200: ("y" * 9_000,) * 500 for n in range(300)}
    shown = announced({"clear": listed})["clear"]
    assert len(shown) == 100
    assert len(str(shown)) < 100 * 100 * 250


@pytest.mark.parametrize(
    ("host", "shown"),
    [("pop.example.org", "pop.example.org:110"), ("::1", "[::1]:110"), ("\x1bx", r"\x1bx:110")],
)
def test_the_address_is_written_as_in_a_url(host: str, shown: str) -> None:
    assert address_of(Server(host, 110, Tls.NONE, "", "", None)) == shown


def test_the_transport_is_told() -> None:
    assert tls_of(Server("x", 1, Tls.NONE, "", "", None)) == "no TLS"
    assert tls_of(Server("x", 1, Tls.STLS, "", "", "TLSv1.3")) == "STLS, TLSv1.3"
    assert tls_of(Server("x", 1, Tls.IMPLICIT, "", "", "TLSv1.2")) == "TLS from the start, TLSv1.2"


def test_hostile_octets_are_spelt_out() -> None:
    assert "\\x1b]0;owned\\x07 \\x00\\x9b2J <script>" in escaped(HOSTILE)

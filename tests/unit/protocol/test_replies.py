"""Replies: first lines, multi-line replies, challenges."""

import pytest

from restante.protocol.languages import LANGUAGES
from restante.protocol.replies import MAXIMUM_OCTETS, Output, status_line


def test_first_lines() -> None:
    """conformance: 1939-S-14, 1939-S-15, 1957-S-01"""
    assert status_line(True, "done") == b"+OK done\r\n"
    assert status_line(False, "no") == b"-ERR no\r\n"
    assert status_line(False, "no", "SYS/TEMP") == b"-ERR [SYS/TEMP] no\r\n"


@pytest.mark.parametrize(
    "text", ["[AUTH] forged", "[AUTH", "a [b]", "a [b", "a\r\n", "a\tb", "é", "\0", "\x7f"]
)
def test_a_text_is_printable_and_opens_no_bracket(text: str) -> None:
    """conformance: 2449-S-17, 2449-S-18"""
    with pytest.raises(ValueError, match="printable ASCII"):
        status_line(False, text)


def test_a_first_line_has_512_octets_at_the_most() -> None:
    """conformance: 1939-S-13, 2449-S-04"""
    longest = "x" * (MAXIMUM_OCTETS - len(b"+OK \r\n"))
    assert len(status_line(True, longest)) == MAXIMUM_OCTETS
    with pytest.raises(ValueError, match="512"):
        status_line(True, longest + "x")


def test_output_keeps_order_and_counts() -> None:
    output = Output()
    data = memoryview(b"abc")
    output.positive("yes")
    output.write(data)
    output.negative("no", "AUTH")
    assert output.buffers == [b"+OK yes\r\n", data, b"-ERR [AUTH] no\r\n"]
    assert output.buffers is not None
    assert output.buffers[1] is data
    assert output.octets == sum(map(len, output.buffers))


def test_a_listing_ends_in_a_dot() -> None:
    """conformance: 1939-S-16"""
    output = Output()
    output.listing("follows", [])
    output.listing("follows", (line for line in [b"1 2\r\n", b"2 3\r\n"]))
    assert (
        b"".join(output.buffers or ()) == b"+OK follows\r\n.\r\n+OK follows\r\n1 2\r\n2 3\r\n.\r\n"
    )


def test_texts_are_in_the_language_that_was_chosen() -> None:
    """conformance: 6856-S-23"""
    output = Output()
    output.language = LANGUAGES["de"]
    output.positive("goodbye")
    output.negative("authentication failed", "AUTH")
    output.reply(b"+OK maildrop has %d messages (%d octets)\r\n", 2, 320)
    output.listing("capabilities follow", [b"TOP\r\n"])
    output.write(b"+OK goodbye\r\n")
    assert b"".join(output.buffers or ()).decode() == (
        "+OK auf Wiedersehen\r\n-ERR [AUTH] Anmeldung fehlgeschlagen\r\n"
        "+OK 2 Nachrichten im Postfach (320 Oktette)\r\n"
        "+OK es folgen die Fähigkeiten\r\nTOP\r\n.\r\n+OK goodbye\r\n"
    )


def test_a_challenge_keeps_its_space() -> None:
    """conformance: 5034-S-07, 5034-S-08"""
    output = Output()
    output.challenge(b"")
    output.challenge(b"who \xff")
    assert output.buffers == [b"+ \r\n", b"+ d2hvIP8=\r\n"]

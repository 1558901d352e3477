"""One reply for one command, none of it the client's own words."""

import re

from hypothesis import given
from hypothesis import strategies as st

from properties.streams import PATIENT, THOROUGH, hostile, office, streams, words
from transcripts.post_office import Desk

MANY_LINES = {b"LIST", b"UIDL", b"CAPA", b"RETR", b"TOP"}
CANARY = b"KANARIENVOGEL"
STATUS = re.compile(rb"(?:\+OK|-ERR)(?: \[(?:AUTH|IN-USE|SYS/TEMP|SYS/PERM)\])? [ -Z\\-~]+\r\n")
EXACT = re.compile(rb"\+OK \d+ \d+\r\n|\+OK \d+ [!-~]{1,70}\r\n|\+ [A-Za-z0-9+/]*={0,2}\r\n")

quiet_lines = st.lists(
    words | hostile.map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")), max_size=60
)


def replies(sent: bytes, lines: list[bytes]) -> list[bytes]:
    """Part what a server said into replies, reading as a client does who sent these lines."""
    assert sent.endswith(b"\r\n")
    said = sent.split(b"\r\n")[:-1]
    greeting = said.pop(0)
    assert greeting == b"+OK POP3 server ready"
    found = []
    for line in lines:
        if not said:
            break
        status = said.pop(0)
        verb, *arguments = line.upper().split(b" ")
        single = verb in (b"LIST", b"UIDL") and arguments
        if status.startswith(b"+OK") and verb in MANY_LINES and not single:
            while said.pop(0) != b".":
                pass
        found.append(status + b"\r\n")
    assert not said, f"said without being asked: {said}"
    return found


@THOROUGH
@given(st.sampled_from([[b"CAPA"], [b"USER alice", b"PASS secret"]]), quiet_lines)
def test_one_reply_for_each_line(login: list[bytes], rest: list[bytes]) -> None:
    """conformance: 1939-S-14, 1939-S-19, 1939-S-24, 2449-S-18"""
    lines = login + rest
    desk = Desk(office(), options=PATIENT)
    desk.receive(b"".join(line + b"\r\n" for line in lines))
    found = replies(bytes(desk.sent), lines)
    assert len(found) == len(lines)
    for reply in found:
        assert len(reply) <= 512
        assert STATUS.fullmatch(reply) or EXACT.fullmatch(reply), reply


@THOROUGH
@given(streams)
def test_any_stream_is_answered_in_lines(stream: bytes) -> None:
    """conformance: 1939-S-13, 1939-S-15, 2449-S-04"""
    desk = Desk(office())
    desk.receive(stream)
    assert re.fullmatch(rb"(?:[^\r\n]*\r\n)+", bytes(desk.sent))
    assert max(map(len, desk.sent.split(b"\n"))) <= 512


@THOROUGH
@given(
    st.sampled_from([b"", b"USER alice\r\nPASS secret\r\n", b"AUTH PLAIN\r\n"]),
    st.sampled_from(
        [b"%b", b"USER %b", b"USER a\r\nPASS %b", b"AUTH %b", b"AUTH PLAIN %b", b"LIST %b",
         b"TOP 1 %b", b"RETR %b", b"USER [%b] a", b"NOOP %b", b"\0%b", b"USER \0%b", b"APOP %b"]
    ),
    st.binary(max_size=300).map(lambda octets: CANARY + octets),
)  # fmt: skip
def test_no_octet_of_a_client_comes_back(login: bytes, frame: bytes, canary: bytes) -> None:
    """conformance: 2449-S-17, 5034-S-31"""
    desk = Desk(office(), options=PATIENT)
    desk.receive(login + frame % canary + b"\r\nNOOP\r\n")
    assert CANARY not in desk.sent.upper()
    assert CANARY.decode() not in repr(desk.events).upper()

"""Telemetry: one event, one line, whatever its values hold."""

import json
import os
import re
import socket
import syslog
import threading
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.identity import Peer
from restante.telemetry import (
    MAXIMUM_CHARACTERS,
    PIPE_OCTETS,
    Event,
    Field,
    LineLog,
    RateLimitedLog,
    RecordingLog,
    Rendered,
    SystemLog,
    escape,
    peer_fields,
    render,
    render_peer,
)

HOSTILE = [
    "a\nrestante[1]: login: user=root",
    "a\r\n",
    "a user=root",
    'a" user="root',
    "a\\",
    "a\\n",
    "a=b",
    "\x1b]0;owned\x07",
    "\x9b31m",
    "\x85",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\0",
    "",
    " ",
    "\ud800",
    "\U0001f600",
    "é",
    "%s%n",
    "x" * 1_048_576,
]

FIELD = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[!#-<>-\[\]-~]+)')


def parse(line: str) -> dict[str, str]:
    """Read a line as somebody does who knows its grammar, and nothing else of it."""
    _, _, rest = line.partition(": ")
    assert re.fullmatch(rf"(?:{FIELD.pattern}(?: |$))*", rest), line
    return {match[1]: match[2] for match in FIELD.finditer(rest)}


# ---- values


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_ends_the_line_or_forges_a_field(value: str) -> None:
    line = render(Event.AUTH_FAILED, {"rip": "192.0.2.1", "user": value, "method": "PLAIN"})
    assert set(line) <= set(map(chr, range(0x20, 0x7F)))
    fields = parse(line)
    assert list(fields) == ["rip", "user", "method"]
    assert fields["rip"] == "192.0.2.1"
    assert fields["method"] == "PLAIN"


@given(st.dictionaries(st.sampled_from(["user", "reason", "file"]), st.text()), st.text())
def test_any_value_keeps_to_its_field(fields: dict[str, Field], last: str) -> None:
    line = render(Event.WARNING, fields | {"last": last})
    assert line.isascii()
    assert line.isprintable()
    assert list(parse(line)) == [*fields, "last"]


@given(st.text(max_size=MAXIMUM_CHARACTERS), st.text(max_size=MAXIMUM_CHARACTERS))
def test_two_values_never_look_the_same(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)


@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=99))
def test_an_escape_can_be_read_back(value: str) -> None:
    shown = escape(value)
    if shown.startswith('"'):
        text = re.sub(r"\\x([0-9a-f]{2})", r"\\u00\1", shown)
        assert json.loads(text) == value
    else:
        assert shown == value


@pytest.mark.parametrize("value", ["alice", "alice@example.org", "::1", "a.b-c_d+e", "/x/y", "'"])
def test_plain_values_stay_as_they_are(value: str) -> None:
    assert escape(value) == value


def test_no_control_and_no_mark_of_direction_survives() -> None:
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2070), 0xFEFF):
        character = chr(code)
        assert unicodedata.category(character) not in {"Lu", "Ll"}
        assert character not in escape(f"a{character}b")


def test_a_long_value_is_cut() -> None:
    assert escape("x" * MAXIMUM_CHARACTERS) == "x" * MAXIMUM_CHARACTERS
    assert escape("x" * 10_000) == "x" * MAXIMUM_CHARACTERS + "..."
    assert len(escape("\U0001f600" * 10_000)) < PIPE_OCTETS


def test_a_long_value_is_cut_in_a_line_too() -> None:
    line = render(Event.WARNING, {"reason": "x" * (MAXIMUM_CHARACTERS + 1)})
    assert line == f"warning: reason={'x' * MAXIMUM_CHARACTERS}..."


def test_lines_of_one_event_may_have_fields_of_other_kinds() -> None:
    assert render(Event.WARNING, {"reason": "a"}) == "warning: reason=a"
    assert render(Event.WARNING, {"reason": 5}) == "warning: reason=5"
    assert render(Event.WARNING, {"reason": None}) == "warning:"
    assert render(Event.WARNING, {"reason": True}) == "warning: reason=True"
    assert render(Event.WARNING, {"reason": "100% %s"}) == 'warning: reason="100% %s"'


def test_numbers_and_nothing() -> None:
    line = render(Event.LOGIN, {"count": 3, "seconds": 0.12345, "user": None, "text": ""})
    assert line == 'login: count=3 seconds=0.123 text=""'


# ---- peers


@pytest.mark.parametrize("tls", [None, "TLSv1.3/TLS_AES_256_GCM_SHA384"])
def test_a_peer_reads_the_same_rendered_or_not(tls: str | None) -> None:
    """conformance: 8314-S-07"""
    peer = Peer("2001:db8::1", 50000, "2001:db8::2", 995, "s1", tls)
    rendered = render(Event.LOGIN, {"peer": render_peer(*peer), "user": "a"})
    fields: dict[str, Field] = {**peer_fields(peer), "user": "a"}
    assert parse(rendered) == parse(render(Event.LOGIN, fields))
    assert ("tls" in parse(rendered)) == (tls is not None)


def test_rendered_fields_stand_as_they_are() -> None:
    assert render(Event.LOGIN, {"x": Rendered("a=1 b=2"), "c": "3"}) == "login: a=1 b=2 c=3"


# ---- lines


class Pipe:
    """A log that writes into a pipe, and what came out of it."""

    def __init__(self, *, timestamps: bool = False) -> None:
        self.now = 1_000_000_000.5
        self.reader, self.writer = os.pipe()
        self.log = LineLog(self.writer, timestamps=timestamps, clock=lambda: self.now)

    def read(self) -> str:
        return os.read(self.reader, 1 << 20).decode("ascii")

    def close(self) -> None:
        os.close(self.writer)
        os.close(self.reader)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_a_line_says_which_process_it_is_of(pipe: Pipe) -> None:
    pipe.log(Event.LOGIN, user="a\nb")
    assert pipe.read() == f'restante[{os.getpid()}]: login: user="a\\x0ab"\n'


def test_a_process_forked_within_the_second_is_not_taken_for_its_parent(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe.log(Event.READY)
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    turn: list[Callable[[], None]] = []
    pipe.log.batch(turn.append)
    pipe.log(Event.READY)
    turn.pop()()
    assert pipe.read().splitlines()[1] == "restante[4711]: ready:"


def test_a_line_says_when() -> None:
    pipe = Pipe(timestamps=True)
    pipe.log(Event.READY)
    pipe.now += 0.4
    pipe.log(Event.READY)
    pipe.now += 1
    pipe.log(Event.READY)
    stamps = [line.split(" ")[0] for line in pipe.read().splitlines()]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", stamps[0])
    assert stamps[0] == stamps[1] != stamps[2]
    pipe.close()


def test_lines_of_a_turn_go_together(pipe: Pipe) -> None:
    turn: list[Callable[[], None]] = []
    pipe.log.batch(turn.append)
    pipe.log(Event.LOGIN, user="a")
    pipe.log(Event.LOGIN, user="b")
    assert len(turn) == 1
    turn.pop()()
    assert pipe.read().count("\n") == 2
    pipe.log(Event.LOGIN, user="c")
    assert len(turn) == 1
    turn.pop()()
    assert pipe.read().count("\n") == 1


def test_another_thread_does_not_touch_the_loop(pipe: Pipe) -> None:
    turn: list[Callable[[], None]] = []
    pipe.log.batch(turn.append)
    pipe.log(Event.LOGIN, user="a")
    thread = threading.Thread(target=lambda: pipe.log(Event.WARNING, reason="b"))
    thread.start()
    thread.join()
    assert pipe.read().endswith("warning: reason=b\n")
    assert len(turn) == 1
    turn.pop()()
    assert pipe.read().endswith("login: user=a\n")


def test_no_write_parts_a_line_or_is_more_than_a_pipe_takes_whole(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []

    def write(descriptor: int, data: bytes) -> int:
        written.append(data)
        return len(data)

    monkeypatch.setattr(os, "write", write)
    turn: list[Callable[[], None]] = []
    pipe.log.batch(turn.append)
    for number in range(1000):
        pipe.log(Event.LOGIN, user="x" * (number % 250), number=number)
    turn.pop()()
    assert 10 < len(written) < 100
    assert all(piece.endswith(b"\n") and len(piece) <= PIPE_OCTETS for piece in written)
    lines = b"".join(written).decode().splitlines()
    assert [parse(line.partition(": ")[2])["number"] for line in lines] == [
        str(number) for number in range(1000)
    ]


def test_a_log_that_cannot_be_written_is_lost_and_nothing_else() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.set_blocking(writer, False)
    LineLog(writer)(Event.READY)
    os.close(writer)
    LineLog(writer)(Event.READY)


def stream() -> tuple[int, int]:
    """Return two connected sockets' descriptors, as the journal gives one."""
    ends = socket.socketpair()
    return ends[0].detach(), ends[1].detach()


@pytest.mark.parametrize("make", [os.pipe, stream])
def test_nobody_waits_for_a_log_that_is_not_read(make: Callable[[], tuple[int, int]]) -> None:
    reader, writer = make()
    log = LineLog(writer)
    wait_again = log.never_wait()
    for number in range(20_000):
        log(Event.LOGIN, user="x" * 99, number=number)
    os.set_blocking(reader, False)
    read = b""
    for _ in range(100_000):
        try:
            read += os.read(reader, 65_536)
        except BlockingIOError:
            break
    assert os.get_blocking(writer)
    log(Event.LOGOUT, user="a")
    read += os.read(reader, 65_536)
    lines = read.decode().splitlines()
    written = sum(": login: " in line for line in lines)
    assert 0 < written < 20_000
    lost = re.findall(r': suppressed: reason="log full" count=(\d+)\n', read.decode())
    assert sum(map(int, lost)) == 20_000 - written
    assert lines[-1].endswith("logout: user=a")
    wait_again()
    for descriptor in (reader, writer):
        os.close(descriptor)


def test_a_line_that_was_cut_is_ended() -> None:
    log = LineLog(timestamps=False)
    written: list[bytes] = []

    def put(data: bytes) -> int:
        written.append(data)
        return min(len(data), 9)

    log._put = put
    log(Event.READY)
    log(Event.STOPPED)
    assert written[1] == b"\n"
    assert written[2].endswith(b"stopped:\n")


def test_a_log_that_is_a_file_stays_as_it_is(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        log = LineLog(file.fileno())
        log.never_wait()
        log(Event.READY)
    assert (tmp_path / "log").read_bytes().endswith(b"ready:\n")


# ---- logs around logs


def test_events_are_kept() -> None:
    log = RecordingLog()
    log(Event.LOGIN, user="a")
    log(Event.LOGOUT, user="a")
    log(Event.LOGIN, user="b")
    assert log.named(Event.LOGIN) == [{"user": "a"}, {"user": "b"}]
    assert len(log.events) == 3


def test_a_flood_of_one_kind_costs_a_line_an_interval_and_hides_nothing() -> None:
    now = 100.0
    kept = RecordingLog()
    log = RateLimitedLog(kept, interval_seconds=1.0, clock=lambda: now)
    for _ in range(1000):
        log(Event.CONNECTION_REFUSED, rip="192.0.2.1")
    log(Event.LOGIN, user="a")
    assert [event for event, _ in kept.events] == [Event.CONNECTION_REFUSED, Event.LOGIN]
    now += 1.0
    log(Event.CONNECTION_REFUSED, rip="192.0.2.2")
    assert kept.events[2:] == [
        (Event.SUPPRESSED, {"event": "connection refused", "count": 999}),
        (Event.CONNECTION_REFUSED, {"rip": "192.0.2.2"}),
    ]
    now += 1.0
    log(Event.CONNECTION_REFUSED, rip="192.0.2.3")
    assert kept.named(Event.SUPPRESSED) == [{"event": "connection refused", "count": 999}]


def test_commands_tell_the_log_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[object, ...]] = []
    monkeypatch.setattr(syslog, "openlog", lambda *values: told.append(values))
    monkeypatch.setattr(syslog, "syslog", lambda *values: told.append(values))
    SystemLog()(Event.ACCOUNT_CHANGED, change="device added", device="a\nb", user="bob")
    assert told == [
        ("restante", syslog.LOG_PID, syslog.LOG_AUTHPRIV),
        (
            syslog.LOG_NOTICE,
            'account changed: change="device added" device="a\\x0ab" user=bob',
        ),
    ]


def test_names_of_events_are_words() -> None:
    assert all(re.fullmatch(r"[a-z]+( [a-z]+)*", event) for event in Event)

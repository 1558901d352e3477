"""Answers made to cost time or memory, or to break a parser: each case ends, and soon."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from types import SimpleNamespace
from typing import cast

import pytest

from restante.examine import (
    rfc1939_apop,
    rfc1939_as_found,
    rfc1939_commands,
    rfc1939_idle,
    rfc1939_optional,
    rfc2449_capabilities,
    rfc5034,
    rfc6856,
    rfc6856_language,
    rfc6858,
)
from restante.examine import wire as wire_module
from restante.examine.case import Case, Level, Start, Verdict
from restante.examine.dialogue import Logic
from restante.examine.hello import Hello, say_hello
from restante.examine.judge import Judge
from restante.examine.outcome import Flooded, NotTried, Unmet
from restante.examine.record import Record
from restante.examine.replies import Answer, Status
from restante.examine.rfc1939_idle import READING_SECONDS
from restante.examine.stage import Stage
from restante.examine.wire import Wire
from unit.examine.behaving import Behaviour, listening
from unit.examine.crooked import CrookedServer

SOON_SECONDS = 20.0
"""What is linear takes no time; what is not takes minutes at these sizes."""

LONG = 200_000


@contextmanager
def wire_to(behave: Behaviour) -> Iterator[Wire]:
    with listening(behave) as port:
        wire = Wire(("127.0.0.1", port), 0.5, Record(), 1)
        yield wire
        wire.close()


def stage_with(**what: object) -> Stage:
    return cast("Stage", SimpleNamespace(**what))


def showing(content: bytes) -> Stage:
    """Return a stage whose server shows this for the international message."""
    lines = tuple(content.splitlines(keepends=True))
    wire = SimpleNamespace(status=lambda: Status(b"+OK\r\n"), lines=lambda: lines)
    return stage_with(send=lambda octets: None, wire=wire)


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SOON_SECONDS


def test_a_flight_of_empty_records_ends_with_the_patience() -> None:
    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        while True:
            connection.sendall(b"\x16\x03\x03\0\0" * 10_000)

    with wire_to(flood) as wire:
        assert not say_hello(wire, Hello()).accepted


def test_a_flight_that_drips_ends_with_the_patience() -> None:
    def drip(connection: socket.socket) -> None:
        connection.settimeout(0.2)
        while True:
            connection.sendall(b"\x16\x03\x03\0\x01\0")
            try:
                connection.recv(65536)
            except TimeoutError:
                continue

    with wire_to(drip) as wire:
        assert not say_hello(wire, Hello()).accepted


ENDLESS: tuple[tuple[Callable[[Stage], object], str], ...] = (
    (lambda stage: rfc6856.shown(stage, "RETR 1"), "international"),
    (rfc6856_language.languages, "languages"),
    (rfc6856_language.listing_is_formed, "names-of-languages"),
    (rfc5034.mechanism_lists_agree, "mechanisms"),
    (lambda stage: rfc1939_optional.top_of_many_lines(stage, 1 << 32), "top"),
    (rfc2449_capabilities.optional_commands_are_listed, "uidl"),
)


@pytest.mark.parametrize("judge", [each for each, _ in ENDLESS], ids=[name for _, name in ENDLESS])
def test_a_list_without_end_is_bounded(
    judge: Callable[[Stage], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "REPLY_LIMIT", 1 << 20)

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"+OK\r\n")
        while True:
            connection.sendall(b"en line\r\n" * 10_000)

    with wire_to(flood) as wire:
        capa = Answer(Status(b"+OK\r\n"), (b"USER\r\n",))
        stage = stage_with(send=lambda octets: None, wire=wire, ask_lines=lambda line: capa)
        with pytest.raises(Flooded):
            judge(stage)


def test_a_greeting_of_signs_is_no_timestamp() -> None:
    with pytest.raises(Unmet):
        rfc1939_apop.timestamp_is_a_message_id(stage_with(greeting="+OK <" + "@" * LONG))


def test_a_greeting_of_signs_offers_no_way_in() -> None:
    wire = SimpleNamespace(status=lambda: Status(b"+OK <" + b"@" * LONG + b"\r\n"))
    stage = stage_with(capabilities=dict, connect=lambda: None, wire=wire)
    with pytest.raises(Unmet, match="neither USER nor"):
        rfc1939_commands.offers_a_way_in(stage)


def test_an_address_may_be_as_long_as_it_likes() -> None:
    rfc6858.addresses_are_nobodys(showing(b"From: " + b"a" * LONG + b"\r\n\r\n"))
    with pytest.raises(Unmet, match="address"):
        rfc6858.addresses_are_nobodys(showing(b"From: a, x@example.org\r\n\r\n"))


@pytest.mark.parametrize("subject", [b"=?utf-8?b?a?=", b"=?x-none?q?a?=", b"=?utf-8?q?=ff?="])
def test_a_subject_that_cannot_be_decoded_is_a_verdict(subject: bytes) -> None:
    with pytest.raises((ValueError, LookupError)):
        rfc6858.subject_is_encoded(showing(b"Subject: " + subject + b"\r\n\r\n"))


def test_a_maildrop_may_have_very_many_messages() -> None:
    lines = tuple(b"%d id%d\r\n" % (n, n) for n in range(1, LONG))
    answer = Answer(Status(b"+OK\r\n"), lines)
    rfc1939_as_found.ids_are_apart(stage_with(ask_lines=lambda line: answer))


def test_a_challenge_that_nests_too_deep_is_a_verdict() -> None:
    nested = base64.b64encode(b"[" * LONG)
    case = Case(
        id="7628-S-04",
        title="A challenge",
        source="RFC 7628 §3.2.2",
        level=Level.MUST,
        start=Start.NOWHERE,
        steps=(Logic(lambda stage: json.loads(base64.b64decode(nested))),),
    )
    server = CrookedServer()
    try:
        finding = Judge(server.target()).try_case(case)
    finally:
        server.stop()
    assert finding.verdict is Verdict.DEPARTS
    assert "cannot be made sense of" in finding.why


def test_a_message_read_slowly_has_an_end() -> None:
    sips = 0

    def sip(limit: int) -> bytes:
        nonlocal sips
        sips += 1
        return b"x" * limit

    pace = SimpleNamespace(now=lambda: float(sips))
    told: list[str] = []
    wire = SimpleNamespace(sip=sip, remark=told.append)
    seen = SimpleNamespace(parts={})

    def again(within: str = "") -> None:
        raise NotTried("far enough")

    stage = stage_with(
        case=SimpleNamespace(mail=rfc1939_idle.MARKED),
        target=SimpleNamespace(pace=pace),
        wire=wire,
        seen=seen,
        send=lambda octets: None,
        log_in_again=again,
        ask=again,
    )
    with pytest.raises(NotTried, match="far enough"):
        list(islice(rfc1939_idle.be_silent_in_session(stage), 3 * int(READING_SECONDS)))
    assert "does not end" in seen.parts["reading"]

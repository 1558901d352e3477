"""Vigils: kept side by side, judged by what was seen, and only where they are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from restante.examine.case import Case, Finding, Verdict
from restante.examine.examination import examine
from restante.examine.judge import Judge
from restante.examine.outcome import Ended
from restante.examine.pace import TIME_IS_UP, Pace
from restante.examine.rfc1939_idle import (
    CASES,
    FLOOR_SECONDS,
    READING_SECONDS,
    SHORT_OF_FLOOR_SECONDS,
    be_silent_in_session,
    begins_anew,
)
from restante.examine.rfc1957 import CASES as OTHERS
from restante.examine.seen import Seen
from restante.examine.stage import Stage
from restante.examine.target import Consent, Target
from restante.examine.vigil import LOOK_SECONDS
from unit.examine.crooked import CrookedServer
from unit.examine.crooked_clock import GREETED_SECONDS, SESSION_SECONDS

SESSION = READING_SECONDS + SHORT_OF_FLOOR_SECONDS + SESSION_SECONDS
MAIL_WANTED = {"1939-S-31/marked", "1939-S-33"}


@pytest.fixture
def server() -> Iterator[CrookedServer]:
    running = CrookedServer()
    yield running
    running.stop()


def together(target: Target) -> dict[str, Finding]:
    return {found.case.name: found for found in Judge(target).try_together(CASES)}


def test_the_waits_run_side_by_side(server: CrookedServer) -> None:
    found = together(server.slow_target())
    assert {f.verdict for f in found.values()} == {Verdict.PASSES}
    assert SESSION <= server.clock.passed < SESSION + GREETED_SECONDS
    assert len({f.dialogue for f in found.values()}) == 2


@pytest.mark.parametrize("number", [1, 2, 3], ids=["strict", "implicit", "bare"])
def test_they_are_kept_on_every_kind_of_port(server: CrookedServer, number: int) -> None:
    target = replace(server.slow_target(), endpoints=server.endpoints[number : number + 1])
    assert {f.verdict for f in together(target).values()} == {Verdict.PASSES}


def test_a_session_is_watched_where_no_mail_may_be_touched(server: CrookedServer) -> None:
    target = replace(server.slow_target(), consent=Consent(removal=False, reading=False))
    found = together(target)
    not_tried = {name for name, f in found.items() if f.verdict is Verdict.NOT_TRIED}
    assert not_tried == MAIL_WANTED
    assert all("scratch" in found[name].why for name in MAIL_WANTED)
    assert all(f.verdict is Verdict.PASSES for name, f in found.items() if name not in MAIL_WANTED)
    assert all(box.given == len(box.mail) for box in server.mailboxes.values())


def test_nothing_is_said_of_a_server_that_waits_for_ever(server: CrookedServer) -> None:
    server.faults = frozenset({"no-timer"})
    found = together(server.slow_target())
    passed = {name for name, f in found.items() if f.verdict is Verdict.PASSES}
    assert passed == {"1939-S-29", "1939-S-32", "1939-S-33"}
    assert {f.verdict for f in found.values()} == {Verdict.PASSES, Verdict.NOT_APPLICABLE}


def test_a_session_that_ends_early_shows_no_more_than_that(server: CrookedServer) -> None:
    server.faults = frozenset({"short-timer"})
    found = together(server.slow_target())
    assert found["1939-S-29"].verdict is Verdict.DEPARTS
    assert re.search("30[0-9] s of silence", found["1939-S-29"].why)
    assert found["1939-S-30"].verdict is Verdict.NOT_TRIED
    assert found["1939-S-31"].verdict is Verdict.PASSES


def test_what_was_seen_is_judged_when_the_time_is_up(server: CrookedServer) -> None:
    clock = server.clock
    pace = Pace(SHORT_OF_FLOOR_SECONDS + 60, clock=clock.now, sleep=clock.sleep)
    target = replace(server.slow_target(), pace=pace, consent=Consent(removal=False))
    found = together(target)
    assert found["1939-S-29"].verdict is Verdict.PASSES
    assert found["1939-S-32"].verdict is Verdict.PASSES
    assert (found["1939-S-30"].verdict, found["1939-S-30"].why) == (Verdict.NOT_TRIED, TIME_IS_UP)


def test_ten_minutes_count_from_the_command_and_not_from_its_answer() -> None:
    """Let a server with ten minutes to the second take its time for an answer."""
    time = [0.0]
    closes_at = [SHORT_OF_FLOOR_SECONDS + FLOOR_SECONDS]

    def ask(line: str) -> None:
        closes_at[0] = time[0] + FLOOR_SECONDS
        time[0] += 3.5

    def glance() -> bytes:
        if time[0] >= closes_at[0]:
            raise Ended("the server closed the connection")
        return b""

    wire = SimpleNamespace(glance=glance, remark=lambda text: None)
    target = SimpleNamespace(pace=SimpleNamespace(now=lambda: time[0]))
    case = SimpleNamespace(mail=None)
    stage = cast(
        "Stage", SimpleNamespace(case=case, target=target, wire=wire, ask=ask, seen=Seen())
    )
    for _ in be_silent_in_session(stage):
        time[0] += LOOK_SECONDS
    begins_anew(stage)


def test_nobody_waits_who_did_not_ask_for_it(server: CrookedServer) -> None:
    found = together(replace(server.slow_target(), slow=False))
    assert {f.verdict for f in found.values()} == {Verdict.NOT_TRIED}
    assert all("--slow" in f.why for f in found.values())
    assert server.clock.passed == 0


def test_an_examination_keeps_them_behind_all_else(server: CrookedServer) -> None:
    begun: list[Case] = []
    told: list[Case] = []

    def tell(case: Case, finding: Finding | None) -> None:
        (begun if finding is None else told).append(case)

    examination = examine(server.slow_target(), (*CASES, *OTHERS), tell)
    assert begun == told == [*OTHERS, *CASES]
    assert [f.case for f in examination.findings] == [*CASES, *OTHERS]
    assert server.clock.passed < SESSION + 2 * GREETED_SECONDS


def test_a_server_that_is_gone_leaves_them_untried(server: CrookedServer) -> None:
    server.stop()
    found = together(server.slow_target())
    assert {f.verdict for f in found.values()} == {Verdict.NOT_TRIED}

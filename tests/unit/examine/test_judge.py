"""The judge and its cases: an honest server passes them all, and no fault goes unseen."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from restante.examine.case import Case, Finding, Level, Start, Trait, Verdict
from restante.examine.dialogue import ERR, OK, Ask, Given, Logic
from restante.examine.judge import Judge
from restante.examine.outcome import Unmet
from restante.examine.stage import Stage
from restante.examine.suite import CASES
from restante.examine.target import Target
from unit.examine.crooked import CrookedServer
from unit.examine.faults import CATCHES

FAILED = (Verdict.DEPARTS, Verdict.DIFFERS)


@pytest.fixture(scope="module")
def running() -> Iterator[CrookedServer]:
    server = CrookedServer()
    yield server
    server.stop()


@pytest.fixture
def server(running: CrookedServer) -> CrookedServer:
    """The server, honest again."""
    running.faults = frozenset()
    return running


def caught_by(fault: str) -> list[Case]:
    patterns = CATCHES[fault]
    return [case for case in CASES if any(fnmatchcase(case.name, p) for p in patterns)]


def a_case(*steps: Ask | Given | Logic, **changes: object) -> Case:
    values: dict[str, object] = {
        "id": "1939-S-00",
        "title": "Made up",
        "source": "here",
        "level": Level.MUST,
        "start": Start.GREETED,
        "steps": steps,
    }
    return Case(**{**values, **changes})  # type: ignore[arg-type]


def judged(server: CrookedServer, case: Case) -> Finding:
    return Judge(server.target()).try_case(case)


def test_an_honest_server_passes_every_case(server: CrookedServer) -> None:
    judge = Judge(server.target(patience_seconds=10))
    findings = [judge.try_case(case) for case in CASES]
    wrong = [(f.case.name, f.verdict, f.why) for f in findings if f.verdict is not Verdict.PASSES]
    assert wrong == []


@pytest.mark.parametrize("fault", CATCHES)
def test_a_fault_is_found_by_its_cases(server: CrookedServer, fault: str) -> None:
    server.faults = frozenset(fault.split("+"))
    judge = Judge(server.target())
    findings = [judge.try_case(case) for case in caught_by(fault)]
    assert findings
    assert [f.case.name for f in findings if f.verdict not in FAILED] == []


@pytest.mark.parametrize("number", range(4), ids=["stls", "strict", "implicit", "bare"])
def test_a_case_asks_no_more_of_an_endpoint_than_it_says(
    server: CrookedServer, number: int
) -> None:
    alone = Target(server.endpoints[number : number + 1], server, 10.0)
    findings = [Judge(alone).try_case(case) for case in CASES]
    due = (Verdict.PASSES, Verdict.NOT_TRIED)
    assert [(f.case.name, f.why) for f in findings if f.verdict not in due] == []


@pytest.mark.parametrize("faults", ["update-on-abort", "update-on-abort trims lax-numbers"])
def test_a_case_that_is_not_scratch_removes_nothing(server: CrookedServer, faults: str) -> None:
    server.faults = frozenset(faults.split()) | {"cuts-at-nul"}
    judge = Judge(server.target())
    for case in CASES:
        if not case.scratch:
            server.mailboxes.clear()
            judge.try_case(case)
            lost = [box for box in server.mailboxes.values() if box.given != len(box.mail)]
            assert not lost, case.name


def test_every_case_can_fail() -> None:
    caught = {case.name for fault in CATCHES for case in caught_by(fault)}
    assert [case.name for case in CASES if case.name not in caught] == []


@pytest.mark.parametrize(
    ("level", "verdict"),
    [
        (Level.MUST, Verdict.DEPARTS),
        (Level.SHOULD, Verdict.DEPARTS),
        (Level.MAY, Verdict.DIFFERS),
        (Level.INFERRED, Verdict.DIFFERS),
    ],
)
def test_the_level_decides_what_an_unmet_expectation_is(
    server: CrookedServer, level: Level, verdict: Verdict
) -> None:
    finding = judged(server, a_case(Ask("XYZZY", OK), level=level))
    assert finding.verdict is verdict
    assert "XYZZY" in finding.why


def test_a_choice_of_the_texts_makes_a_difference_and_no_departure(server: CrookedServer) -> None:
    finding = judged(server, a_case(Ask("XYZZY", OK, tolerated=ERR)))
    assert finding.verdict is Verdict.DIFFERS


def test_a_preparation_that_fails_leaves_the_case_untried(server: CrookedServer) -> None:
    finding = judged(server, a_case(Given(Ask("XYZZY", OK)), Ask("STAT", ERR)))
    assert finding.verdict is Verdict.NOT_TRIED


def test_a_capability_that_is_missing_makes_the_case_not_applicable(server: CrookedServer) -> None:
    finding = judged(server, a_case(Ask("LANG"), capabilities=("LANG",)))
    assert finding.verdict is Verdict.NOT_APPLICABLE


def test_a_login_that_is_refused_leaves_the_case_untried(server: CrookedServer) -> None:
    case = a_case(Ask("STAT"), start=Start.TRANSACTION)
    server.faults = frozenset({"mute"})
    assert judged(server, case).verdict is Verdict.NOT_TRIED


def test_an_endpoint_nobody_gave_leaves_the_case_untried(server: CrookedServer) -> None:
    bare = Target(server.endpoints[3:], server, 1.0)
    finding = Judge(bare).try_case(a_case(Ask("STLS"), traits=frozenset({Trait.STLS})))
    assert finding.verdict is Verdict.NOT_TRIED
    assert "STLS" in finding.why


def test_a_server_that_only_takes_passwords_under_tls_is_judged_under_tls(
    server: CrookedServer,
) -> None:
    strict = Target(server.endpoints[1:2], server, 5.0)
    finding = Judge(strict).try_case(a_case(Ask("STAT"), start=Start.TRANSACTION))
    assert finding.verdict is Verdict.PASSES
    assert any(b"TLS is up" in said.octets for said in finding.dialogue)


def test_a_case_that_stumbles_over_a_reply_has_a_verdict(server: CrookedServer) -> None:
    def stumble(stage: Stage) -> None:
        int(stage.ask("STAT").line)

    finding = judged(server, a_case(Logic(stumble)))
    assert finding.verdict is Verdict.DEPARTS


def test_no_password_is_in_the_dialogue(server: CrookedServer) -> None:
    server.faults = frozenset({"echoes"})

    def ask(stage: Stage) -> None:
        stage.ask("PASS {password}")
        raise Unmet("look at the dialogue")

    finding = judged(server, a_case(Logic(ask), password="a word to keep"))
    said = b"".join(utterance.octets for utterance in finding.dialogue)
    assert b"a word to keep" not in said
    assert b"PASS {password}" in said

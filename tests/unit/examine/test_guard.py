"""The guard: nothing is sent that its owner did not agree to, whatever a case says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from restante.examine.case import Case, Finding, Level, Start, Trait, Verdict
from restante.examine.dialogue import Ask, Logic, Say, Upgrade
from restante.examine.judge import Judge
from restante.examine.outcome import Postponed
from restante.examine.pace import Pace
from restante.examine.stage import Stage
from restante.examine.suite import CASES
from restante.examine.target import Consent
from restante.examine.trust import PinnedTrust, Trust
from unit.examine.crooked import CrookedServer

STLS = frozenset({Trait.STLS})
NO_REMOVAL = Consent(removal=False)
OTHERS_MAIL = Consent(removal=False, reading=False)


@pytest.fixture(scope="module")
def running() -> Iterator[CrookedServer]:
    server = CrookedServer()
    yield server
    server.stop()


@pytest.fixture
def server(running: CrookedServer) -> CrookedServer:
    running.faults = frozenset()
    return running


def a_case(*steps: Ask | Say | Logic | Upgrade, **changes: object) -> Case:
    values: dict[str, object] = {
        "id": "1939-S-00",
        "title": "Made up",
        "source": "here",
        "level": Level.MUST,
        "steps": steps,
    }
    return Case(**{**values, **changes})  # type: ignore[arg-type]


def tried(server: CrookedServer, case: Case, **changes: object) -> Finding:
    target = replace(server.target(), **changes)  # type: ignore[arg-type]
    return Judge(target).try_case(case)


def said(finding: Finding) -> bytes:
    return b"".join(each.octets for each in finding.dialogue if each.speaker == "C")


ways_to_say_dele = [
    (Ask("DELE 1"),),
    (Ask("dElE 1"),),
    (Say(b"NOOP\r\nDELE 1\r\n"),),
    (Say(b"DE"), Say(b"L"), Say(b"E 1\r\n")),
    (Say(b"DELE 1\r\n", cut=1),),
    (Logic(lambda stage: stage.wire.send(b"DELE 1\r\n")),),
]


@pytest.mark.parametrize("steps", ways_to_say_dele)
def test_no_mark_is_set_where_nothing_may_be_removed(
    server: CrookedServer, steps: tuple[Ask, ...]
) -> None:
    finding = tried(server, a_case(*steps), consent=NO_REMOVAL)
    assert finding.verdict is Verdict.NOT_TRIED
    assert "DELE" in finding.why
    assert b"DELE" not in said(finding).upper()


@pytest.mark.parametrize("line", ["RETR 1", "top 1 0", "DELE 1"])
def test_the_mail_of_others_is_not_read(server: CrookedServer, line: str) -> None:
    finding = tried(server, a_case(Ask(line)), consent=OTHERS_MAIL)
    assert finding.verdict is Verdict.NOT_TRIED


@pytest.mark.parametrize("command", ["RETR", "TOP"])
def test_what_reading_needs_is_told(server: CrookedServer, command: str) -> None:
    case = a_case(Ask(f"{command} 1"))
    assert "--read-mail allows it" in tried(server, case, consent=OTHERS_MAIL).why
    removed = replace(OTHERS_MAIL, read_is_removed=True)
    assert "--scratch-maildrop allows it" in tried(server, case, consent=removed).why


def test_what_is_pipelined_behind_a_login_counts(server: CrookedServer) -> None:
    steps = (Say(b"USER {user}\r\nPASS {password}\r\nDELE 1\r\nQUIT\r\n"),)
    finding = tried(server, a_case(*steps, start=Start.GREETED), consent=NO_REMOVAL)
    assert finding.verdict is Verdict.NOT_TRIED
    assert said(finding) == b""


def test_a_proof_that_a_case_computes_counts_as_a_name(server: CrookedServer) -> None:
    def log_in_by_hand(stage: Stage) -> None:
        assert stage.account is not None
        stage.send(b"DELE 1\r\n")

    case = a_case(Logic(log_in_by_hand), start=Start.GREETED)
    assert tried(server, case, consent=NO_REMOVAL).verdict is Verdict.NOT_TRIED


def test_before_an_account_is_named_every_command_may_be_tried(server: CrookedServer) -> None:
    case = a_case(Ask("DELE 1", "-ERR.*"), Ask("RETR 1", "-ERR.*"), start=Start.GREETED)
    assert tried(server, case, consent=OTHERS_MAIL).verdict is Verdict.PASSES


@pytest.mark.parametrize("faults", ["update-on-abort", "trims lax-numbers", ""])
@pytest.mark.parametrize("consent", [NO_REMOVAL, OTHERS_MAIL], ids=["ours", "others"])
def test_no_case_of_the_suite_costs_a_message(
    server: CrookedServer, faults: str, consent: Consent
) -> None:
    server.faults = frozenset(faults.split())
    judge = Judge(replace(server.target(), consent=consent))
    for case in CASES:
        server.mailboxes.clear()
        finding = judge.try_case(case)
        lost = [box for box in server.mailboxes.values() if box.given != len(box.mail)]
        assert not lost, case.name
        if case.scratch:
            assert finding.verdict is Verdict.NOT_TRIED


PRIVATE = Consent(clear_passwords=False)


def test_a_password_goes_under_tls_alone(server: CrookedServer) -> None:
    stls = server.endpoints[:1]
    assert stls[0].cleartext
    finding = tried(server, a_case(Ask("STAT")), consent=PRIVATE, endpoints=stls)
    assert finding.verdict is Verdict.PASSES
    assert any(b"TLS is up" in each.octets for each in finding.dialogue)


@pytest.mark.parametrize(
    "octets",
    [
        b"PASS {password}\r\n",
        b"AUTH PLAIN {plain}\r\n",
        b"STLS\r\nUSER {user}\r\nPASS {password}\r\n",
    ],
)
def test_a_case_cannot_send_a_password_in_clear(server: CrookedServer, octets: bytes) -> None:
    case = a_case(Say(octets), start=Start.GREETED, traits=STLS)
    finding = tried(server, case, consent=PRIVATE)
    assert finding.verdict is Verdict.NOT_TRIED
    assert "whoever listens" in finding.why
    assert said(finding) == b""


def test_no_case_of_the_suite_sends_a_password_in_clear(server: CrookedServer) -> None:
    heard: list[bytes] = []
    target = replace(server.target(), consent=PRIVATE, endpoints=server.endpoints[:2])
    judge = Judge(target)
    for case in CASES:
        finding = judge.try_case(case)
        private = set()
        for each in finding.dialogue:
            if b"TLS is up" in each.octets:
                private.add(each.connection)
            elif each.speaker == "C" and each.connection not in private:
                heard.append(each.octets)
    assert not [each for each in heard if b"{password}" in each or b"{plain}" in each]


class Nobody(Trust):
    """Trust in nobody."""

    def accepts(self, certificate: bytes | None) -> bool:
        return False


@pytest.mark.parametrize("trust", [Nobody(), PinnedTrust("0" * 64)])
def test_an_impostor_gets_no_password(server: CrookedServer, trust: Trust) -> None:
    finding = tried(server, a_case(Ask("STAT")), trust=trust, endpoints=server.endpoints[2:3])
    assert finding.verdict is Verdict.NOT_TRIED
    assert b"PASS" not in said(finding)


@pytest.mark.parametrize("line", ["APOP {user} 00000000000000000000000000000000", "NOOP"])
def test_an_impostor_is_told_nothing(server: CrookedServer, line: str) -> None:
    case = a_case(Ask(line, ".*"), start=Start.GREETED)
    finding = tried(server, case, trust=PinnedTrust("0" * 64), endpoints=server.endpoints[2:3])
    assert finding.verdict is Verdict.NOT_TRIED
    assert "another certificate" in finding.why
    assert said(finding) == b""


@pytest.mark.parametrize(
    "line",
    ["USER {unknown}", "PASS {wrong}", "PASS something else", "PASS {password} ", "pass x"],
)
def test_a_guess_waits(server: CrookedServer, line: str) -> None:
    pace = Pace()
    pace.guesses_wait = True
    with pytest.raises(Postponed):
        tried(server, a_case(Ask(line), start=Start.GREETED), pace=pace)


def test_the_right_password_is_no_guess(server: CrookedServer) -> None:
    pace = Pace()
    pace.guesses_wait = True
    assert tried(server, a_case(Ask("STAT")), pace=pace).verdict is Verdict.PASSES

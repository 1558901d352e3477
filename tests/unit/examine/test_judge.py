"""The judge and its cases: an honest server passes them all, and no fault goes unseen."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import count

import pytest

from restante.examine import rfc5802_plus, rfc7628
from restante.examine.case import Case, Finding, Level, Start, Trait, Verdict
from restante.examine.dialogue import ERR, OK, Ask, Given, Logic
from restante.examine.judge import Judge
from restante.examine.outcome import Unmet
from restante.examine.stage import Stage
from restante.examine.suite import CASES
from restante.examine.target import Account, ClientCertificate, Consent, Target
from unit.examine.crooked import CrookedServer
from unit.examine.faults import CATCHES

FAILED = (Verdict.DEPARTS, Verdict.DIFFERS)
BOTH_WAYS = ("1939-S-55", "2195-S-04")
"""The crooked server's accounts are for every way in, or most cases could not log in."""

QUIETLY_ABSENT = frozenset(
    (
        *("5802-S-10/plus", "5802-S-11", "5802-S-11/pairs"),
        "9325-S-10/dhe",
        *("7677-S-01", "7677-S-01/announced", "2595-S-15", "8314-S-08/holders", "4422-S-07"),
        *(f"4422-S-06/{variant}" for variant in ("asked", "own-name", "somebody", "nobody")),
        *(case.name for case in (*rfc5802_plus.CASES, *rfc7628.CASES)),
    )
)
"""Cases that find out for themselves whether there is anything to judge."""

ONE_WAY = (
    ("only-proofs", BOTH_WAYS),
    ("delays", ("2449-S-2[0-2]*",)),
    ("expire-0", ("2449-S-28", "2449-S-27/*")),
    ("lists-plus", ("5802-S-10/plus", "5802-S-09/scram-sha-1")),
    ("fails-plus-late", ("5802-S-10/*plus*", "5802-S-08/*plus*", "5929-*", "9266-*")),
    ("fails-plus-late+tells-error", ("5802-S-10/*plus*", "5802-S-08/*plus*", "9266-*")),
    ("no-end-point", ("5929-*", "9266-*", "5802-S-10/*plus*", "5802-S-08/*plus*")),
    ("only-1.3", ("9325-S-10*", "9266-*", "5802-S-08/*plus*", "4422-S-06/*", "2595-S-15")),
    ("external-for-all", ("4422-S-0[67]*", "2595-S-15", "8314-S-08")),
    ("refuses-raw", ("6856-*", "6858-*")),
    ("tells-error", ("5802-S-15/*", "5802-S-06/*", "5802-S-08/*")),
    ("no-lock", ("2449-S-33",)),
    ("refuses-unknown", ("1939-S-38", "3206-S-03")),
    ("adds-text", ("1939-S-67", "1939-S-7[0-6]*", "1939-S-79/*", "1939-S-90", "TG-T-4")),
)
"""Other choices that the texts leave, and the cases that must not mind."""


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


def target_for(server: CrookedServer, case: Case) -> Target:
    """Return the server as this case needs it: with a clock of its own where it waits."""
    if case.vigil is not None:
        return server.slow_target()
    return server.target(timing=True)


def judged(server: CrookedServer, case: Case) -> Finding:
    return Judge(server.target()).try_case(case)


def others_than_passed(server: CrookedServer) -> dict[str, Verdict]:
    """Play every case and return the verdicts other than "passes", with the reason on a failure."""
    ordinary, slow = Judge(server.target(patience_seconds=10)), Judge(server.slow_target())
    findings = [(slow if case.vigil else ordinary).try_case(case) for case in CASES]
    for finding in findings:
        if finding.verdict in FAILED:
            print(finding.case.name, finding.why)
    return {f.case.name: f.verdict for f in findings if f.verdict is not Verdict.PASSES}


def test_an_honest_server_passes_every_case(server: CrookedServer) -> None:
    absent = ["1939-S-56", "2449-S-21", "2449-S-28", "6856-S-16", "9325-S-10/dhe"]
    absent += [f"2449-S-22/{variant}" for variant in ("form", "before", "user")]
    absent += [case.name for case in CASES if case.variant == "time"]
    assert others_than_passed(server) == {
        **{n: Verdict.NOT_TRIED if "/time" in n else Verdict.NOT_APPLICABLE for n in absent},
        **dict.fromkeys(BOTH_WAYS, Verdict.DEPARTS),
    }


def test_a_server_that_offers_little_is_asked_little(server: CrookedServer) -> None:
    server.faults = frozenset({"offers-little"})
    found = others_than_passed(server)
    assert found.pop("5034-S-27") is Verdict.DIFFERS
    by_time = {case.name for case in CASES if case.variant == "time"}
    assert {n for n, verdict in found.items() if verdict is Verdict.NOT_TRIED} == by_time
    assert set(found.values()) == {Verdict.NOT_APPLICABLE, Verdict.NOT_TRIED}
    asked = {case.name for case in CASES if case.capabilities}
    assert set(found) - asked - by_time == QUIETLY_ABSENT


@pytest.mark.parametrize(("way", "names"), ONE_WAY, ids=[way for way, _ in ONE_WAY])
def test_what_an_honest_server_does_otherwise_is_right_as_well(
    server: CrookedServer, way: str, names: tuple[str, ...]
) -> None:
    server.faults = frozenset(way.split("+"))
    judge = Judge(server.target(patience_seconds=3))
    cases = [case for case in CASES if any(fnmatchcase(case.name, name) for name in names)]
    assert cases
    found = {case.name: judge.try_case(case) for case in cases}
    fair = (Verdict.PASSES, Verdict.NOT_APPLICABLE)
    assert {name: f.why for name, f in found.items() if f.verdict not in fair} == {}
    assert any(f.verdict is Verdict.PASSES for f in found.values())


class WithAnotherField:
    """The accounts of a server behind a door that adds a header field to every message."""

    altered = ""

    def __init__(self, server: CrookedServer) -> None:
        self.server = server
        self._serial = count(1_000)

    def provide(
        self,
        mail: Sequence[bytes] | None,
        *,
        password: str | None,
        scratch: bool,
        turn: int,
        named: str = "",
    ) -> Account:
        more = None if mail is None else [self._changed(octets) for octets in mail]
        return self.server.provide(more, password=password, scratch=scratch, turn=turn, named=named)

    def deposit(self, account: Account, octets: bytes) -> None:
        self.server.deposit(account, self._changed(octets))

    def certificate(self, account: Account) -> ClientCertificate:
        return self.server.certificate(account)

    def _changed(self, octets: bytes) -> bytes:
        return b"Received: by localhost with id %d\n" % next(self._serial) + octets


def test_what_is_not_exact_is_judged_whatever_field_was_added(server: CrookedServer) -> None:
    judge = Judge(replace(server.target(), accounts=WithAnotherField(server)))
    cases = [case for case in CASES if case.mail and not case.exact]
    assert len(cases) > 100
    failed = [f for f in map(judge.try_case, cases) if f.verdict in FAILED]
    assert [(f.case.name, f.why) for f in failed if f.case.name not in BOTH_WAYS] == []


def test_a_server_that_waits_for_a_lock_is_not_blamed(server: CrookedServer) -> None:
    server.faults = frozenset({"waits"})
    names = ("1939-S-46/locked", "1939-S-46/locked-empty", "1939-S-47/in-use", "1939-S-48/apop")
    judge = Judge(server.target())
    findings = [judge.try_case(case) for case in CASES if case.name in names]
    assert [f.verdict for f in findings] == [Verdict.NOT_TRIED] * len(names)


def test_a_refusal_of_the_right_proof_is_no_departure(server: CrookedServer) -> None:
    server.faults = frozenset({"no-secrets"})
    judge = Judge(server.target())
    proofs = ("1939-S-60", "2195-S-02", "5802-S-01/scram-sha-1", "5802-S-01/scram-sha-256")
    findings = [judge.try_case(case) for case in CASES if case.name in proofs]
    assert [f.verdict for f in findings] == [Verdict.NOT_TRIED] * len(proofs)
    assert all("computed otherwise" in f.why for f in findings)


def test_a_refusal_of_the_right_proof_departs_where_the_server_has_the_password(
    server: CrookedServer,
) -> None:
    server.faults = frozenset({"no-secrets"})
    judge = Judge(replace(server.target(), server_has_passwords=True))
    names = {"1939-S-60": Verdict.DEPARTS, "1939-S-62": Verdict.NOT_TRIED}
    names |= {"2195-S-02": Verdict.DEPARTS, "2195-S-02/wrong": Verdict.NOT_TRIED}
    names |= {"5802-S-01/scram-sha-1": Verdict.DEPARTS, "5802-S-15/scram-sha-1": Verdict.NOT_TRIED}
    names |= {"5929-S-01/scram-sha-1-plus": Verdict.NOT_TRIED}
    findings = [judge.try_case(case) for case in CASES if case.name in names]
    assert {f.case.name: f.verdict for f in findings} == names


@pytest.mark.parametrize("fault", CATCHES)
def test_a_fault_is_found_by_its_cases(server: CrookedServer, fault: str) -> None:
    server.faults = frozenset(fault.split("+"))
    findings = [Judge(target_for(server, case)).try_case(case) for case in caught_by(fault)]
    assert findings
    assert [f.case.name for f in findings if f.verdict not in FAILED] == []


@pytest.mark.parametrize("number", range(4), ids=["stls", "strict", "implicit", "bare"])
def test_a_case_asks_no_more_of_an_endpoint_than_it_says(
    server: CrookedServer, number: int
) -> None:
    alone = Target(server.endpoints[number : number + 1], server, 10.0)
    findings = [Judge(alone).try_case(case) for case in CASES]
    due = (Verdict.PASSES, Verdict.NOT_TRIED, Verdict.NOT_APPLICABLE)
    wrong = [(f.case.name, f.why) for f in findings if f.verdict not in due]
    assert [name for name, _ in wrong if name not in BOTH_WAYS] == [], wrong


@pytest.mark.parametrize("faults", ["", "update-on-abort", "update-on-abort trims lax-numbers"])
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
    finding = judged(server, a_case(Ask("XTND"), capabilities=("XTND",)))
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


def test_what_a_server_is_known_to_lack_is_not_asked_of_it(server: CrookedServer) -> None:
    bare = Target(server.endpoints[3:], server, 1.0, lacks=frozenset({Trait.STLS, Trait.TLS}))
    for wanted in (Trait.STLS, Trait.TLS):
        finding = Judge(bare).try_case(a_case(Ask("NOOP"), traits=frozenset({wanted})))
        assert finding.verdict is Verdict.NOT_APPLICABLE
        assert wanted.value in finding.why
    finding = Judge(bare).try_case(a_case(Ask("NOOP"), traits=frozenset({Trait.IMPLICIT})))
    assert finding.verdict is Verdict.NOT_TRIED


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

    finding = judged(server, a_case(Logic(ask)))
    said = b"".join(utterance.octets for utterance in finding.dialogue)
    assert b"the secret word" not in said
    assert b"PASS {password}" in said


def test_no_bearer_token_is_in_the_dialogue(server: CrookedServer) -> None:
    server.faults = frozenset({"echoes"})
    shown: list[bytes] = []

    def show(stage: Stage) -> None:
        stage.ask("AUTH XOAUTH2 {token}")
        stage.ask_sasl(b"user={user}\x01auth=Bearer {token}\x01\x01", b"AUTH XOAUTH2 ")
        shown.append(stage.fill(b"{token}"))
        raise Unmet(f"look at the dialogue of {shown[0]!a}")

    finding = judged(server, a_case(Logic(show)))
    said = b"".join(utterance.octets for utterance in finding.dialogue) + finding.why.encode()
    assert b"AUTH XOAUTH2 {token}" in said
    for octets in (shown[0], base64.b64encode(shown[0])[3:-3], shown[0].upper()):
        assert octets not in said


@pytest.mark.parametrize("word", ["{token}", "{spoilt_token}"])
def test_a_bearer_token_goes_to_nobody_who_is_not_trusted(server: CrookedServer, word: str) -> None:
    """A token with one character changed is as good as the right one to whoever hears it."""
    consent = Consent(clear_passwords=False)
    target = replace(server.target(), endpoints=server.endpoints[3:], consent=consent)
    finding = Judge(target).try_case(a_case(Ask(f"AUTH XOAUTH2 {word}")))
    assert finding.verdict is Verdict.NOT_TRIED
    assert "impostor" in finding.why

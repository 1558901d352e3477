"""A run: its order, what is put off, and when it gives up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from restante.examine.case import Case, Finding, Level, Start, Verdict
from restante.examine.dialogue import Ask, Logic
from restante.examine.examination import FAILURES_BORNE, examine, kindest_order
from restante.examine.fixtures import M0, M1, M2, M5, MD
from restante.examine.outcome import NotTried
from restante.examine.pace import TIME_IS_UP, Pace
from restante.examine.stage import Stage
from restante.examine.suite import CASES
from restante.examine.target import Account, ClientCertificate, Endpoint, Target, Tls
from unit.examine.behaving import listening, saying
from unit.examine.crooked import CrookedServer


@pytest.fixture(scope="module")
def running() -> Iterator[CrookedServer]:
    server = CrookedServer()
    yield server
    server.stop()


@pytest.fixture
def server(running: CrookedServer) -> CrookedServer:
    running.faults = frozenset()
    return running


def a_case(number: int, *steps: Ask | Logic, **changes: object) -> Case:
    values: dict[str, object] = {
        "id": f"0000-S-{number:02}",
        "title": "Made up",
        "source": "here",
        "level": Level.MUST,
        "start": Start.GREETED,
        "steps": steps,
    }
    return Case(**{**values, **changes})  # type: ignore[arg-type]


def nothing(case: Case, finding: Finding | None) -> None:
    """Tell nobody."""


def test_findings_stand_in_the_order_of_the_cases(server: CrookedServer) -> None:
    cases = [a_case(1, Ask("USER {unknown}")), a_case(2, mail=M2), a_case(3, mail=M1)]
    told: list[tuple[Case, bool]] = []
    examination = examine(
        server.target(), cases, lambda case, finding: told.append((case, finding is not None))
    )
    assert [finding.case for finding in examination.findings] == cases
    assert [case for case, done in told if done] == [cases[2], cases[1], cases[0]]
    assert examination.complete


def test_guesses_come_last_whatever_the_case_says_first(server: CrookedServer) -> None:
    order: list[str] = []

    def note(stage: Stage) -> None:
        order.append(stage.case.id)

    guess = a_case(1, Ask("USER {user}"), Ask("PASS {wrong}", "-ERR.*"), Logic(note))
    cases = [guess, a_case(2, Logic(note), mail=M5, scratch=True), a_case(3, Logic(note))]
    examination = examine(server.target(), cases, nothing)
    assert order == ["0000-S-02", "0000-S-03", "0000-S-01"]
    assert {finding.verdict for finding in examination.findings} == {Verdict.PASSES}


def test_a_maildrop_is_added_to_before_it_has_to_be_emptied() -> None:
    cases = [a_case(n, mail=mail) for n, mail in enumerate((M5, MD, M2, M0, M1, M5))]
    ordered = [case.mail for case in kindest_order(cases)]
    assert ordered == [M0, M1, MD, M2, M5, M5]


def test_the_order_loses_no_case() -> None:
    assert sorted(kindest_order(CASES), key=id) == sorted(CASES, key=id)


class OneAccount:
    """The same account for every case."""

    altered = ""

    def provide(
        self,
        mail: Sequence[bytes] | None,
        *,
        password: str | None,
        scratch: bool,
        turn: int,
        named: str = "",
    ) -> Account:
        return Account("ann", "the secret word")

    def deposit(self, account: Account, octets: bytes) -> None:
        """Take it."""

    def certificate(self, account: Account) -> ClientCertificate:
        raise NotTried("it needs a certificate")


NO_ACCOUNTS_NEEDED = OneAccount()


class Unhurried(Pace):
    """A pace without sleep."""

    def __init__(self) -> None:
        super().__init__(sleep=lambda seconds: None)


def gone() -> Target:
    server = CrookedServer()
    server.stop()
    return replace(server.target(), pace=Unhurried())


def test_a_server_that_is_gone_is_given_up() -> None:
    cases = [a_case(number) for number in range(30)]
    examination = examine(gone(), cases, nothing)
    whys = [finding.why for finding in examination.findings]
    assert sum("no connection" in why for why in whys) == FAILURES_BORNE
    assert sum("no more were tried" in why for why in whys) == 30 - FAILURES_BORNE
    assert not examination.complete


def test_the_time_for_the_run_is_kept(server: CrookedServer) -> None:
    target = replace(server.target(), pace=Pace(0.0))
    examination = examine(target, [a_case(1), a_case(2)], nothing)
    assert {finding.why for finding in examination.findings} == {TIME_IS_UP}
    assert not examination.complete


def test_what_is_on_its_way_when_the_time_is_up_departs_from_nothing() -> None:
    with listening(saying(b"+OK and not a word more\r\n")) as port:
        endpoint = Endpoint("127.0.0.1", port, Tls.NONE, cleartext=True)
        target = Target((endpoint,), NO_ACCOUNTS_NEEDED, 20.0, pace=Pace(0.5))
        examination = examine(target, [a_case(1, Ask("NOOP")), a_case(2)], nothing)
    assert {finding.why for finding in examination.findings} == {TIME_IS_UP}
    assert examination.seconds < 5


def test_a_server_that_hangs_at_every_login_is_given_up() -> None:
    with listening(saying(b"+OK and not a word more\r\n")) as port:
        endpoint = Endpoint("127.0.0.1", port, Tls.NONE, cleartext=True)
        target = Target((endpoint,), NO_ACCOUNTS_NEEDED, 0.2, pace=Unhurried())
        cases = [a_case(number, start=Start.TRANSACTION) for number in range(30)]
        examination = examine(target, cases, nothing)
    assert not examination.complete
    assert examination.seconds < 5

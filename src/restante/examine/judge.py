"""The judge: plays a case against a server and says what it found."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from restante.examine.case import Case, Finding, Start, Verdict
from restante.examine.outcome import (
    Broken,
    Differs,
    NotApplicable,
    NotTried,
    Outcome,
    Silent,
    Unmet,
    Unreachable,
)
from restante.examine.pace import TIME_IS_UP
from restante.examine.record import Record
from restante.examine.redaction import Redaction
from restante.examine.stage import Capabilities, Stage, offers
from restante.examine.target import Endpoint, Target
from restante.examine.vigil import Vigil, keep_together
from restante.examine.watch import Watch


class Judge:
    """One server under examination; what it announces is asked once per endpoint.

    `redaction` knows every secret the server has been told so far.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self.redaction = Redaction()
        self.failures = 0
        """How many cases in a row had no session."""
        self._announced: dict[tuple[Endpoint, bool], Capabilities | None] = {}
        self._apop: dict[Endpoint, bool] = {}

    def try_case(self, case: Case) -> Finding:
        """Play one case to its verdict; never raises for anything the server does.

        Raises Postponed where the pace of the run has it wait for a later part.
        """
        if case.vigil is not None:
            return self.try_together([case])[0]
        record = Record(self.redaction)
        return self.finding(case, record, lambda: self._perform(case, record))

    def try_together(self, cases: Sequence[Case]) -> list[Finding]:
        """Keep the vigils of these cases side by side, and judge each by what was seen."""
        groups: dict[Vigil, list[Case]] = {}
        for case in cases:
            assert case.vigil is not None
            groups.setdefault(case.vigil, []).append(case)
        watches = [Watch(self, group) for group in groups.values()]
        keep_together([watch.keep() for watch in watches], self._target.pace)
        found = {id(finding.case): finding for watch in watches for finding in watch.findings()}
        return [found[id(case)] for case in cases]

    def finding(
        self, case: Case, record: Record, play: Callable[[], None], seconds: float | None = None
    ) -> Finding:
        """Return what a case found whose end is played, and which may have begun before."""
        began = time.monotonic()
        verdict, why = self._as_far_as_mail_allows(case, *self._judged(case, play))
        taken = time.monotonic() - began if seconds is None else seconds
        return Finding(case, verdict, record.told(why), record.utterances(), taken)

    def _as_far_as_mail_allows(self, case: Case, verdict: Verdict, why: str) -> tuple[Verdict, str]:
        """Hold nothing against a server that may be due to what the door did to the messages."""
        wants_octets = case.mail is not None and case.exact
        altered = self._target.accounts.altered if wants_octets else ""
        if altered and verdict in (Verdict.DEPARTS, Verdict.DIFFERS):
            return Verdict.NOT_TRIED, f"{altered}; as it is: {why}"
        return verdict, why

    def _judged(self, case: Case, play: Callable[[], None]) -> tuple[Verdict, str]:
        pace = self._target.pace
        try:
            play()
        except (Unmet, Broken) as failure:
            if pace.over:
                # Every wait ends with the run: what did not come may have been on its way.
                return Verdict.NOT_TRIED, TIME_IS_UP
            if isinstance(failure, Silent) and pace.guessed and pace.login_patience_seconds:
                return (
                    Verdict.NOT_TRIED,
                    f"{failure}, which wrong credentials may have brought about",
                )
            return case.verdict_when_unmet, str(failure)
        except Differs as choice:
            return Verdict.DIFFERS, str(choice)
        except NotApplicable as absence:
            return Verdict.NOT_APPLICABLE, str(absence)
        except Unreachable as obstacle:
            self.failures += 1
            return Verdict.NOT_TRIED, str(obstacle)
        except NotTried as obstacle:
            return Verdict.NOT_TRIED, str(obstacle)
        except (ValueError, LookupError, RecursionError) as failure:
            return case.verdict_when_unmet, f"a reply cannot be made sense of: {failure}"
        except OSError as failure:
            return Verdict.NOT_TRIED, f"the connection failed: {failure.strerror or failure}"
        return Verdict.PASSES, "the server does what the source says"

    def _perform(self, case: Case, record: Record) -> None:
        with self.set(case, record) as stage:
            for step in case.steps:
                step.perform(stage)

    @contextlib.contextmanager
    def set(self, case: Case, record: Record) -> Iterator[Stage]:
        """Yield the stage of a case, where its steps begin; raises what keeps it from there."""
        endpoint = self._target.endpoint(case.traits)
        if endpoint is None:
            raise self._without_endpoint(case)
        if case.vigil is not None and not self._target.slow:
            raise NotTried("it waits for minutes; that is done where it is asked for, with --slow")
        if case.scratch and not self._target.consent.removal:
            raise NotTried("it may remove mail, and the maildrop is not said to be a scratch one")
        self._target.pace.check()
        stage = Stage(case, self._target, endpoint, record)
        try:
            self._check_capabilities(stage)
            stage.provide_accounts()
            self._begin(stage)
            if case.start is not Start.NOWHERE:
                self.failures = 0
            yield stage
        finally:
            stage.close()

    def _without_endpoint(self, case: Case) -> Outcome:
        """Return what comes of a case for a kind of port that is not there."""
        if absent := case.traits & self._target.lacks:
            lacked = min(trait.value for trait in absent)
            return NotApplicable(f"this is for what {lacked}, which the server is known not to do")
        wanted = ", ".join(sorted(trait.value for trait in case.traits))
        return NotTried(f"no endpoint was given that {wanted}")

    def _begin(self, stage: Stage) -> None:
        """Bring the first connection to where the steps begin."""
        try:
            stage.begin(stage.case.start)
        except Broken as failure:
            raise Unreachable(f"the session does not begin: {failure}") from failure
        except Unmet as failure:
            raise NotTried(f"the session does not begin: {failure}") from failure

    def _check_capabilities(self, stage: Stage) -> None:
        """Raise NotApplicable where the server does not announce what the case is about."""
        stage.capabilities = lambda: self._capabilities(stage)
        for wanted in stage.case.capabilities:
            if wanted == "APOP":
                if not self._offers_apop(stage):
                    raise NotApplicable("the greeting has no timestamp: APOP is not offered")
            elif not offers(self._capabilities(stage), wanted):
                raise NotApplicable(f"the server does not announce {wanted}")

    def _offers_apop(self, stage: Stage) -> bool:
        """Tell whether the endpoint's greetings have a timestamp; no capability tells of APOP."""
        if stage.endpoint not in self._apop:
            self._apop[stage.endpoint] = stage.greets_with_timestamp()
        return self._apop[stage.endpoint]

    def _capabilities(self, stage: Stage) -> Capabilities | None:
        """Return what the endpoint announces where this case begins."""
        key = (stage.endpoint, bool(stage.case.traits))
        if key not in self._announced:
            self._announced[key] = stage.probe()
        return self._announced[key]

"""What proves a password is no more told than the password: it lets everybody try passwords."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from restante.examine import rfc1939_apop, rfc2195, rfc5802
from restante.examine.case import Case
from restante.examine.judge import Judge
from restante.examine.proofs import Scram, apop_digest, cram_response
from restante.examine.reports.as_json import as_json
from unit.examine.crooked import CrookedServer
from unit.examine.reports.sample import SAMPLE


@pytest.fixture(scope="module")
def server() -> Iterator[CrookedServer]:
    server = CrookedServer()
    yield server
    server.stop()


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that was computed from a password."""
    seen: list[str] = []

    def listened(compute: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            made = compute(*args, **kwargs)
            text = made if isinstance(made, str) else made.decode()
            seen.append(text.rpartition(" ")[2].rpartition(",p=")[2].removeprefix("v="))
            return made

        return call

    monkeypatch.setattr("restante.examine.rfc1939_apop.apop_digest", listened(apop_digest))
    monkeypatch.setattr("restante.examine.rfc2195.cram_response", listened(cram_response))
    monkeypatch.setattr(Scram, "final", listened(Scram.final))
    monkeypatch.setattr(Scram, "verifier", listened(Scram.verifier))
    return seen


def pieces(proof: str) -> set[str]:
    """Return what of a proof would be too much, as it is and inside base64."""
    found = {proof[at : at + 12] for at in range(0, len(proof) - 11, 4)}
    for shift in range(3):
        encoded = base64.b64encode(b"." * shift + proof.encode()).decode()
        found |= {encoded[at : at + 12] for at in range(4, len(encoded) - 16)}
    return found


@pytest.mark.parametrize(
    "cases", [rfc1939_apop.CASES, rfc2195.CASES, rfc5802.CASES], ids=["apop", "cram", "scram"]
)
@pytest.mark.parametrize("faults", ["", "echoes"])
def test_no_proof_is_told(
    server: CrookedServer, proofs: list[str], cases: tuple[Case, ...], faults: str
) -> None:
    server.faults = frozenset(faults.split())
    judge = Judge(server.target())
    findings = tuple(judge.try_case(case) for case in cases)
    assert proofs or faults
    report = json.dumps(as_json(replace(SAMPLE, findings=findings)))
    told = {proof for proof in proofs if any(piece in report for piece in pieces(proof))}
    assert told == set()

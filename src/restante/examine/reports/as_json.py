"""The report for programs: one object, everything that was recorded in it.

`text` of a dialogue is in the escapes of `shown.py`, whatever the octets were.
"""

from __future__ import annotations

from typing import Any

from restante.examine.case import Finding
from restante.examine.examination import Examination
from restante.examine.record import Utterance
from restante.examine.reports.shown import announced, cleaned, escaped, escaped_text


def as_json(examination: Examination) -> dict[str, Any]:
    """Return an examination in lists, dictionaries and what stands in them in JSON."""
    server = examination.server
    return {
        "server": {
            "host": cleaned(server.host),
            "port": server.port,
            "tls": server.tls.value,
            "tls_version": None if server.tls_version is None else cleaned(server.tls_version),
            "greeting": escaped_text(server.greeting),
            "implementation": escaped_text(server.implementation),
            "started": cleaned(examination.started),
            "seconds": round(examination.seconds, 3),
            "complete": examination.complete,
        },
        "capabilities": {
            where: {tag: list(parameters) for tag, parameters in listed.items()}
            for where, listed in announced(examination.capabilities).items()
        },
        "cases": [_case(finding) for finding in examination.findings],
    }


def _case(finding: Finding) -> dict[str, Any]:
    case = finding.case
    told: dict[str, Any] = {"id": cleaned(case.id)}
    if case.variant:
        told["variant"] = cleaned(case.variant)
    if case.also:
        told["also"] = [cleaned(name) for name in case.also]
    return told | {
        "title": cleaned(case.title),
        "source": cleaned(case.source),
        "level": case.level.value,
        "verdict": finding.verdict.value,
        "why": cleaned(finding.why),
        "dialogue": [_utterance(said) for said in finding.dialogue],
    }


def _utterance(said: Utterance) -> dict[str, Any]:
    return {
        "connection": said.connection,
        "speaker": said.speaker,
        "text": escaped(said.octets),
        "left_out": said.left_out,
    }

"""What is said of a certificate that is not trusted, and how to go on all the same."""

from __future__ import annotations

from dataclasses import replace

from restante.examine.case import Case, Level, Trait
from restante.examine.outcome import Outcome
from restante.examine.record import Record
from restante.examine.stage import Stage
from restante.examine.target import Target, Tls
from restante.examine.trust import ANYBODY, fingerprint_of

LOOK = Case(
    id="first-look",
    title="The first look",
    source="",
    level=Level.MAY,
    steps=(),
    # With a trait the stage sends nothing of itself.
    traits=frozenset({Trait.TLS}),
)


def mistrust(reason: str, target: Target) -> str:
    """Say what is wrong with the certificate of the first endpoint."""
    text = f"its certificate is not trusted: {reason}. No password was sent. To go on: --ca FILE"
    certificate = certificate_shown(target)
    if certificate is None:
        return f"{text} with who signed it"
    fingerprint = fingerprint_of(certificate)
    return f"{text} with who signed it, or --fingerprint {fingerprint} if that is the right one"


def certificate_shown(target: Target) -> bytes | None:
    """Return the certificate, whoever it is from, by a connection of its own."""
    endpoint = target.endpoints[0]
    stage = Stage(LOOK, replace(target, trust=ANYBODY), endpoint, Record())
    try:
        stage.connect()
        if endpoint.tls is not Tls.IMPLICIT:
            stage.wire.status()
            stage.ask("STLS")
            stage.start_tls()
        return None if stage.wire.tls is None else stage.wire.tls.certificate
    except Outcome:
        return None
    finally:
        stage.close()

"""RFC 5802 and 7677: where SCRAM with channel binding is announced, and where it must not be."""

from __future__ import annotations

import re
import ssl

from restante.examine.bindings import UNIQUE, tls_1_2, unique_of
from restante.examine.bound_login import (
    BOUND,
    makes_sure_of_account,
    ordinary_tls,
    played,
    refused,
)
from restante.examine.case import Case, Level, Start, Trait, Verdict
from restante.examine.dialogue import Ask, Given, Logic
from restante.examine.handshakes import greeted_under
from restante.examine.outcome import NotApplicable, NotTried, Unmet
from restante.examine.scram import PLUS, Binding, Exchange, mechanisms
from restante.examine.stage import Stage
from restante.examine.words import UNKNOWN_USER

TLS = frozenset({Trait.TLS})
NOT_UNDER_1_2 = "under TLS 1.2 the server announces no SCRAM with channel binding"


def plus_comes_with_bare(stage: Stage) -> None:
    """Compare the names with a binding and those without."""
    ordinary_tls(stage)
    announced = mechanisms(stage)
    names = [name for name in announced if re.fullmatch(r"SCRAM-.*-PLUS", name)]
    if not names:
        raise NotApplicable("the server announces no mechanism with channel binding")
    if alone := [name for name in names if name.removesuffix(PLUS) not in announced]:
        raise Unmet(f"announced with a binding only: {alone}")


def plus_needs_a_binding(stage: Stage) -> None:
    """Ask for every mechanism with a binding, and say that there is none."""
    ordinary_tls(stage)
    announced = mechanisms(stage)
    names = [name for name in announced if re.fullmatch(r"SCRAM-.*-PLUS", name)]
    if not names:
        raise NotApplicable("the server announces no mechanism with channel binding")
    stage.target.pace.guess()
    for name in names:
        if name in BOUND:
            reply = played(Exchange(stage, name))
        else:
            first = f"n,,n={UNKNOWN_USER},r=nonce".encode()
            reply = stage.ask_sasl(first, f"AUTH {name} ".encode())
            if reply.raw.startswith(b"+ "):
                raise NotTried(f"{name} goes on, to where the suite cannot follow")
        refused(stage, reply, f"{name} with n")
        ordinary_tls(stage)


def plus_needs_a_channel(stage: Stage) -> None:
    """Look for a -PLUS mechanism where there is nothing to bind to."""
    announced = mechanisms(stage)
    if not any(name.startswith("SCRAM-") for name in announced):
        raise NotApplicable("in clear the server announces no SCRAM")
    if bad := [name for name in announced if name.endswith(PLUS)]:
        raise Unmet(f"in clear the server announces {bad}")


def announced_under_1_2(stage: Stage) -> list[str]:
    """Return the mechanisms with a binding that are announced under TLS 1.2, if there are any."""
    greeted_under(stage, tls_1_2(stage))
    found = [name for name in mechanisms(stage) if name in BOUND]
    if not found:
        raise NotApplicable(NOT_UNDER_1_2)
    return found


def under_a_weak_session(stage: Stage, context: ssl.SSLContext) -> None:
    """Go under TLS 1.2 without the extended master secret."""
    try:
        greeted_under(stage, context)
    except NotTried as failure:
        told = "the server speaks no TLS 1.2 without the extended master secret"
        raise NotApplicable(f"{told}: {failure}") from failure


def hides_plus_from_weak_sessions(stage: Stage) -> None:
    """Look at what is announced under TLS 1.2 without the extended master secret."""
    announced_under_1_2(stage)
    under_a_weak_session(stage, tls_1_2(stage, extended=False))
    if bad := [name for name in mechanisms(stage) if name.endswith(PLUS)]:
        raise Unmet(f"without the extended master secret the server announces {bad}")


def binds_to_no_weak_session(stage: Stage) -> None:
    """Resume a session that has no extended master secret, and bind to it."""
    stage.target.pace.guess()
    [mechanism, *_] = announced_under_1_2(stage)
    makes_sure_of_account(stage, mechanism)
    context = tls_1_2(stage, extended=False)
    under_a_weak_session(stage, context)
    session = stage.wire.tls.session if stage.wire.tls else None
    Given(Ask("QUIT")).perform(stage)
    greeted_under(stage, context, session)
    if stage.wire.tls is None or not stage.wire.tls.resumed:
        raise NotApplicable("the server resumes no session without the extended master secret")
    if mechanism in mechanisms(stage):
        binding = Binding(UNIQUE.name, unique_of(stage))
        refused(
            stage,
            played(Exchange.bound(stage, mechanism, binding)),
            "a binding to a resumed session",
        )


CASES = (
    Case(
        id="5802-S-10",
        title="A mechanism with channel binding is not to be had without one",
        source="RFC 5802 §6",
        level=Level.MUST,
        variant="plus",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(plus_needs_a_binding),),
    ),
    Case(
        id="5802-S-11",
        title="No mechanism with channel binding is announced where there is no channel",
        source="RFC 5802 §6",
        level=Level.SHOULD,
        traits=frozenset({Trait.STLS}),
        start=Start.GREETED,
        steps=(Logic(plus_needs_a_channel),),
    ),
    Case(
        id="5802-S-11",
        title="No mechanism with channel binding is announced where there is no TLS at all",
        source="RFC 5802 §6",
        level=Level.SHOULD,
        variant="bare",
        traits=frozenset({Trait.BARE}),
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(Logic(plus_needs_a_channel),),
    ),
    Case(
        id="5802-S-11",
        title="Whatever is announced with channel binding is announced without it as well",
        source="RFC 5802 §6",
        level=Level.SHOULD,
        variant="pairs",
        traits=TLS,
        start=Start.NOWHERE,
        unmet=Verdict.DIFFERS,
        steps=(Logic(plus_comes_with_bare),),
    ),
    Case(
        id="7677-S-01",
        title="Nothing is bound to a resumed session without the extended master secret",
        source="RFC 7677 §4",
        level=Level.MUST,
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(binds_to_no_weak_session),),
    ),
    Case(
        id="7677-S-01",
        title="Without the extended master secret no channel binding is announced",
        source="RFC 7677 §4",
        level=Level.INFERRED,
        variant="announced",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(hides_plus_from_weak_sessions),),
    ),
)

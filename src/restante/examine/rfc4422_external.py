"""RFC 4422 Appendix A, 2595 §4 and 8314 §4.2: client certificates, and EXTERNAL by them.

Where a server neither announces EXTERNAL nor asks for a certificate there is nothing to judge;
where it does, most cases need a certificate that it takes for the account's.
"""

from __future__ import annotations

import base64
import contextlib

from restante.examine.case import Case, Level, Start, Trait, Verdict
from restante.examine.dialogue import ERR, OK, Ask, Given, Logic, holds
from restante.examine.fixtures import M2
from restante.examine.handshakes import flight_for, greeted_under
from restante.examine.hello import CERTIFICATE_REQUEST, Hello
from restante.examine.outcome import Broken, Ended, NotApplicable, NotTried, Unmet
from restante.examine.scram import mechanisms
from restante.examine.stage import Stage

SOURCE = "RFC 4422 Appendix A"
TLS = frozenset({Trait.TLS})
EXTERNAL = "EXTERNAL"


def ordinary_tls(stage: Stage) -> None:
    """Open a connection and go under TLS without a certificate."""
    greeted_under(stage, stage.target.trust.new_context())


def asks_for_certificate(stage: Stage) -> bool:
    """Tell whether the server asks for a client certificate."""
    flight = flight_for(stage, Hello())
    if not flight.accepted:
        raise NotTried("whether a certificate is asked for shows under TLS 1.2 alone")
    return CERTIFICATE_REQUEST in flight.messages


def certified(stage: Stage) -> tuple[str, ...]:
    """Open a connection, show the certificate, and return the mechanisms that are announced."""
    try:
        context = stage.certified_context()
    except NotTried:
        ordinary_tls(stage)
        if EXTERNAL not in mechanisms(stage) and not asks_for_certificate(stage):
            told = "the server asks for no client certificate and does not announce EXTERNAL"
            raise NotApplicable(told) from None
        raise
    try:
        greeted_under(stage, context)
        return mechanisms(stage)
    except (Broken, Unmet) as failure:
        raise NotTried(f"with the certificate the session does not begin: {failure}") from failure


def offered_external(stage: Stage) -> None:
    """Open a connection and show the certificate to a server that announces EXTERNAL."""
    if EXTERNAL not in certified(stage):
        raise NotApplicable("to who shows the certificate the server does not announce EXTERNAL")


def let_in(stage: Stage) -> None:
    """Log in by the certificate alone, or raise NotTried."""
    offered_external(stage)
    stage.target.pace.before_login()
    reply = stage.ask("AUTH EXTERNAL =")
    if not reply.positive:
        raise NotTried(
            f"EXTERNAL is refused, {reply.line[:80]!a}: "
            "the certificate may not be one that the server takes for the account's"
        )


def can_get_in(stage: Stage) -> None:
    """Make sure that the certificate lets the account in at all, then begin once more."""
    let_in(stage)
    Given(Ask("STAT")).perform(stage)
    Given(Ask("QUIT")).perform(stage)
    offered_external(stage)


def opens_the_maildrop(stage: Stage) -> None:
    """Log in by the certificate and look at the maildrop."""
    let_in(stage)
    Ask("STAT", r"\+OK 2 \d+( .*)?").perform(stage)


def challenges_with_nothing(stage: Stage) -> None:
    """Begin without an initial response."""
    can_get_in(stage)
    reply = stage.ask("AUTH EXTERNAL")
    if reply.raw != b"+ \r\n":
        raise Unmet(f"where the empty challenge is due the server says {reply.raw[:60]!a}")
    Ask("", OK).perform(stage)


def takes_own_name(stage: Stage) -> None:
    """Ask to act as who the certificate shows."""
    can_get_in(stage)
    holds(stage.ask_sasl(b"{user}", b"AUTH EXTERNAL "), OK, "the name of the account")


def refuses(*identities: bytes, certificate: bool = True) -> Logic:
    """Return a step: with the certificate, or without one, these identities are refused."""

    def attempt(stage: Stage) -> None:
        stage.target.pace.guess()
        if certificate:
            can_get_in(stage)
        # Who closes the connection lets nobody in either.
        with contextlib.suppress(Ended):
            for identity in identities:
                encoded = base64.b64encode(stage.fill(identity)) or b"="
                stage.send(b"AUTH EXTERNAL " + encoded + b"\r\n")
                what = "with the certificate" if certificate else "without a certificate"
                holds(stage.wire.status(), ERR, f"EXTERNAL for {identity!a} {what}")
            Ask("STAT", ERR).perform(stage)

    return Logic(attempt)


def is_no_login(stage: Stage) -> None:
    """Show the certificate, and do not log in."""
    certified(stage)
    Ask("STAT", ERR).perform(stage)


def asks_with_a_use(stage: Stage) -> None:
    """Look whether EXTERNAL is there where a certificate is asked for."""
    if not asks_for_certificate(stage):
        return
    ordinary_tls(stage)
    if EXTERNAL in mechanisms(stage) or EXTERNAL in certified(stage):
        return
    raise Unmet("a client certificate is asked for, and EXTERNAL is not announced")


def offers_it_to_holders(stage: Stage) -> None:
    """Compare what is announced with a certificate and without one."""
    ordinary_tls(stage)
    without = mechanisms(stage)
    offered_external(stage)
    if EXTERNAL in without:
        raise Unmet("EXTERNAL is announced to who showed no certificate")


CASES = (
    Case(
        id="2595-S-15",
        title="EXTERNAL lets in who showed a certificate, to the account's own maildrop",
        source="RFC 2595 §4; RFC 4422 Appendix A",
        level=Level.MAY,
        also=("4422-S-06",),
        traits=TLS,
        start=Start.NOWHERE,
        mail=M2,
        exact=False,
        steps=(Logic(opens_the_maildrop),),
    ),
    Case(
        id="2595-S-07",
        title="A handshake with a client certificate is no login",
        source="RFC 2595 §4",
        level=Level.MUST,
        variant="certificate",
        traits=frozenset({Trait.STLS}),
        start=Start.NOWHERE,
        steps=(Logic(is_no_login),),
    ),
    Case(
        id="8314-S-02",
        title="Behind implicit TLS a login is due with a client certificate as well",
        source="RFC 8314 §3.1",
        level=Level.MUST,
        variant="certificate",
        traits=frozenset({Trait.IMPLICIT}),
        start=Start.NOWHERE,
        steps=(Logic(is_no_login),),
    ),
    Case(
        id="8314-S-08",
        title="No client certificate is asked for that could not be used",
        source="RFC 8314 §4.2",
        level=Level.MUST,
        traits=TLS,
        start=Start.NOWHERE,
        unmet=Verdict.DIFFERS,
        steps=(Logic(asks_with_a_use),),
    ),
    Case(
        id="8314-S-08",
        title="EXTERNAL is announced to who showed a certificate alone",
        source="RFC 8314 §4.2; RFC 5034 §3",
        level=Level.INFERRED,
        variant="holders",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(offers_it_to_holders),),
    ),
    Case(
        id="4422-S-06",
        title="EXTERNAL lets nobody in who showed no certificate",
        source=SOURCE,
        level=Level.MUST,
        start=Start.GREETED,
        steps=(refuses(b"", b"{user}", certificate=False),),
    ),
    Case(
        id="4422-S-06",
        title="EXTERNAL lets nobody in who showed no certificate, under TLS either",
        source=SOURCE,
        level=Level.MUST,
        variant="tls",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(ordinary_tls), refuses(b"", b"{user}", certificate=False)),
    ),
    Case(
        id="4422-S-06",
        title="EXTERNAL without an initial response is met with an empty challenge",
        source=SOURCE,
        level=Level.MUST,
        variant="asked",
        also=("5034-S-08",),
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(challenges_with_nothing),),
    ),
    Case(
        id="4422-S-06",
        title="EXTERNAL takes the name of who the certificate shows",
        source=SOURCE,
        level=Level.INFERRED,
        variant="own-name",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(takes_own_name),),
    ),
    Case(
        id="4422-S-06",
        title="EXTERNAL lets nobody act for somebody else",
        source=SOURCE,
        level=Level.MUST,
        variant="somebody",
        also=("4422-S-03",),
        traits=TLS,
        start=Start.NOWHERE,
        second_account=True,
        steps=(refuses(b"{second_user}"),),
    ),
    Case(
        id="4422-S-06",
        title="EXTERNAL lets nobody act for who is not there",
        source=SOURCE,
        level=Level.MUST,
        variant="nobody",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(refuses(b"{unknown}"),),
    ),
    Case(
        id="4422-S-07",
        title="EXTERNAL takes no malformed identity",
        source=SOURCE,
        level=Level.INFERRED,
        traits=TLS,
        start=Start.NOWHERE,
        steps=(refuses(b"\xff{user}", b"{user}\0"),),
    ),
)

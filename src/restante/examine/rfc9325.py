"""RFC 9325: versions, suites, extensions and certificates that TLS may be offered with."""

from __future__ import annotations

import ssl

from restante.examine.bindings import BROKEN_HASHES
from restante.examine.case import Case, Level, Start, Trait, Verdict
from restante.examine.certificate import Certificate, read_certificate
from restante.examine.dialogue import Logic
from restante.examine.handshakes import (
    flight_for,
    greeted_under,
    is_accepted,
    judges,
    ready_for_tls,
    refuses_hello,
)
from restante.examine.hello import (
    ALPN,
    DHE,
    ECDHE_GCM,
    ECDSA_GCM,
    EXTENDED_MASTER_SECRET,
    OLD_SUITES,
    RENEGOTIATION,
    RSA_GCM,
    Flight,
    Hello,
)
from restante.examine.layer import tls_context
from restante.examine.outcome import NotApplicable, NotTried, Unmet
from restante.examine.stage import Stage

TLS = frozenset({Trait.TLS})

WEAK_SUITES = {
    "null": (0x0001, 0x0002, 0x003B, 0xC006, 0xC010),
    "rc4": (0x0004, 0x0005, 0xC007, 0xC011),
    "export": (0x0003, 0x0006, 0x0008, 0x000E, 0x0014),
    "anonymous": (0x0034, 0x006C, 0x00A6, 0xC018, 0xC019),
    "3des": (0x000A, 0x0016, 0xC008, 0xC012),
    "des": (0x0009, 0x0015),
}
FEWEST_BITS_OF_PRIME = 2048
FEWEST_BITS = {"RSA": 2048, "EC": 224}
WEEK_SECONDS = 7 * 24 * 3600
STATIC_RSA = (0x009C, 0x009D, 0x002F, 0x0035, 0x003C)


def _has_safe_extensions(flight: Flight) -> str:
    missing = {RENEGOTIATION, EXTENDED_MASTER_SECRET} - set(flight.extensions)
    return f"the server's hello lacks the extensions {sorted(missing)}" if missing else ""


def _speaks_pop3(flight: Flight) -> str:
    chosen = flight.extensions.get(ALPN)
    return "" if chosen == b"\0\x05\x04pop3" else f"the server chooses {chosen!a}"


def _objects_to_protocol(flight: Flight) -> str:
    return "" if flight.alert == 120 else f"h2 meets {flight.alert=}, {flight.suite=}"


def _objects_to_name(flight: Flight) -> str:
    return "" if flight.alert == 112 else "a name the server does not have is served all the same"


def prefers(version: str, highest: ssl.TLSVersion | None = None) -> Logic:
    """Return a step in which a handshake must end with this version."""

    def attempt(stage: Stage) -> None:
        ready_for_tls(stage)
        context = tls_context()
        if highest is not None:
            context.maximum_version = highest
        stage.start_tls(context)
        assert stage.wire.tls is not None
        if (got := stage.wire.tls.version) != version:
            raise Unmet(f"the handshake ends with {got}")

    return Logic(attempt)


def tickets_age(stage: Stage) -> None:
    """Look at the lifetime of the session ticket that TLS 1.2 is given."""
    ready_for_tls(stage)
    context = tls_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    stage.start_tls(context)
    assert stage.wire.tls is not None
    seconds = stage.wire.tls.ticket_seconds
    if seconds is None:
        raise NotApplicable("the server gives no session ticket")
    if seconds > WEEK_SECONDS:
        raise Unmet(f"a session ticket lives for {seconds} s")


def shown_chains(stage: Stage) -> list[list[Certificate]]:
    """Return the certificates shown to who wants ECDSA and to who wants RSA, the server's first."""
    flights = [flight_for(stage, Hello(suites)) for suites in (ECDSA_GCM, RSA_GCM)]
    chains = [flight.certificates for flight in flights if flight.certificates]
    if not chains:
        greeted_under(stage, tls_context())
        assert stage.wire.tls is not None
        chains = [[stage.wire.tls.certificate or b""]]
    return [[read_certificate(octets) for octets in chain] for chain in chains]


def keys_are_long(stage: Stage) -> None:
    """Look at the key of each certificate the server has for itself."""
    for own, *_ in shown_chains(stage):
        least = FEWEST_BITS.get(own.key_kind, 0)
        if own.key_bits is None:
            raise NotTried(f"the suite knows no keys of the kind {own.key_kind}")
        stage.record.note(0, "*", f"{own.key_kind}, {own.key_bits} bits".encode())
        if own.key_bits < least:
            raise Unmet(f"an {own.key_kind} key of {own.key_bits} bits; at least {least} are due")


def groups_are_large(stage: Stage) -> None:
    """Look at the group of an exchange by Diffie-Hellman with numbers (RFC 5246 §7.4.3)."""
    flight = flight_for(stage, Hello(DHE))
    if not flight.accepted:
        raise NotApplicable("the server takes no suite with such an exchange")
    if flight.prime_bits is None:
        raise NotTried("the server does not show its group")
    stage.record.note(0, "*", f"a prime of {flight.prime_bits} bits".encode())
    if flight.prime_bits < FEWEST_BITS_OF_PRIME:
        told = f"at least {FEWEST_BITS_OF_PRIME} are due"
        raise Unmet(f"a prime of {flight.prime_bits} bits; {told}")


def signatures_are_sound(stage: Stage) -> None:
    """Look at the signatures of what is shown, but for those that nobody relies on."""
    for chain in shown_chains(stage):
        for number, shown in enumerate(chain, 1):
            told = f"certificate {number} of {len(chain)}: {shown.signature_hash or 'no hash'}"
            stage.record.note(0, "*", told.encode())
            if shown.signature_hash in BROKEN_HASHES and not shown.self_issued:
                raise Unmet(f"{told}, which nothing may be signed by any more")


CASES = (
    Case(
        id="9325-S-04",
        title="A session ticket does not live longer than a week",
        source="RFC 9325 §3.4; RFC 8446 §4.6.1",
        level=Level.SHOULD,
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(tickets_age),),
    ),
    Case(
        id="9325-S-02",
        title="TLS 1.3 is preferred",
        source="RFC 9325 §3.1",
        level=Level.SHOULD,
        variant="1.3",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(prefers("TLSv1.3"),),
    ),
    Case(
        id="9325-S-02",
        title="TLS 1.2 is spoken with who has no better",
        source="RFC 9325 §3.1",
        level=Level.MUST,
        variant="1.2",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(prefers("TLSv1.2", ssl.TLSVersion.TLSv1_2),),
    ),
    Case(
        id="9325-S-03",
        title="TLS does not compress",
        source="RFC 9325 §3.3",
        level=Level.SHOULD,
        traits=TLS,
        start=Start.NOWHERE,
        steps=(
            judges(
                Hello(compressions=b"\x01\0"),
                lambda flight: "the server compresses" if flight.compression else "",
            ),
        ),
    ),
    Case(
        id="9325-S-05",
        title="TLS 1.2 has secure renegotiation and the extended master secret",
        source="RFC 9325 §3.5",
        level=Level.MUST,
        traits=TLS,
        start=Start.NOWHERE,
        steps=(judges(Hello(), _has_safe_extensions),),
    ),
    Case(
        id="9325-S-06",
        title="A host name the server has no certificate for is refused",
        source="RFC 9325 §3.7",
        level=Level.SHOULD,
        traits=TLS,
        start=Start.NOWHERE,
        unmet=Verdict.DIFFERS,
        steps=(judges(Hello(server_name="nowhere.invalid"), _objects_to_name),),
    ),
    Case(
        id="9325-S-07",
        title="The protocol pop3 is chosen when it is offered",
        source="RFC 9325 §3.8",
        level=Level.MUST,
        variant="pop3",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(judges(Hello(protocols=("pop3",)), _speaks_pop3),),
    ),
    Case(
        id="9325-S-07",
        title="A client that wants another protocol is turned away",
        source="RFC 9325 §3.8",
        level=Level.SHOULD,
        variant="h2",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(judges(Hello(protocols=("h2",)), _objects_to_protocol),),
    ),
    Case(
        id="9325-S-07",
        title="A client that names no protocol is served",
        source="RFC 9325 §3.8",
        level=Level.MUST,
        variant="none",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(judges(Hello(), is_accepted),),
    ),
    *(
        Case(
            id="9325-S-08",
            title=f"Suites of the kind {kind} are refused",
            source="RFC 9325 §4.1",
            level=Level.MUST,
            variant=kind,
            also=("2595-S-16",) if kind == "3des" else (),
            traits=TLS,
            start=Start.NOWHERE,
            steps=(refuses_hello(kind, Hello(suites)),),
        )
        for kind, suites in WEAK_SUITES.items()
    ),
    Case(
        id="9325-S-08",
        title="Suites without forward secrecy are refused",
        source="RFC 9325 §4.1",
        level=Level.SHOULD,
        variant="static-rsa",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(refuses_hello("static RSA", Hello(STATIC_RSA)),),
    ),
    Case(
        id="9325-S-09",
        title="One of the recommended suites is chosen in TLS 1.2",
        source="RFC 9325 §4.2",
        level=Level.SHOULD,
        traits=TLS,
        start=Start.NOWHERE,
        steps=(
            judges(
                Hello((*OLD_SUITES, *ECDHE_GCM)),
                lambda flight: (
                    "" if flight.suite in ECDHE_GCM else f"the server chooses {flight.suite}"
                ),
            ),
        ),
    ),
    Case(
        id="9325-S-10",
        title="The server's keys are long enough",
        source="RFC 9325 §4.5",
        level=Level.MUST,
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(keys_are_long),),
    ),
    Case(
        id="9325-S-10",
        title="Diffie-Hellman with numbers has a prime of 2048 bits at least",
        source="RFC 9325 §4.5",
        level=Level.MUST,
        variant="dhe",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(groups_are_large),),
    ),
    Case(
        id="9325-S-10",
        title="No certificate shown is signed by means of MD5 or SHA-1",
        source="RFC 9325 §4.5",
        level=Level.MUST,
        variant="signature",
        traits=TLS,
        start=Start.NOWHERE,
        steps=(Logic(signatures_are_sound),),
    ),
)

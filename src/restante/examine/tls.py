"""RFC 8314, 8996 and 9325: TLS as a POP3 server has to offer it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

from restante.examine.case import Case, Level, Start, Trait, Verdict
from restante.examine.dialogue import ERR, Ask, Logic, LogIn, Upgrade, refuses
from restante.examine.fixtures import M2
from restante.examine.hello import (
    ALPN,
    CERTIFICATE_REQUEST,
    ECDHE_GCM,
    EXTENDED_MASTER_SECRET,
    OLD_SUITES,
    RENEGOTIATION,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    Flight,
    Hello,
    say_hello,
)
from restante.examine.layer import tls_context
from restante.examine.outcome import Broken, NotApplicable, NotTried, Unmet
from restante.examine.stage import Stage
from restante.examine.target import Tls
from restante.examine.timing import times_alike

TLS = frozenset({Trait.TLS})
IMPLICIT = frozenset({Trait.IMPLICIT})
STRICT = frozenset({Trait.STRICT})

WEAK_SUITES = {
    "null": (0x0001, 0x0002, 0x003B, 0xC006, 0xC010),
    "rc4": (0x0004, 0x0005, 0xC007, 0xC011),
    "export": (0x0003, 0x0006, 0x0008, 0x000E, 0x0014),
    "anonymous": (0x0034, 0x006C, 0x00A6, 0xC018, 0xC019),
    "3des": (0x000A, 0x0016, 0xC008, 0xC012),
    "des": (0x0009, 0x0015),
}
WEEK_SECONDS = 7 * 24 * 3600
STATIC_RSA = (0x009C, 0x009D, 0x002F, 0x0035, 0x003C)


def ready_for_tls(stage: Stage) -> None:
    """Open a connection on which the next octet begins TLS."""
    stage.connect(tls=False)
    if stage.endpoint.tls is Tls.IMPLICIT:
        return
    stage.wire.status()
    if not stage.ask("STLS").positive:
        raise NotTried("STLS is refused")


def flight_for(stage: Stage, hello: Hello) -> Flight:
    """Return what the server answers to this ClientHello on a new connection."""
    ready_for_tls(stage)
    return say_hello(stage.wire, hello)


def refuses_hello(what: str, hello: Hello) -> Logic:
    """Return a step in which the server must not go along."""

    def attempt(stage: Stage) -> None:
        flight = flight_for(stage, hello)
        if flight.accepted:
            raise Unmet(f"{what}: the server accepts suite {flight.suite:#06x}")

    return Logic(attempt)


def judges(hello: Hello, judgement: Callable[[Flight], str]) -> Logic:
    """Return a step whose judgement tells what is wrong with the answer, or nothing."""

    def attempt(stage: Stage) -> None:
        if wrong := judgement(flight_for(stage, hello)):
            raise Unmet(wrong)

    return Logic(attempt)


def _is_accepted(flight: Flight) -> str:
    return "" if flight.accepted else f"the server answers with alert {flight.alert}"


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


def says_goodbye(stage: Stage) -> None:
    """Look for close_notify before the end of TCP."""
    Ask("QUIT").perform(stage)
    stage.wire.rest()
    assert stage.wire.tls is not None
    if not stage.wire.tls.ended_cleanly:
        raise Unmet("TCP ends without close_notify")


def is_silent_in_clear(stage: Stage) -> None:
    """Speak POP3 in clear where TLS is due."""
    stage.connect(tls=False)
    stage.send(b"CAPA\r\nQUIT\r\n")
    try:
        rest = stage.wire.rest()
    except Broken:
        return
    if b"+OK" in rest or b"-ERR" in rest:
        raise Unmet(f"a command in clear is answered {rest[:60]!a}")


def refuses_alike(stage: Stage) -> None:
    """Compare the refusals in clear of right and wrong credentials."""
    seen = {}
    for kind, name, secret in (("right", "user", "password"), ("wrong", "unknown", "wrong")):
        stage.begin(Start.GREETED)
        lines = (f"USER {{{name}}}", f"PASS {{{secret}}}", "AUTH PLAIN {unknown_plain}")
        if kind == "right":
            lines = (*lines[:2], "AUTH PLAIN {plain}")
        seen[kind] = [stage.ask(line).line for line in lines]
    if seen["right"] != seen["wrong"]:
        raise Unmet(f"in clear {seen['right']} for the right and {seen['wrong']} for wrong ones")


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


def in_clear_takes(stage: Stage, known: bool) -> float:
    """Return the seconds that a refusal in clear takes, of right or of wrong credentials."""
    stage.begin(Start.GREETED)
    began = time.perf_counter()
    stage.ask("USER {user}" if known else "USER {unknown}")
    Ask("PASS {password}" if known else "PASS {wrong}", ERR).perform(stage)
    return time.perf_counter() - began


CASES = (
    Case(
        id="8314-S-01",
        title="Where TLS comes first, nothing is said in clear",
        source="RFC 8314 §3.1",
        level=Level.MUST,
        traits=IMPLICIT,
        start=Start.NOWHERE,
        steps=(Logic(is_silent_in_clear),),
    ),
    Case(
        id="8314-S-02",
        title="Behind implicit TLS the session begins with the greeting and a login is due",
        source="RFC 8314 §3.1",
        level=Level.MUST,
        traits=IMPLICIT,
        start=Start.GREETED,
        mail=M2,
        exact=False,
        steps=(*refuses("STAT", "NOOP"), LogIn(), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
    Case(
        id="8314-S-03",
        title="TLS is closed before TCP is",
        source="RFC 8314 §3.4",
        level=Level.SHOULD,
        variant="implicit",
        traits=IMPLICIT,
        start=Start.GREETED,
        steps=(Logic(says_goodbye),),
    ),
    Case(
        id="8314-S-03",
        title="TLS is closed before TCP is, behind STLS too",
        source="RFC 8314 §3.4",
        level=Level.SHOULD,
        variant="stls",
        traits=frozenset({Trait.STLS}),
        start=Start.GREETED,
        steps=(Upgrade(), Logic(says_goodbye)),
    ),
    *(
        Case(
            id=id_,
            title=f"{name} is refused",
            source=source,
            level=Level.MUST,
            variant=name.lower().replace(" ", "-"),
            traits=TLS,
            start=Start.NOWHERE,
            steps=(refuses_hello(name, Hello(OLD_SUITES, version)),),
        )
        for name, version in (("TLS 1.0", TLS_1_0), ("TLS 1.1", TLS_1_1), ("SSL 3", 0x0300))
        for id_, source in (("8314-S-06", "RFC 8997 §3"), ("8996-S-01", "RFC 8996 §4, §5"))
    ),
    *(
        Case(
            id="8996-S-01",
            title=f"A hello in a record of version {version:#06x} is taken",
            source="RFC 8996 §5",
            level=Level.MUST,
            variant=f"record-{version:04x}",
            traits=TLS,
            start=Start.NOWHERE,
            steps=(judges(Hello(record_version=version), _is_accepted),),
        )
        for version in (0x0300, TLS_1_0, TLS_1_1, TLS_1_2)
    ),
    Case(
        id="8314-S-08",
        title="No client certificate is asked for that could not be used",
        source="RFC 8314 §4.2",
        level=Level.MUST,
        traits=TLS,
        start=Start.NOWHERE,
        unmet=Verdict.DIFFERS,
        steps=(
            judges(
                Hello(),
                lambda flight: (
                    "a client certificate is asked for"
                    if CERTIFICATE_REQUEST in flight.messages
                    else _is_accepted(flight)
                ),
            ),
        ),
    ),
    Case(
        id="8314-S-09",
        title="In clear, right and wrong credentials are refused alike where TLS is demanded",
        source="RFC 8314 §4.1",
        level=Level.MUST,
        traits=STRICT,
        start=Start.GREETED,
        steps=(Logic(refuses_alike),),
    ),
    Case(
        id="8314-S-09",
        title="In clear, right and wrong credentials are refused in the same time",
        source="RFC 8314 §4.1",
        level=Level.INFERRED,
        variant="time",
        traits=STRICT,
        start=Start.GREETED,
        steps=(Logic(times_alike(in_clear_takes)),),
    ),
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
        steps=(judges(Hello(), _is_accepted),),
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
)

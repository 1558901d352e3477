"""RFC 8314, 8997 and 8996: where TLS has to be, and which versions of it."""

from __future__ import annotations

import time

from restante.examine.case import Case, Level, Start, Trait
from restante.examine.dialogue import ERR, Ask, Logic, LogIn, Upgrade, refuses
from restante.examine.fixtures import M2
from restante.examine.handshakes import is_accepted, judges, refuses_hello
from restante.examine.hello import (
    OLD_SUITES,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    Hello,
)
from restante.examine.outcome import Broken, Unmet
from restante.examine.stage import Stage
from restante.examine.timing import times_alike

TLS = frozenset({Trait.TLS})
IMPLICIT = frozenset({Trait.IMPLICIT})
STRICT = frozenset({Trait.STRICT})


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
            steps=(judges(Hello(record_version=version), is_accepted),),
        )
        for version in (0x0300, TLS_1_0, TLS_1_1, TLS_1_2)
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
)

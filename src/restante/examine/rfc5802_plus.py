"""RFC 5802, 5929 and 9266: SCRAM bound to the TLS connection it runs over.

Each case that spoils something first logs in, by the first type of binding that server and suite
have in common, so that a refusal means what it is taken for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from restante.examine.bindings import END_POINT, EXPORTER, UNIQUE, Kind, unique_of
from restante.examine.bound_login import (
    BOUND,
    UNHEARD_OF,
    begun,
    kind_in_common,
    logs_in_by,
    makes_sure_of_account,
    needs_announced,
    ordinary_tls,
    played,
    refused,
)
from restante.examine.case import Case, Level, Start, Trait
from restante.examine.dialogue import ERR, Ask, Given, Logic, holds
from restante.examine.fixtures import M2
from restante.examine.outcome import NotApplicable, NotTried, Unmet
from restante.examine.proofs import Scram
from restante.examine.scram import PLUS, Binding, Exchange
from restante.examine.stage import Stage

TLS = frozenset({Trait.TLS})


def lets_in_by(kind: Kind) -> Callable[[Stage, str], None]:
    """Return a judgement: this type of binding lets the account in, to its maildrop."""

    def judge(stage: Stage, mechanism: str) -> None:
        logs_in_by(stage, mechanism, kind)
        Ask("STAT", r"\+OK 2 \d+( .*)?").perform(stage)

    return judge


def refused_final(change: Callable[[Scram], str]) -> Callable[[Stage, str], None]:
    """Return a judgement: a final message changed like this fails, though its proof is right."""

    def judge(stage: Stage, mechanism: str) -> None:
        stage.target.pace.guess()
        kind = kind_in_common(stage, mechanism)
        exchange = begun(stage, mechanism, kind.on_new_connection(stage))
        refused(stage, exchange.end_with(change(exchange.scram)), "the spoilt final message")

    return judge


def altered(octets: bytes) -> bytes:
    """Return data of a binding with one bit of it changed."""
    return octets[:-1] + bytes([octets[-1] ^ 1])


def other_type(scram: Scram) -> str:
    """Return a final message that names another type of binding than the first one did."""
    other = UNIQUE if scram.header != f"p={UNIQUE.name},," else END_POINT
    return scram.final(header=f"p={other.name},,")


def refuses_unheard_of(stage: Stage, mechanism: str) -> None:
    """Name a type that nobody has defined."""
    plays_wrongly(stage, Exchange.bound(stage, mechanism, UNHEARD_OF))


def refuses_y(stage: Stage, mechanism: str) -> None:
    """Ask for a mechanism with a binding, and say that the server seems to have none."""
    plays_wrongly(stage, Exchange(stage, mechanism, header="y,,"))


def notices_downgrade(stage: Stage, mechanism: str) -> None:
    """Say of a server that announces the binding that it seemed not to."""
    bare = mechanism.removesuffix(PLUS)
    plays_wrongly(stage, Exchange(stage, bare, header="y,,"), mechanism)


def binds_under_its_own_name(stage: Stage, mechanism: str) -> None:
    """Bind a mechanism whose name says that it is not bound."""
    stage.target.pace.guess()
    kind = kind_in_common(stage, mechanism)
    binding = kind.on_new_connection(stage)
    bare = mechanism.removesuffix(PLUS)
    needs_announced(stage, bare)
    refused(stage, played(Exchange.bound(stage, bare, binding)), f"a binding with {bare}")


def plays_wrongly(stage: Stage, exchange: Exchange, announced: str = "") -> None:
    """Play an exchange whose first message has to fail it, now or at the end."""
    stage.target.pace.guess()
    ordinary_tls(stage)
    needs_announced(stage, announced or exchange.mechanism, exchange.mechanism)
    makes_sure_of_account(stage, exchange.mechanism)
    ordinary_tls(stage)
    what = f"{exchange.mechanism} with {exchange.scram.header}"
    refused(stage, played(exchange), what)


def refuses_data_of_another(kind: Kind) -> Callable[[Stage, str], None]:
    """Return a judgement: what binds to another connection does not bind to this one."""

    def judge(stage: Stage, mechanism: str) -> None:
        stage.target.pace.guess()
        try:
            logs_in_by(stage, mechanism, kind)
        except Unmet as failure:
            raise NotTried(f"the case needs a login first: {failure}") from failure
        Given(Ask("QUIT")).perform(stage)
        elsewhere = kind.on_new_connection(stage)
        stage.use("second")
        here = kind.on_new_connection(stage)
        if here == elsewhere:
            raise Unmet("two connections have the same binding")
        reply = played(Exchange.bound(stage, mechanism, elsewhere))
        refused(stage, reply, "the binding of another connection")

    return judge


def binds_once(stage: Stage, mechanism: str) -> None:
    """Log in, and use the same binding for a second exchange."""
    kind = kind_in_common(stage, mechanism)
    binding = kind.on_new_connection(stage)
    exchange = begun(stage, mechanism, binding)
    exchange.prove()
    holds(Exchange.bound(stage, mechanism, binding).first(), ERR, "a second exchange")


def old_binding_of_new_version(stage: Stage, mechanism: str) -> None:
    """Use tls-unique under TLS 1.3, where it is not defined."""
    stage.target.pace.guess()
    ordinary_tls(stage)
    assert stage.wire.tls is not None
    if stage.wire.tls.version != "TLSv1.3":
        raise NotApplicable("the server does not speak TLS 1.3")
    needs_announced(stage, mechanism)
    binding = Binding(UNIQUE.name, unique_of(stage))
    refused(stage, played(Exchange.bound(stage, mechanism, binding)), "tls-unique under TLS 1.3")


Judgement = Callable[[Stage, str], None]
LOOK_AT_MAIL = BY_UNIQUE, BY_END_POINT, BY_EXPORTER = (
    lets_in_by(UNIQUE),
    lets_in_by(END_POINT),
    lets_in_by(EXPORTER),
)
CASES_OF_EACH: tuple[tuple[str, str, str, str, Level, Judgement], ...] = (
    (
        *("5929-S-01", "", "RFC 5802 §6.1", "logs in by tls-unique under TLS 1.2", Level.MUST),
        BY_UNIQUE,
    ),
    (
        *("5929-S-01", "elsewhere", "RFC 5929 §3.1", "refuses tls-unique of another connection"),
        *(Level.MUST, refuses_data_of_another(UNIQUE)),
    ),
    (
        *("5929-S-01", "tls-1.3", "RFC 9266 §3", "does not take tls-unique under TLS 1.3"),
        *(Level.INFERRED, old_binding_of_new_version),
    ),
    (
        *("5929-S-02", "", "RFC 5929 §4.1", "logs in by tls-server-end-point", Level.MUST),
        BY_END_POINT,
    ),
    (
        *("9266-S-01", "", "RFC 9266 §2, §3", "logs in by tls-exporter under TLS 1.3", Level.MUST),
        BY_EXPORTER,
    ),
    (
        *("9266-S-01", "elsewhere", "RFC 9266 §2", "refuses tls-exporter of another connection"),
        *(Level.MUST, refuses_data_of_another(EXPORTER)),
    ),
    (
        *("9266-S-03", "", "RFC 9266 §4.1", "takes a binding for one login alone", Level.MUST),
        binds_once,
    ),
    (
        *("5802-S-08", "altered", "RFC 5802 §6", "refuses altered data of a binding", Level.MUST),
        refused_final(lambda scram: scram.final(bound=altered(scram.bound))),
    ),
    (
        *("5802-S-08", "missing", "RFC 5802 §6", "refuses a binding without data", Level.MUST),
        refused_final(lambda scram: scram.final(bound=b"")),
    ),
    (
        *("5802-S-08", "renamed", "RFC 5802 §6", "refuses another type than was begun with"),
        *(Level.MUST, refused_final(other_type)),
    ),
    (
        *("5802-S-09", "", "RFC 5802 §6", "is announced, and the flag y without it refused"),
        *(Level.MUST, notices_downgrade),
    ),
    (
        *("5802-S-10", "unheard-of", "RFC 5802 §6", "refuses a type of binding nobody knows"),
        *(Level.MUST, refuses_unheard_of),
    ),
    (*("5802-S-10", "y", "RFC 5802 §6", "refuses the flag y", Level.MUST, refuses_y),),
    (
        *("5802-S-10", "bare", "RFC 5802 §6", "does not bind under the name without -PLUS"),
        *(Level.INFERRED, binds_under_its_own_name),
    ),
)
ALSO = {"9266-S-01": ("9266-S-02",), "5929-S-01/tls-1.3": ("9266-S-02",)}


def _cases() -> Iterator[Case]:
    for id_, variant, source, what, level, judgement in CASES_OF_EACH:
        for mechanism in BOUND:
            yield Case(
                id=id_,
                title=f"{mechanism} {what}",
                source=source,
                level=level,
                variant="-".join(filter(None, (mechanism.lower(), variant))),
                also=ALSO.get(f"{id_}/{variant}" if variant else id_, ()),
                traits=TLS,
                start=Start.NOWHERE,
                mail=M2 if judgement in LOOK_AT_MAIL else None,
                exact=False,
                steps=(_played(judgement, mechanism),),
            )


def _played(judgement: Judgement, mechanism: str) -> Logic:
    return Logic(lambda stage: judgement(stage, mechanism))


CASES = tuple(_cases())

"""Logins that are bound to their TLS connection, and what it means that one is refused."""

from __future__ import annotations

from restante.examine.bindings import KINDS, Kind
from restante.examine.dialogue import ERR, OK, Ask, Given, holds, still_refused
from restante.examine.handshakes import greeted_under
from restante.examine.outcome import Broken, NotApplicable, NotTried, Outcome, Unmet
from restante.examine.replies import Status
from restante.examine.scram import HASHES, PLUS, Binding, Exchange, challenge_in, mechanisms
from restante.examine.stage import Stage

BOUND = tuple(name + PLUS for name in HASHES)
NO_SUCH_TYPE = "e=unsupported-channel-binding-type"
UNHEARD_OF = Binding("unheard-of", b"\0" * 32)


class Declined(Exception):
    """A refusal of the first message."""


def ordinary_tls(stage: Stage) -> None:
    """Open a connection and go under TLS as anybody would."""
    greeted_under(stage, stage.target.trust.new_context())


def needs_announced(stage: Stage, *wanted: str) -> None:
    """Raise NotApplicable where one of these is not announced on the current connection."""
    announced = mechanisms(stage)
    for name in wanted:
        if name not in announced:
            raise NotApplicable(f"here the server does not announce {name}")


def begun(stage: Stage, mechanism: str, binding: Binding) -> Exchange:
    """Begin on the current connection, raising Declined where that is refused already."""
    needs_announced(stage, mechanism)
    stage.target.pace.before_login()
    exchange = Exchange.bound(stage, mechanism, binding)
    reply = exchange.first()
    if not reply.raw.startswith(b"+ "):
        raise Declined(repr(reply.line[:80]))
    exchange.scram.take(challenge_in(reply))
    return exchange


def logs_in_by(stage: Stage, mechanism: str, kind: Kind) -> None:
    """Log in, or raise what a refusal amounts to."""
    try:
        exchange = begun(stage, mechanism, kind.on_new_connection(stage))
    except Declined as refusal:
        if not kind.mandatory:
            raise NotApplicable(f"the server does not take {kind.name}: {refusal}") from refusal
        makes_sure_of_account(stage, mechanism)
        text = f"{mechanism} is announced and {kind.name} refused, {refusal}: {kind.mandatory}"
        raise Unmet(text) from refusal
    final = exchange.scram.final()
    reply = exchange.finish(final)
    proven = reply.raw.startswith(b"+ ") and challenge_in(reply).startswith("v=")
    if not proven and not reply.positive:
        raise what_refusal_means(stage, mechanism, kind, reply)
    if not proven or challenge_in(reply) != exchange.scram.verifier(final):
        raise Unmet("the server's proof is wrong or left out: it need not know the password")
    Ask("", OK).perform(stage)


def what_refusal_means(stage: Stage, mechanism: str, kind: Kind, reply: Status) -> Outcome:
    """Return what it amounts to that the right proof is refused."""
    told = challenge_in(reply) if reply.raw.startswith(b"+ ") else ascii(reply.line[:80])
    if not kind.mandatory:
        if told.startswith(NO_SUCH_TYPE):
            return NotApplicable(f"the server does not take {kind.name}")
        if takes_any_type_at_first(stage, mechanism, kind):
            return NotTried(
                f"{kind.name} is refused, {told}, and whether the type or its data cannot be told"
            )
    makes_sure_of_account(stage, mechanism)
    return Unmet(f"the right proof, bound by {kind.name}, is refused: {told}")


def takes_any_type_at_first(stage: Stage, mechanism: str, kind: Kind) -> bool:
    """Tell whether a server goes on for a while whatever type of binding is named."""
    kind.on_new_connection(stage)
    try:
        begun(stage, mechanism, UNHEARD_OF)
    except Declined:
        return False
    return True


def makes_sure_of_account(stage: Stage, mechanism: str) -> None:
    """Log in without a binding, or raise NotTried: an account need not have every mechanism."""
    bare = mechanism.removesuffix(PLUS)
    ordinary_tls(stage)
    try:
        needs_announced(stage, bare)
        Exchange(stage, bare).run()
    except Outcome as failure:
        raise NotTried(f"without a binding the account does not get in either: {failure}") from None
    Given(Ask("QUIT")).perform(stage)


def kind_in_common(stage: Stage, mechanism: str) -> Kind:
    """Return a type of binding that lets the account in."""
    unknown: Outcome = NotTried("the server takes no type of binding that is known to the suite")
    for kind in KINDS:
        try:
            logs_in_by(stage, mechanism, kind)
        except NotApplicable as absence:
            unknown = absence
        except (NotTried, Unmet, Broken) as failure:
            unknown = NotTried(f"the case needs a login first: {failure}")
        else:
            Given(Ask("QUIT")).perform(stage)
            return kind
    raise unknown


def played(exchange: Exchange) -> Status:
    """Return what an exchange ends with, or the proof of the server."""
    reply = exchange.first()
    if reply.raw.startswith(b"+ "):
        exchange.scram.take(challenge_in(reply))
        reply = exchange.end_with(exchange.scram.final())
    return reply


def refused(stage: Stage, reply: Status, what: str) -> None:
    """Raise unless the exchange has failed and nobody is let in."""
    if reply.raw.startswith(b"+ ") and challenge_in(reply).startswith("v="):
        reply = stage.ask("")
    holds(reply, ERR, what)
    still_refused("STAT").perform(stage)

"""RFC 5802 and 7677: SCRAM-SHA-1 and SCRAM-SHA-256, without channel binding.

Each case that spoils something first logs in without spoiling it, so that a refusal means what it
is taken for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import ERR, OK, Ask, Logic, holds
from restante.examine.fixtures import M2
from restante.examine.outcome import Unmet
from restante.examine.proofs import Scram
from restante.examine.scram import HASHES, PLUS, Exchange, can_log_in, challenge_in, mechanisms
from restante.examine.stage import Stage
from restante.examine.words import UNKNOWN_USER, WRONG_PASSWORD

SOURCE = "RFC 5802 §5.1"
FEWEST_ROUNDS = 4096


def refused_first(change: Callable[[Scram], str]) -> Callable[[Stage, str], None]:
    """Return a judgement: a first message changed like this fails, now or at the end."""

    def judge(stage: Stage, mechanism: str) -> None:
        stage.target.pace.guess()
        can_log_in(stage, mechanism)
        exchange = Exchange(stage, mechanism)
        message = change(exchange.scram)
        reply = exchange.first(message)
        if reply.raw.startswith(b"+ "):
            exchange.scram.take(challenge_in(reply))
            reply = exchange.end_with(exchange.scram.final())
        holds(reply, ERR, f"the first message {message[:60]!a}")
        Ask("STAT", ERR).perform(stage)

    return judge


def refused_final(change: Callable[[Scram], str]) -> Callable[[Stage, str], None]:
    """Return a judgement: a final message changed like this fails."""

    def judge(stage: Stage, mechanism: str) -> None:
        stage.target.pace.guess()
        can_log_in(stage, mechanism)
        exchange = Exchange(stage, mechanism)
        exchange.begin()
        reply = exchange.end_with(change(exchange.scram))
        holds(reply, ERR, "the spoilt final message")
        Ask("STAT", ERR).perform(stage)

    return judge


def logs_in(stage: Stage, mechanism: str) -> None:
    """Log in and look at the maildrop."""
    Exchange(stage, mechanism).run()
    Ask("STAT", r"\+OK 2 \d+( .*)?").perform(stage)


def logs_in_without_initial_response(stage: Stage, mechanism: str) -> None:
    """Begin with the name of the mechanism alone, as RFC 1734 has it."""
    can_log_in(stage, mechanism)
    holds(stage.ask(f"AUTH {mechanism}"), r"\+ ", "AUTH alone")
    exchange = Exchange(stage, mechanism)
    exchange.scram.take(challenge_in(stage.ask_sasl(exchange.scram.first.encode(), b"")))
    holds(exchange.finish(exchange.scram.final()), r"\+ .+", "the final message")
    Ask("", OK).perform(stage)


def ignores_extensions(stage: Stage, mechanism: str) -> None:
    """Send an attribute that nobody has defined."""
    can_log_in(stage, mechanism)
    exchange = Exchange(stage, mechanism, extension=",x=unheard-of")
    exchange.begin()
    holds(exchange.finish(exchange.scram.final()), r"\+ .+", "an optional attribute more")
    Ask("", OK).perform(stage)


def nonces_are_new(stage: Stage, mechanism: str) -> None:
    """Send the same nonce twice and compare what the server adds."""
    seen = set()
    for _ in range(2):
        exchange = Exchange(stage, mechanism, nonce="always-the-same-nonce")
        exchange.begin()
        full = exchange.scram.full_nonce
        if not full.startswith(exchange.scram.nonce) or full == exchange.scram.nonce:
            raise Unmet(f"to the client's nonce the server adds nothing: {full!a}")
        seen.add(full)
        stage.begin(Start.GREETED)
    if len(seen) == 1:
        raise Unmet(f"twice the server adds the same: {seen}")


def rounds_are_enough(stage: Stage, mechanism: str) -> None:
    """Look at the iteration count."""
    exchange = Exchange(stage, mechanism)
    exchange.begin()
    if exchange.scram.rounds < FEWEST_ROUNDS:
        raise Unmet(f"{exchange.scram.rounds} rounds are asked for")


def takes_flag_y(stage: Stage, mechanism: str) -> None:
    """Say that the server seems to have no channel binding, which is so or is a downgrade."""
    can_log_in(stage, mechanism)
    announced = mechanisms(stage)
    exchange = Exchange(stage, mechanism, header="y,,")
    reply = exchange.first()
    if reply.raw.startswith(b"+ "):
        exchange.scram.take(challenge_in(reply))
        reply = exchange.finish(exchange.scram.final())
    pattern = ERR if mechanism + PLUS in announced else r"\+ .+"
    holds(reply, pattern, "the flag y")


def name_is_prepared(stage: Stage, mechanism: str) -> None:
    """Log in with a name that is the account's once it is prepared."""
    can_log_in(stage, mechanism)
    assert stage.account is not None
    name = stage.account.name[:1] + "\u00ad" + stage.account.name[1:]
    exchange = Exchange(stage, mechanism, name=name)
    exchange.begin()
    holds(exchange.finish(exchange.scram.final()), r"\+ .+", "a name with U+00AD in it")
    Ask("", OK).perform(stage)


def unknown_names_have_their_salt(stage: Stage, mechanism: str) -> None:
    """Ask twice for a name that nobody has, and compare what is told of it."""
    stage.target.pace.guess()
    told = []
    for _ in range(2):
        exchange = Exchange(stage, mechanism, name=UNKNOWN_USER)
        exchange.begin()
        told.append((exchange.scram.salt, exchange.scram.rounds))
        stage.begin(Start.GREETED)
    if told[0] != told[1]:
        raise Unmet("a name that nobody has gets another salt each time")


def refusals_read_alike(stage: Stage, mechanism: str) -> None:
    """Compare the refusals of an unknown name and of a wrong password, to the last word."""
    stage.target.pace.guess()
    seen = []
    for name in (UNKNOWN_USER, None):
        changes = {"password": WRONG_PASSWORD} | ({"name": name} if name else {})
        exchange = Exchange(stage, mechanism, **changes)
        reply = exchange.first()
        words = [reply.raw[:2].decode()]
        if reply.raw.startswith(b"+ "):
            exchange.scram.take(challenge_in(reply))
            words.append(exchange.finish(exchange.scram.final()).line)
        seen.append(words)
        stage.begin(Start.GREETED)
    if seen[0] != seen[1]:
        raise Unmet(f"unknown user: {seen[0]}, wrong password: {seen[1]}")


def proof_wants_an_empty_answer(stage: Stage, mechanism: str) -> None:
    """Answer the server's proof with something."""
    can_log_in(stage, mechanism)
    exchange = Exchange(stage, mechanism)
    exchange.begin()
    holds(exchange.finish(exchange.scram.final()), r"\+ .+", "the final message")
    Ask("AGFs", ERR).perform(stage)
    Ask("STAT", ERR).perform(stage)


def nobody_elses_maildrop(stage: Stage, mechanism: str) -> None:
    """Prove one identity and ask to act as another."""
    stage.target.pace.guess()
    can_log_in(stage, mechanism)
    exchange = Exchange(stage, mechanism, header=stage.fill(b"n,a={second_user},").decode())
    reply = exchange.first()
    if reply.raw.startswith(b"+ "):
        exchange.scram.take(challenge_in(reply))
        reply = exchange.finish(exchange.scram.final())
        if reply.raw.startswith(b"+ "):
            reply = stage.ask("")
    holds(reply, ERR, "an authorization identity of somebody else")


Judgement = Callable[[Stage, str], None]
CASES_OF_EACH: tuple[tuple[str, str, str, Level, Judgement, tuple[str, ...]], ...] = (
    (
        *("5802-S-01", "", "logs in, and the server proves itself", Level.MUST, logs_in),
        ("5034-S-20", "5802-S-16"),
    ),
    (
        *("1734-S-01", "", "logs in without an initial response", Level.MUST),
        *(logs_in_without_initial_response, ("5034-S-08",)),
    ),
    (
        *("5802-S-02", "", "refuses an unknown flag", Level.MUST),
        *(refused_first(lambda scram: "x,," + scram.bare), ()),
    ),
    (
        *("5802-S-03", "", "refuses a stray '=' in a name", Level.MUST),
        *(refused_first(lambda scram: f"n,,n=a=b,r={scram.nonce}"), ()),
    ),
    (
        *("5802-S-04", "mandatory", "refuses a mandatory extension", Level.MUST),
        *(refused_first(lambda scram: "n,,m=unheard-of," + scram.bare), ()),
    ),
    (
        *("5802-S-04", "optional", "ignores an optional extension", Level.MUST),
        *(ignores_extensions, ()),
    ),
    (
        *("5802-S-05", "", "refuses attributes out of their order", Level.MUST),
        *(refused_first(lambda scram: f"n,,r={scram.nonce},n={scram.name}"), ()),
    ),
    (
        *("5802-S-06", "new", "adds a nonce that is new each time", Level.MUST),
        *(nonces_are_new, ()),
    ),
    (
        *("5802-S-06", "altered", "refuses a nonce that is not the one agreed on", Level.MUST),
        *(refused_final(lambda scram: scram.final(nonce=scram.full_nonce + "x")), ()),
    ),
    (
        *("5802-S-06", "cut", "refuses the client's part of the nonce alone", Level.MUST),
        *(refused_final(lambda scram: scram.final(nonce=scram.nonce)), ()),
    ),
    (*("5802-S-07", "", "asks for enough rounds", Level.SHOULD, rounds_are_enough, ()),),
    (
        *("5802-S-08", "", "compares the channel-binding field", Level.MUST),
        *(refused_final(lambda scram: scram.final(header="y,,")), ()),
    ),
    (
        *("5802-S-09", "", "takes the flag y where no binding is offered", Level.MUST),
        *(takes_flag_y, ()),
    ),
    (
        *("5802-S-10", "", "refuses a channel binding it does not know", Level.MUST),
        *(refused_first(lambda scram: "p=unheard-of,," + scram.bare), ()),
    ),
    (*("5802-S-13", "", "prepares names for the look-up", Level.MUST, name_is_prepared, ()),),
    (
        *("5802-S-14", "", "tells of unknown names what stays the same", Level.INFERRED),
        *(unknown_names_have_their_salt, ()),
    ),
    (
        *("5802-S-15", "", "refuses a wrong proof", Level.MUST),
        *(refused_final(lambda scram: scram.final(spoilt=True)), ("5034-S-17",)),
    ),
    (
        *("5802-S-16", "not-empty", "wants an empty answer to its proof", Level.INFERRED),
        *(proof_wants_an_empty_answer, ()),
    ),
    (
        *("4422-S-02", "", "refuses unknown names and wrong passwords alike", Level.INFERRED),
        *(refusals_read_alike, ()),
    ),
    (
        *("5802-S-12", "", "lets nobody act for somebody else", Level.MUST),
        *(nobody_elses_maildrop, ("4422-S-03",)),
    ),
)
SECTIONS = {
    "1734-S-01": "RFC 5034 §4",
    "4422-S-02": "RFC 4422 §3.6",
    "5802-S-01": "RFC 5802 §5",
    "5802-S-02": "RFC 5802 §5",
    "5802-S-08": "RFC 5802 §6",
    "5802-S-09": "RFC 5802 §6",
    "5802-S-10": "RFC 5802 §6",
    "5802-S-14": "RFC 5802 §9",
    "5802-S-16": "RFC 5034 §4",
}


def _cases() -> Iterator[Case]:
    for id_, variant, what, level, judgement, also in CASES_OF_EACH:
        for mechanism in HASHES:
            yield Case(
                id=id_,
                title=f"{mechanism} {what}",
                source=SECTIONS.get(id_, SOURCE),
                level=level,
                variant="-".join(filter(None, (mechanism.lower(), variant))),
                also=also,
                start=Start.GREETED,
                capabilities=(f"SASL {mechanism}",),
                mail=M2,
                exact=False,
                second_account=judgement is nobody_elses_maildrop,
                steps=(_played(judgement, mechanism),),
            )


def _played(judgement: Judgement, mechanism: str) -> Logic:
    return Logic(lambda stage: judgement(stage, mechanism))


CASES = tuple(_cases())

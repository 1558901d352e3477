"""RFC 4616 and 4422: the message of PLAIN, and whom it lets in."""

from __future__ import annotations

import time

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import ERR, OK, Ask, Logic, holds
from restante.examine.fixtures import M2
from restante.examine.outcome import Unmet
from restante.examine.stage import Stage
from restante.examine.timing import times_alike

SOURCE = "RFC 4616 §2"
PLAIN = ("SASL PLAIN",)


def says(message: bytes, pattern: str) -> Logic:
    """Return a step that sends a PLAIN message and compares the reply."""

    def attempt(stage: Stage) -> None:
        if pattern == ERR:
            stage.target.pace.guess()
        holds(stage.ask_sasl(message), pattern, f"the message {message!a}")

    return Logic(attempt)


def soft_hyphen_in_name(stage: Stage) -> None:
    """Log in with a name that only differs from the account's before it is prepared."""
    assert stage.account is not None
    name = stage.account.name[:1] + "\u00ad" + stage.account.name[1:]
    reply = stage.ask_sasl(b"\0" + name.encode() + b"\0{password}")
    if not reply.positive:
        raise Unmet(f"a name with U+00AD in it is answered {reply.line!a}")


def refuse_alike(stage: Stage) -> None:
    """Compare the refusals of an unknown name and of a wrong password."""
    unknown = stage.ask("AUTH PLAIN {unknown_plain}").line
    stage.begin(Start.GREETED)
    wrong = stage.ask("AUTH PLAIN {wrong_plain}").line
    if unknown != wrong:
        raise Unmet(f"unknown user: {unknown!a}, wrong password: {wrong!a}")


def refusal_takes(stage: Stage, known: bool) -> float:
    """Return the seconds that AUTH with a wrong password takes, on a connection of its own."""
    stage.begin(Start.GREETED)
    began = time.perf_counter()
    Ask("AUTH PLAIN {wrong_plain}" if known else "AUTH PLAIN {unknown_plain}", ERR).perform(stage)
    return time.perf_counter() - began


def plain_case(
    id_: str,
    title: str,
    level: Level,
    *steps: Logic | Ask,
    variant: str = "",
    source: str = SOURCE,
    second_account: bool = False,
    password: str | None = None,
) -> Case:
    """Return a case that begins behind the greeting of a server with PLAIN."""
    return Case(
        id=id_,
        title=title,
        source=source,
        level=level,
        variant=variant,
        start=Start.GREETED,
        capabilities=PLAIN,
        mail=M2,
        exact=False,
        second_account=second_account,
        password=password,
        steps=steps,
    )


MALFORMED = {
    "one-nul": b"{user}\0{password}",
    "no-nul": b"{user}{password}",
    "three-nuls": b"\0{user}\0{password}\0",
    "no-name": b"\0\0{password}",
    "no-password": b"\0{user}\0",
    "nothing": b"\0\0",
    "bad-utf8-name": b"\0\xff{user}\0{password}",
    "bad-utf8-password": b"\0{user}\0{password}\xc0\xaf",
    "surrogate": b"\0{user}\0{password}\xed\xa0\x80",
}

CASES = (
    *(
        plain_case(
            "4616-S-01",
            f"A malformed message lets nobody in: {variant.replace('-', ' ')}",
            Level.MUST,
            says(message, ERR),
            Ask("STAT", ERR),
            Ask("AUTH PLAIN {plain}"),
            variant=variant,
        )
        for variant, message in MALFORMED.items()
    ),
    plain_case(
        "4616-S-03",
        "Name and password are prepared before they are compared",
        Level.SHOULD,
        says("\0{user}\0I\u00adX".encode(), OK),
        variant="password",
        password="IX",  # noqa: S106 - made up for the case
    ),
    plain_case(
        "4616-S-03",
        "What cannot be prepared is refused",
        Level.MUST,
        says(b"\0{user}\0{password}\x07", ERR),
        says(b"\0{user}\x07\0{password}", ERR),
        variant="prohibited",
    ),
    plain_case(
        "4616-S-04",
        "The identity comes from the prepared name",
        Level.SHOULD,
        Logic(soft_hyphen_in_name),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
    ),
    plain_case(
        "4422-S-02",
        "AUTH refuses an unknown name and a wrong password in the same words",
        Level.INFERRED,
        Logic(refuse_alike),
        source="RFC 4422 §3.6",
    ),
    plain_case(
        "4422-S-02",
        "AUTH refuses an unknown name and a wrong password in the same time",
        Level.INFERRED,
        Logic(times_alike(refusal_takes)),
        variant="time",
        source="RFC 4422 §3.6",
    ),
    plain_case(
        "4422-S-03",
        "Nobody may act for somebody else without the right to",
        Level.MUST,
        says(b"{second_user}\0{user}\0{password}", ERR),
        Ask("STAT", ERR),
        source="RFC 4422 §3.6",
        second_account=True,
    ),
    plain_case(
        "4422-S-04",
        "An empty authorization identity is none, and one's own is allowed",
        Level.MUST,
        says(b"{user}\0{user}\0{password}", OK),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
        source="RFC 4422 §3.4.1",
    ),
    plain_case(
        "5034-S-21",
        "An authorization identity that cannot be prepared is refused",
        Level.SHOULD,
        says(b"{user}\x07\0{user}\0{password}", ERR),
        Ask("STAT", ERR),
        source="RFC 5034 §4",
    ),
)

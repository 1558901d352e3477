"""RFC 1939 §4 and §7: the Authorization state with USER and PASS.

The maildrop and its lock, which a login opens, are in `rfc1939_opening.py`.
"""

from __future__ import annotations

import time

from restante.examine.case import Case, Level, Start, Step, Trait, Verdict
from restante.examine.dialogue import (
    EITHER,
    ERR,
    OK,
    Ask,
    AskLines,
    Given,
    Hear,
    HearEnd,
    Logic,
    LogInAgain,
    Open,
    Say,
    holds,
    refuses,
    still_refused,
)
from restante.examine.fixtures import M2
from restante.examine.outcome import Differs, Ended, NotApplicable, Unmet
from restante.examine.proofs import timestamp_in
from restante.examine.stage import Stage
from restante.examine.timing import times_alike

LOGIN = "RFC 1939 §7 (USER, PASS)"


def greeting_has_no_timestamp(stage: Stage) -> None:
    """Look for what a client could take for a timestamp where there is no APOP."""
    greeting = stage.wire.status().line
    if timestamp_in(greeting):
        raise NotApplicable("the server offers APOP")
    if "<" in greeting:
        raise Unmet(f"the greeting {greeting!a} has a '<' and no timestamp")
    Ask("APOP {unknown} " + "0" * 32, ERR).perform(stage)


def names_read_alike(stage: Stage) -> None:
    """Compare what USER says of a name nobody has and of one somebody has."""
    unknown = stage.ask("USER {unknown}").line
    stage.begin(Start.GREETED)
    known = stage.ask("USER {user}").line
    if unknown != known:
        raise Unmet(f"an unknown name: {unknown!a}, a known one: {known!a}")


def another_login_works(stage: Stage) -> None:
    """Log in on the same connection, unless the server has closed it, as RFC 1939 §4 allows."""
    try:
        holds(stage.ask("USER {user}"), OK, "USER")
    except Ended as close:
        raise Differs("the server closes the connection when it has refused a login") from close
    holds(stage.ask("PASS {password}"), OK, "PASS")


def failures_read_alike(stage: Stage) -> None:
    """Compare the refusals of a name nobody has and of a wrong password."""
    refusals = []
    for name in ("{unknown}", "{user}"):
        stage.begin(Start.GREETED)
        user = stage.ask(f"USER {name}")
        refusals.append((user.line, stage.ask("PASS {wrong}").line))
    if refusals[0] != refusals[1]:
        raise Unmet(f"unknown user: {refusals[0]!a}, wrong password: {refusals[1]!a}")


def refusal_takes(stage: Stage, known: bool) -> float:
    """Return the seconds that PASS with a wrong password takes, on a connection of its own."""
    stage.begin(Start.GREETED)
    stage.ask("USER {user}" if known else "USER {unknown}")
    began = time.perf_counter()
    Ask("PASS {wrong}", ERR).perform(stage)
    return time.perf_counter() - began


def has_capa(stage: Stage) -> None:
    """Raise NotApplicable where there is no CAPA to come between."""
    if stage.capabilities() is None:
        raise NotApplicable("the server has no CAPA")


def passwords(password: str, *wrong: str) -> tuple[Step, ...]:
    """Return the steps in which the wrong ones are refused and the right one opens."""
    tries: list[Step] = []
    for attempt in wrong:
        tries += [Ask("USER {user}"), Ask(f"PASS {attempt}", ERR), Open("first")]
    return (*tries, Ask("USER {user}"), Ask(f"PASS {password}"))


CASES = (
    Case(
        id="1939-S-36",
        title="QUIT before the login is answered, closes and updates nothing",
        source="RFC 1939 §4",
        level=Level.MUST,
        also=("TG-U-9",),
        start=Start.GREETED,
        mail=M2,
        exact=False,
        steps=(Ask("QUIT"), HearEnd(), LogInAgain(), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
    Case(
        id="1939-S-37",
        title="USER without a name is refused",
        source=LOGIN,
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("USER",),
        steps=refuses("USER", "USER "),
    ),
    Case(
        id="1939-S-37",
        title="A name has no spaces in or around it",
        source=LOGIN,
        level=Level.INFERRED,
        variant="spaces",
        start=Start.GREETED,
        capabilities=("USER",),
        steps=refuses("USER {user} x", "USER  {user}", "USER {user} "),
    ),
    Case(
        id="1939-S-38",
        title="After a failed login USER begins another one",
        source=LOGIN,
        level=Level.MUST,
        also=("1939-S-50", "TG-A2-1", "TG-A2-2", "TG-A2-5"),
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(
            Ask("USER {unknown}", EITHER),
            Ask("PASS {wrong}", ERR),
            Logic(another_login_works),
        ),
    ),
    Case(
        id="1939-S-39",
        title="A second USER takes the place of the first",
        source=LOGIN,
        level=Level.INFERRED,
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(
            Given(Ask("USER {unknown}")),
            Ask("USER {user}", OK, tolerated=ERR),
            Ask("PASS {password}"),
        ),
    ),
    Case(
        id="1939-S-40",
        title="USER does not tell whether a mailbox exists",
        source="RFC 1939 §7 (USER), §13",
        level=Level.MAY,
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(Logic(names_read_alike),),
    ),
    Case(
        id="1939-S-66",
        title="An unknown name and a wrong password are refused in the same words",
        source="RFC 1939 §13",
        level=Level.INFERRED,
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(Logic(failures_read_alike),),
    ),
    Case(
        id="1939-S-66",
        title="An unknown name and a wrong password are refused in the same time",
        source="RFC 1939 §13",
        level=Level.INFERRED,
        variant="time",
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(Logic(times_alike(refusal_takes)),),
    ),
    Case(
        id="1939-S-42",
        title="PASS without USER is refused",
        source=LOGIN,
        level=Level.MUST,
        variant="first",
        also=("TG-A2-3",),
        start=Start.GREETED,
        steps=(Ask("PASS {password}", ERR), Ask("STAT", ERR)),
    ),
    Case(
        id="1939-S-42",
        title="A command between USER and PASS makes the server forget the name",
        source=LOGIN,
        level=Level.MUST,
        variant="not-immediately",
        start=Start.GREETED,
        capabilities=("USER",),
        unmet=Verdict.DIFFERS,
        steps=(Ask("USER {user}"), Ask("NOOP", ERR), Ask("PASS {password}", ERR)),
    ),
    Case(
        id="1939-S-42",
        title="CAPA between USER and PASS does no harm",
        source=LOGIN,
        level=Level.INFERRED,
        variant="capa-between",
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(
            Logic(has_capa),
            Ask("USER {user}"),
            AskLines("CAPA"),
            Ask("PASS {password}", OK),
        ),
    ),
    Case(
        id="1939-S-43",
        title="After a refused PASS the name is forgotten",
        source=LOGIN,
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(Ask("USER {user}"), Ask("PASS {wrong}", ERR), still_refused("PASS {password}")),
    ),
    Case(
        id="1939-S-44",
        title="Spaces inside a password belong to it",
        source=LOGIN,
        level=Level.MAY,
        variant="inside",
        start=Start.GREETED,
        capabilities=("USER",),
        password="pass with space",  # noqa: S106 - made up for the case
        steps=passwords("{password}", "pass", "pass  with space"),
    ),
    Case(
        id="1939-S-44",
        title="Spaces around a password belong to it",
        source=LOGIN,
        level=Level.MAY,
        variant="around",
        start=Start.GREETED,
        capabilities=("USER",),
        password="  lead and trail ",  # noqa: S106 - made up for the case
        steps=passwords("{password}", "lead and trail", "  lead and trail"),
    ),
    Case(
        id="1939-S-44",
        title="A space behind the right password makes it a wrong one",
        source=LOGIN,
        level=Level.MAY,
        variant="trailing",
        start=Start.GREETED,
        capabilities=("USER",),
        steps=passwords("{password}", "{password} ", " {password}"),
    ),
    Case(
        id="1939-S-45",
        title="PASS without a password is refused",
        source=LOGIN,
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(
            Ask("USER {user}"),
            Ask("PASS", ERR),
            still_refused("STAT"),
            Open("second"),
            Ask("USER {user}"),
            Ask("PASS ", ERR),
            still_refused("STAT"),
        ),
    ),
    Case(
        id="1939-S-56",
        title="Without APOP the greeting has nothing like a timestamp",
        source="RFC 1939 §7 (APOP)",
        level=Level.INFERRED,
        start=Start.CONNECTED,
        steps=(Logic(greeting_has_no_timestamp),),
    ),
    Case(
        id="1939-S-09",
        title="A login in segments of one octet is a login",
        source="RFC 1939 §3",
        level=Level.INFERRED,
        variant="login-one-by-one",
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(
            Say(b"USER {user}\r\nPASS {password}\r\nSTAT\r\n", cut=1),
            *(Hear(OK, to=command) for command in ("USER", "PASS", "STAT")),
        ),
    ),
    Case(
        id="1939-S-41",
        title="Where passwords may not be sent in clear, USER already says so",
        source=LOGIN,
        level=Level.MAY,
        traits=frozenset({Trait.STRICT}),
        start=Start.GREETED,
        steps=(Ask("USER {user}", ERR), Ask("PASS {password}", ERR), Ask("STAT", ERR)),
    ),
    Case(
        id="1939-S-46",
        title="A wrong password opens nothing",
        source="RFC 1939 §4",
        level=Level.MUST,
        variant="wrong-password",
        also=("TG-A1-9",),
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(Given(Ask("USER {user}", EITHER)), Ask("PASS {wrong}", ERR), still_refused("STAT")),
    ),
)

"""RFC 2449 §6.5 and §6.7: LOGIN-DELAY and EXPIRE, the policies a site announces."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import OK, Ask, AskLines, Drop, Logic, LogInAgain, Quit
from restante.examine.fixtures import M2
from restante.examine.outcome import NotApplicable, Unmet
from restante.examine.replies import capabilities_of
from restante.examine.stage import Stage

DELAY = "RFC 2449 §6.5"
EXPIRE = "RFC 2449 §6.7"
FORMS = {"LOGIN-DELAY": r"\d+( USER)?", "EXPIRE": r"(\d+|NEVER)( USER)?"}


def value_of(tag: str, parameters: Sequence[str]) -> float:
    """Return the number a policy announces, raising Unmet where it is not well formed."""
    if not re.fullmatch(FORMS[tag], " ".join(parameters).upper()):
        raise Unmet(f"{tag} has the parameters {list(parameters)}")
    return math.inf if parameters[0].upper() == "NEVER" else int(parameters[0])


def both_states(stage: Stage, tag: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return what is announced before and behind a login."""
    before = capabilities_of(stage.ask_lines("CAPA")).get(tag, ())
    stage.log_in()
    after = capabilities_of(stage.ask_lines("CAPA")).get(tag)
    if after is None:
        raise Unmet(f"{tag} is not announced behind the login")
    return before, after


def is_formed(tag: str) -> Logic:
    """Return a look at the parameters before and behind the login."""

    def look(stage: Stage) -> None:
        before, after = both_states(stage, tag)
        value_of(tag, before)
        value_of(tag, after)
        if "USER" in after:
            raise Unmet(f"behind the login {tag} still has USER: {list(after)}")

    return Logic(look)


def is_safe_before(tag: str, *, largest: bool) -> Logic:
    """Return a comparison: what holds for everybody is not kinder than what holds for one."""

    def compare(stage: Stage) -> None:
        before, after = both_states(stage, tag)
        everybody, one = value_of(tag, before), value_of(tag, after)
        if everybody < one if largest else everybody > one:
            raise Unmet(f"{tag} is {everybody:g} before the login and {one:g} behind it")

    return Logic(compare)


def says_that_it_varies(tag: str) -> Logic:
    """Return a look for USER where the value is another behind the login."""

    def look(stage: Stage) -> None:
        before, after = both_states(stage, tag)
        if value_of(tag, before) != value_of(tag, after) and "USER" not in before:
            raise Unmet(f"{tag} is {list(before)} before and {list(after)} behind the login")

    return Logic(look)


def delay_is_enforced(stage: Stage) -> None:
    """Log in, out, and in again at once."""
    stage.log_in()
    tag = "LOGIN-DELAY"
    seconds = value_of(tag, capabilities_of(stage.ask_lines("CAPA")).get(tag, ("0",)))
    Quit().perform(stage)
    if not seconds:
        raise NotApplicable("for this account the delay is none")
    stage.begin(Start.GREETED)
    reply = stage.present()
    if reply.positive or reply.code not in (None, tag):
        raise Unmet(f"{seconds:g} s are announced; at once a login is answered {reply.line!a}")


def needs_expire(value: str) -> Logic:
    """Return a look at the retention that a case is about."""

    def look(stage: Stage) -> None:
        told = capabilities_of(stage.ask_lines("CAPA")).get("EXPIRE", ())
        if not told or told[0].upper() != value:
            raise NotApplicable(f"the server does not announce EXPIRE {value}")

    return Logic(look)


def policy_cases(tag: str, source: str, id_: str, *, largest: bool) -> tuple[Case, ...]:
    """Return what LOGIN-DELAY and EXPIRE have in common."""
    extreme = "largest" if largest else "smallest"
    rows = (
        ("form", f"{tag} has a number, and USER perhaps before the login", Level.MUST),
        ("before", f"Before the login {tag} is the {extreme} value there may be", Level.MUST),
        ("user", f"{tag} says USER where the account's own value differs", Level.SHOULD),
    )
    steps = (is_formed(tag), is_safe_before(tag, largest=largest), says_that_it_varies(tag))
    return tuple(
        Case(
            id=id_,
            title=title,
            source=source,
            level=level,
            variant=variant,
            also=("2449-S-20",) if largest and variant == "form" else (),
            start=Start.GREETED,
            capabilities=(tag,),
            mail=M2,
            exact=False,
            scratch=largest,
            steps=(step,),
        )
        for (variant, title, level), step in zip(rows, steps, strict=True)
    )


CASES = (
    *policy_cases("LOGIN-DELAY", DELAY, "2449-S-22", largest=True),
    Case(
        id="2449-S-21",
        title="A delay between logins that is announced is enforced",
        source=DELAY,
        level=Level.SHOULD,
        also=("2449-S-20",),
        start=Start.GREETED,
        capabilities=("LOGIN-DELAY",),
        mail=M2,
        exact=False,
        scratch=True,
        steps=(Logic(delay_is_enforced),),
    ),
    *policy_cases("EXPIRE", EXPIRE, "2449-S-27", largest=False),
    Case(
        id="2449-S-29",
        title="Where nothing expires, what was read stays",
        source=EXPIRE,
        level=Level.MUST,
        variant="never",
        capabilities=("EXPIRE",),
        mail=M2,
        exact=False,
        scratch=True,
        steps=(
            needs_expire("NEVER"),
            AskLines("RETR 1"),
            Quit(),
            LogInAgain(),
            Ask("STAT", r"\+OK 2 \d+( .*)?"),
        ),
    ),
    Case(
        id="2449-S-28",
        title="Where nothing may be left, a lost session and TOP still remove nothing",
        source=EXPIRE,
        level=Level.MUST,
        capabilities=("EXPIRE", "TOP"),
        mail=M2,
        exact=False,
        scratch=True,
        steps=(
            needs_expire("0"),
            AskLines("RETR 1"),
            Drop(),
            LogInAgain(),
            AskLines("TOP 2 9"),
            Quit(OK),
            LogInAgain(),
            Ask("STAT", r"\+OK 2 \d+( .*)?"),
        ),
    ),
)

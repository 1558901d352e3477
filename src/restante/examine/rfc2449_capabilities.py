"""RFC 2449 §3 to §6.9: CAPA, what it lists, and whether that is the truth."""

from __future__ import annotations

import re

from restante.examine.case import Case, Level, Start, Trait
from restante.examine.dialogue import ERR, OK, Ask, AskLines, Logic, LogIn, Upgrade, refuses
from restante.examine.fixtures import M2
from restante.examine.outcome import NotApplicable, Unmet
from restante.examine.replies import capabilities_of
from restante.examine.stage import Capabilities, Stage

CAPA = "RFC 2449 §5"
TAG = r"[!-\-/-~]+"
REGISTERED = frozenset(
    (
        *("TOP", "USER", "SASL", "RESP-CODES", "LOGIN-DELAY", "PIPELINING", "EXPIRE", "UIDL"),
        *("IMPLEMENTATION", "STLS", "AUTH-RESP-CODE", "UTF8", "LANG"),
    )
)
MAY_CHANGE = frozenset({"LOGIN-DELAY", "EXPIRE", "SASL", "IMPLEMENTATION", "STLS"})


def listed(stage: Stage) -> Capabilities:
    """Return what CAPA lists now."""
    return capabilities_of(stage.ask_lines("CAPA"))


def login_keeps(stage: Stage) -> None:
    """Compare the list before and after a login: nothing but STLS may go."""
    before = listed(stage)
    stage.log_in()
    after = listed(stage)
    gone = set(before) - set(after) - {"STLS"}
    if gone:
        raise Unmet(f"after the login {', '.join(sorted(gone))} is no longer announced")


def login_changes_no_value(stage: Stage) -> None:
    """Compare the parameters of each capability before and after a login."""
    before = listed(stage)
    stage.log_in()
    after = listed(stage)
    for tag in (set(before) & set(after)) - MAY_CHANGE:
        if before[tag] != after[tag]:
            raise Unmet(f"{tag} has {before[tag]} before and {after[tag]} after the login")


def list_is_formed(stage: Stage) -> None:
    """Hold each line to the grammar and the length the RFC gives."""
    for raw in stage.ask_lines("CAPA").raw_lines:
        line = raw.decode("latin-1").removesuffix("\r\n")
        if len(raw) > 512 or not re.fullmatch(rf"{TAG}( [!-~]+)*", line):
            raise Unmet(f"CAPA lists {line[:80]!a}")


def tags_are_registered(stage: Stage) -> None:
    """Look for a tag that is neither registered nor begins with X, before and after login."""
    tags = set(listed(stage))
    stage.log_in()
    tags |= set(listed(stage))
    strange = {tag for tag in tags if tag not in REGISTERED and not tag.startswith("X")}
    if strange:
        raise Unmet(f"CAPA lists {', '.join(sorted(strange))}, which nobody registered")


def no_apop_tag(stage: Stage) -> None:
    """Look for a capability that does not exist."""
    if "APOP" in listed(stage):
        raise Unmet("CAPA lists APOP; the greeting is what announces it")


def optional_commands_are_listed(stage: Stage) -> None:
    """Compare what is listed with what works, for TOP and UIDL."""
    tags = listed(stage)
    for tag, line in (("TOP", "TOP 1 0"), ("UIDL", "UIDL")):
        stage.send(line.encode() + b"\r\n")
        works = stage.wire.status().positive
        if works:
            stage.wire.lines()
        if works != (tag in tags):
            raise Unmet(f"{tag} is {'' if tag in tags else 'not '}listed, yet {works=}")


def user_is_listed_where_it_works(stage: Stage) -> None:
    """Compare the USER capability with the answer to the command."""
    offered = "USER" in listed(stage)
    reply = stage.ask("USER {user}")
    if offered:
        reply = stage.ask("PASS {password}")
    if reply.positive != offered:
        raise Unmet(f"USER is {'' if offered else 'not '}listed; the login ends {reply.line!a}")


def sasl_is_listed_where_it_works(stage: Stage) -> None:
    """Compare the mechanisms listed with what AUTH takes."""
    mechanisms = listed(stage).get("SASL", ())
    if "PLAIN" in mechanisms:
        Ask("AUTH PLAIN", r"\+ ").perform(stage)
        Ask("*", ERR).perform(stage)
    else:
        Ask("AUTH PLAIN", ERR).perform(stage)


def stls_is_listed_until_it_is_done(stage: Stage) -> None:
    """Look for STLS before the handshake, behind it and after the login."""
    if "STLS" not in listed(stage):
        raise Unmet("STLS is not listed in clear")
    Upgrade().perform(stage)
    if "STLS" in listed(stage):
        raise Unmet("STLS is still listed under TLS")
    stage.log_in()
    if "STLS" in listed(stage):
        raise Unmet("STLS is listed after the login")


def retention_is_announced(stage: Stage) -> None:
    """Look for EXPIRE, which a site with and a site without a policy both announce."""
    value = listed(stage).get("EXPIRE")
    if value is None:
        raise Unmet("EXPIRE is not announced, not even as NEVER")
    if not re.fullmatch(r"(NEVER|\d+)( USER)?", " ".join(value).upper()):
        raise Unmet(f"EXPIRE has the parameters {value}")


def implementation_is_one_token(stage: Stage) -> None:
    """Count the parameters of IMPLEMENTATION."""
    value = listed(stage).get("IMPLEMENTATION")
    if value is None:
        raise NotApplicable("the server does not say what it is")
    if len(value) != 1:
        raise Unmet(f"IMPLEMENTATION has the parameters {value}")


CASES = (
    Case(
        id="2449-S-05",
        title="CAPA is answered before and after the login",
        source=CAPA,
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(AskLines("CAPA"), LogIn(), AskLines("CAPA"), Ask("NOOP")),
    ),
    Case(
        id="2449-S-06",
        title="CAPA takes no argument",
        source=CAPA,
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(*refuses("CAPA x"), LogIn(), *refuses("CAPA x", "CAPA TOP"), Ask("NOOP")),
    ),
    Case(
        id="2449-S-07",
        title="Each line of CAPA is a tag and its parameters",
        source=CAPA,
        level=Level.MUST,
        also=("2449-S-08",),
        capabilities=("CAPA",),
        steps=(Logic(list_is_formed),),
    ),
    Case(
        id="2449-S-09",
        title="What is announced before the login is announced after it",
        source=CAPA,
        level=Level.MUST,
        also=("5034-S-03",),
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(Logic(login_keeps),),
    ),
    Case(
        id="2449-S-10",
        title="A login changes no capability's parameters, but for those that may change",
        source=CAPA,
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(Logic(login_changes_no_value),),
    ),
    Case(
        id="2449-S-11",
        title="A capability that adds a command has the command's name",
        source=CAPA,
        level=Level.SHOULD,
        start=Start.TRANSACTION,
        mail=M2,
        exact=False,
        capabilities=("CAPA",),
        steps=(Logic(optional_commands_are_listed),),
    ),
    Case(
        id="2449-S-12",
        title="The list is made when it is asked for: STLS goes when it is done",
        source=CAPA,
        level=Level.INFERRED,
        also=("2595-S-02",),
        traits=frozenset({Trait.STLS}),
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(Logic(stls_is_listed_until_it_is_done),),
    ),
    Case(
        id="2449-S-13",
        title="TOP and UIDL are listed if they work, and only then",
        source="RFC 2449 §6.1, §6.8",
        level=Level.MUST,
        mail=M2,
        exact=False,
        capabilities=("CAPA",),
        steps=(Logic(optional_commands_are_listed),),
    ),
    Case(
        id="2449-S-14",
        title="USER is listed if it works here, and only then",
        source="RFC 2449 §6.2",
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(Logic(user_is_listed_where_it_works),),
    ),
    Case(
        id="2449-S-14",
        title="USER is listed under TLS and not in clear, where passwords need TLS",
        source="RFC 2449 §6.2",
        level=Level.INFERRED,
        variant="strict",
        traits=frozenset({Trait.STRICT}),
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(
            Logic(user_is_listed_where_it_works),
            Upgrade(),
            Logic(user_is_listed_where_it_works),
        ),
    ),
    Case(
        id="2449-S-15",
        title="SASL lists PLAIN if AUTH takes it, and only then",
        source="RFC 2449 §6.3",
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(Logic(sasl_is_listed_where_it_works),),
    ),
    Case(
        id="2449-S-16",
        title="There is no APOP capability",
        source="RFC 2449 §6",
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(Logic(no_apop_tag),),
    ),
    Case(
        id="2449-S-29",
        title="The site's retention is announced, EXPIRE NEVER where there is no limit",
        source="RFC 2449 §6.7",
        level=Level.SHOULD,
        capabilities=("CAPA",),
        steps=(Logic(retention_is_announced),),
    ),
    Case(
        id="2449-S-30",
        title="IMPLEMENTATION is one token",
        source="RFC 2449 §6.9",
        level=Level.MAY,
        capabilities=("CAPA",),
        steps=(Logic(implementation_is_one_token),),
    ),
    Case(
        id="2449-S-31",
        title="A capability is registered or begins with X",
        source="RFC 2449 §7, §9",
        level=Level.MUST,
        also=("IANA-S-01",),
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(Logic(tags_are_registered),),
    ),
    Case(
        id="2449-S-02",
        title="A command of 255 octets is not too long",
        source="RFC 2449 §4",
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("CAPA", "USER"),
        steps=(Ask("USER " + "n" * 248, OK, tolerated=ERR), Ask("QUIT")),
    ),
    Case(
        id="2449-S-01",
        title="What the grammar of commands does not know is refused",
        source="RFC 2449 §3",
        level=Level.MUST,
        mail=M2,
        steps=(
            *refuses("NO OP", "LIST 1 x", "(NOOP)", "NOOP;", "+OK", ".", "*", "UIDL x", "LI ST"),
            Ask("STAT", r"\+OK 2 320( .*)?"),
        ),
    ),
)

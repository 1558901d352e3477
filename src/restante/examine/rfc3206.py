"""RFC 3206: the response codes SYS and AUTH."""

from __future__ import annotations

import re

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import ERR, Ask, Logic
from restante.examine.fixtures import M2
from restante.examine.outcome import NotApplicable, Unmet
from restante.examine.stage import Stage

AUTH = r"-ERR \[AUTH\].*"
PLAIN_ERR = r"-ERR(?! \[AUTH\]).*"


def no_bare_sys(stage: Stage) -> None:
    """Look for SYS without its second level in refusals of many kinds."""
    lines = ("XYZZY", "RETR 99", "DELE 0", "TOP 99 1", "UIDL 99", "STAT x")
    replies = [stage.ask(line) for line in lines]
    stage.begin(Start.GREETED)
    replies += [stage.ask(line) for line in ("STAT", "USER {unknown}", "PASS {wrong}")]
    for reply in replies:
        if re.fullmatch(r"SYS(/(?!TEMP|PERM).*)?", reply.code or ""):
            raise Unmet(f"a refusal is {reply.line[:100]!a}")


def announced_if_sent(stage: Stage) -> None:
    """Provoke [AUTH] and look for AUTH-RESP-CODE in both states."""
    before = "AUTH-RESP-CODE" in (stage.capabilities() or {})
    stage.ask("USER {unknown}")
    if stage.ask("PASS {wrong}").code != "AUTH":
        raise NotApplicable("the server does not send [AUTH]")
    stage.begin(Start.TRANSACTION)
    after = any(line.upper() == "AUTH-RESP-CODE" for line in stage.ask_lines("CAPA").lines)
    if not (before and after):
        raise Unmet(f"[AUTH] is sent; AUTH-RESP-CODE is announced {before=} {after=} the login")


def unknown_name_is_a_matter_of_credentials(stage: Stage) -> None:
    """Refuse an unknown name at PASS with [AUTH], where USER has not refused it."""
    stage.begin(Start.GREETED)
    if stage.ask("USER {unknown}").positive:
        Ask("PASS {wrong}", AUTH).perform(stage)


CASES = (
    Case(
        id="3206-S-02",
        title="SYS always says whether TEMP or PERM",
        source="RFC 3206 §4",
        level=Level.MUST,
        mail=M2,
        exact=False,
        capabilities=("RESP-CODES",),
        steps=(Logic(no_bare_sys),),
    ),
    Case(
        id="3206-S-03",
        title="Wrong credentials are refused with [AUTH]",
        source="RFC 3206 §5",
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("AUTH-RESP-CODE", "USER"),
        steps=(
            Ask("USER {user}"),
            Ask("PASS {wrong}", AUTH),
            Logic(unknown_name_is_a_matter_of_credentials),
        ),
    ),
    Case(
        id="3206-S-04",
        title="AUTH gives [AUTH] for wrong credentials as PASS does",
        source="RFC 3206 §6",
        level=Level.MUST,
        variant="auth",
        start=Start.GREETED,
        capabilities=("AUTH-RESP-CODE", "SASL PLAIN"),
        steps=(Ask("AUTH PLAIN {wrong_plain}", AUTH), Ask("AUTH PLAIN {unknown_plain}", AUTH)),
    ),
    Case(
        id="3206-S-04",
        title="No refusal but that of credentials has [AUTH]",
        source="RFC 3206 §6",
        level=Level.MUST,
        variant="nothing-else",
        start=Start.GREETED,
        capabilities=("AUTH-RESP-CODE",),
        steps=(
            Ask("STAT", PLAIN_ERR),
            Ask("XYZZY", PLAIN_ERR),
            Ask("PASS {password}", PLAIN_ERR),
            Logic(lambda stage: stage.begin(Start.TRANSACTION)),
            Ask("RETR 9999", PLAIN_ERR),
            Ask("USER {user}", PLAIN_ERR),
        ),
    ),
    Case(
        id="3206-S-05",
        title="A server that sends [AUTH] announces AUTH-RESP-CODE",
        source="RFC 3206 §5",
        level=Level.SHOULD,
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(Logic(announced_if_sent),),
    ),
    Case(
        id="3206-S-06",
        title="USER is never refused with [AUTH]",
        source="RFC 3206 §5",
        level=Level.SHOULD,
        also=("2449-S-32",),
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(
            Ask("USER {unknown}", r"(\+OK|-ERR)(?! \[(AUTH|LOGIN-DELAY)\]).*"),
            Ask("QUIT"),
        ),
    ),
    Case(
        id="3206-S-07",
        title="A cancelled or malformed exchange says nothing about credentials",
        source="RFC 3206 §5",
        level=Level.INFERRED,
        start=Start.GREETED,
        capabilities=("AUTH-RESP-CODE", "SASL PLAIN"),
        steps=(
            Ask("AUTH PLAIN", r"\+ "),
            Ask("*", PLAIN_ERR),
            Ask("AUTH PLAIN !!!", PLAIN_ERR),
            Ask("AUTH XYZZY", PLAIN_ERR),
        ),
    ),
    Case(
        id="3206-S-06",
        title="USER without a name is refused without [AUTH]",
        source="RFC 3206 §5",
        level=Level.SHOULD,
        variant="no-name",
        start=Start.GREETED,
        capabilities=("USER",),
        steps=(Ask("USER", r"(\+OK|-ERR)(?! \[AUTH\]).*"), Ask("STAT", ERR)),
    ),
)

"""RFC 2595 §4: STLS, what may come before it, and what must not outlive it."""

from __future__ import annotations

from restante.examine.case import Case, Level, Start, Trait
from restante.examine.dialogue import (
    EITHER,
    ERR,
    Ask,
    AskLines,
    Given,
    Logic,
    LogIn,
    Upgrade,
    refuses,
)
from restante.examine.fixtures import M2
from restante.examine.outcome import Broken, NotTried, Unmet
from restante.examine.replies import capabilities_of
from restante.examine.stage import Stage

SOURCE = "RFC 2595 §4"
STLS = frozenset({Trait.STLS})
STLS_AND_CLEAR = frozenset({Trait.STLS, Trait.CLEAR})
STRICT = frozenset({Trait.STRICT})

SMUGGLED = (
    b"USER {user}\r\n",
    b"USER {user}\r\nPASS {password}\r\n",
    b"CAPA\r\n",
    b"NOOP\r\nNOOP\r\n",
    b"AUTH PLAIN {plain}\r\n",
)
FORMS = tuple((smuggled, cut) for smuggled in SMUGGLED for cut in (0, 6, 5, 7))
"""In one segment; cut behind the CRLF, inside it, and inside the smuggled line."""


def injection(smuggled: bytes, cut: int) -> Logic:
    """Return a try to have octets in clear carried out under TLS."""

    def attempt(stage: Stage) -> None:
        stage.send(b"STLS\r\n" + smuggled, cut=cut)
        try:
            if not stage.wire.status().positive:
                return
            stage.start_tls()
        except (Broken, Unmet):
            return  # refusing and closing are both safe
        _nothing_was_carried_over(stage)

    return Logic(attempt)


def _nothing_was_carried_over(stage: Stage) -> None:
    """Hold the first commands under TLS to the replies of a session just begun."""
    try:
        if (reply := stage.ask("PASS {password}")).positive:
            raise Unmet(f"under TLS PASS follows a USER in clear: {reply.line!a}")
        Ask("STAT", ERR).perform(stage)
        Ask("QUIT").perform(stage)
    except Broken:
        return


def no_falling_back(stage: Stage) -> None:
    """Answer +OK to STLS with a command instead of a handshake."""
    Given(Ask("STLS")).perform(stage)
    stage.send(b"USER {user}\r\nPASS {password}\r\n")
    rest = stage.wire.rest()
    if b"+OK" in rest or b"-ERR" in rest:
        raise Unmet(f"behind STLS a command in clear is answered {rest[:60]!a}")


def handshake_in_the_same_breath(stage: Stage) -> None:
    """Begin TLS as soon as the +OK is there."""
    if not stage.ask("STLS").positive:
        raise Unmet("STLS is announced and refused")
    stage.start_tls()
    AskLines("CAPA").perform(stage)


def capabilities_may_grow(stage: Stage) -> None:
    """Compare the mechanisms in clear and under TLS, where clear ones are refused."""
    clear = capabilities_of(stage.ask_lines("CAPA"))
    Upgrade().perform(stage)
    private = capabilities_of(stage.ask_lines("CAPA"))
    if "USER" in clear or "PLAIN" in clear.get("SASL", ()):
        raise NotTried("the endpoint takes passwords in clear after all")
    if not ("USER" in private or private.get("SASL")):
        raise Unmet("under TLS there is still no way to log in")


CASES = (
    Case(
        id="2595-S-01",
        title="A server with STLS has CAPA, and announces it there",
        source=SOURCE,
        level=Level.MUST,
        traits=STLS,
        start=Start.GREETED,
        steps=(AskLines("CAPA"), Upgrade()),
    ),
    Case(
        id="2595-S-03",
        title="STLS takes no argument",
        source=SOURCE,
        level=Level.MUST,
        traits=STLS,
        start=Start.GREETED,
        steps=(*refuses("STLS x", "STLS "), Ask("QUIT")),
    ),
    Case(
        id="2595-S-04",
        title="TLS begins right behind the CRLF of the +OK",
        source=SOURCE,
        level=Level.MUST,
        traits=STLS,
        start=Start.GREETED,
        steps=(Logic(handshake_in_the_same_breath),),
    ),
    Case(
        id="2595-S-05",
        title="STLS under TLS is refused",
        source=SOURCE,
        level=Level.MUST,
        traits=STLS,
        start=Start.GREETED,
        steps=(Given(Upgrade()), Ask("STLS", ERR), Ask("QUIT")),
    ),
    Case(
        id="2595-S-05",
        title="STLS where TLS was there from the first octet is refused",
        source=SOURCE,
        level=Level.MUST,
        variant="implicit",
        traits=frozenset({Trait.IMPLICIT}),
        start=Start.GREETED,
        steps=(Ask("STLS", ERR), Ask("QUIT")),
    ),
    Case(
        id="2595-S-06",
        title="STLS after the login is refused, and the session goes on",
        source=SOURCE,
        level=Level.MUST,
        traits=STLS_AND_CLEAR,
        start=Start.GREETED,
        mail=M2,
        exact=False,
        steps=(LogIn(), Ask("STLS", ERR), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
    Case(
        id="2595-S-07",
        title="The handshake is no login",
        source=SOURCE,
        level=Level.MUST,
        traits=STLS,
        start=Start.GREETED,
        steps=(Given(Upgrade()), *refuses("STAT", "NOOP"), LogIn(), Ask("STAT")),
    ),
    Case(
        id="2595-S-08",
        title="Behind STLS the ways to log in appear that were hidden in clear",
        source=SOURCE,
        level=Level.MAY,
        traits=STRICT,
        start=Start.GREETED,
        steps=(Logic(capabilities_may_grow),),
    ),
    *(
        Case(
            id="2595-S-09",
            title="Octets in clear behind STLS are never carried out under TLS",
            source=SOURCE,
            level=Level.INFERRED,
            variant=f"{number:02}",
            also=("1939-S-111",) if not number else (),
            traits=STLS,
            start=Start.GREETED,
            steps=(injection(*form),),
        )
        for number, form in enumerate(FORMS)
    ),
    Case(
        id="2595-S-10",
        title="A name given in clear is forgotten under TLS",
        source=SOURCE,
        level=Level.INFERRED,
        traits=STLS_AND_CLEAR,
        start=Start.GREETED,
        steps=(
            Given(Ask("USER {user}")),
            Given(Upgrade()),
            Ask("PASS {password}", ERR),
            Ask("STAT", ERR),
        ),
    ),
    Case(
        id="2595-S-11",
        title="A handshake that fails ends the connection",
        source=SOURCE,
        level=Level.INFERRED,
        traits=STLS,
        start=Start.GREETED,
        steps=(Logic(no_falling_back),),
    ),
    Case(
        id="2595-S-12",
        title="Where TLS is demanded, no way of login works in clear",
        source="RFC 2595 §2.2",
        level=Level.SHOULD,
        also=("5034-S-26", "4616-S-05"),
        traits=STRICT,
        start=Start.GREETED,
        steps=(
            Ask("AUTH PLAIN {plain}", ERR),
            Ask("AUTH PLAIN", ERR),
            Ask("USER {user}", EITHER),
            Ask("PASS {password}", ERR),
            Ask("STAT", ERR),
        ),
    ),
    Case(
        id="2595-S-13",
        title="Where TLS is demanded, the same passwords work under it",
        source="RFC 2595 §2.3",
        level=Level.MUST,
        traits=STRICT,
        start=Start.GREETED,
        mail=M2,
        exact=False,
        steps=(
            Ask("PASS {password}", ERR),
            Upgrade(),
            Ask("USER {user}"),
            Ask("PASS {password}"),
            Ask("STAT", r"\+OK 2 \d+( .*)?"),
        ),
    ),
    Case(
        id="2595-S-14",
        title="Where TLS is demanded, USER is refused before a password is sent",
        source="RFC 2595 §2.3",
        level=Level.INFERRED,
        traits=STRICT,
        start=Start.GREETED,
        steps=(Ask("USER {user}", ERR),),
    ),
    Case(
        id="8314-S-05",
        title="Without TLS there is no STLS, neither announced nor taken",
        source="RFC 8314 §4",
        level=Level.SHOULD,
        traits=frozenset({Trait.BARE}),
        start=Start.GREETED,
        capabilities=("CAPA",),
        steps=(AskLines("CAPA", each=r"(?!STLS).*"), Ask("STLS", ERR), Ask("QUIT")),
    ),
)

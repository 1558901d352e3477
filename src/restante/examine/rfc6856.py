"""RFC 6856 §2.1 and §5: UTF8, and mail that a client without it cannot take.

What is shown in its place is judged in `rfc6858.py`, names and passwords in `rfc6856_names.py`.
"""

from __future__ import annotations

import re

from restante.examine.case import Case, Level, Start, Trait
from restante.examine.dialogue import (
    ERR,
    OK,
    Ask,
    AskLines,
    AskMessage,
    Given,
    Logic,
    LogIn,
    holds,
)
from restante.examine.fixtures import DOTS, INTERNATIONAL, M2, SIZE_120, SIZE_200, TEN_LINES
from restante.examine.outcome import NotApplicable, Unmet
from restante.examine.replies import Answer, capabilities_of
from restante.examine.stage import Stage

ALL_ASCII = (SIZE_120, SIZE_200, DOTS, TEN_LINES)
MODE = "RFC 6856 §2.1"
UTF8 = ("UTF8",)
NOT_ASCII = re.compile(rb"[\x80-\xff]")
REFUSAL = r"-ERR( \[UTF8\].*| (?!\[).*)?"


def tag_is_formed(stage: Stage) -> None:
    """Look at UTF8 before and behind the login."""
    before = capabilities_of(stage.ask_lines("CAPA")).get("UTF8")
    stage.log_in()
    after = capabilities_of(stage.ask_lines("CAPA")).get("UTF8")
    if before not in ((), ("USER",)) or after != before:
        raise Unmet(f"UTF8 has {before} before and {after} behind the login")


def utf8_or_nothing(stage: Stage) -> None:
    """Switch the mode on; a server may refuse it."""
    if not stage.ask("UTF8").positive:
        raise NotApplicable("the server announces UTF8 and refuses it, as it may")


def seen_in_both_modes(stage: Stage) -> None:
    """Compare a whole maildrop of ASCII in both modes."""
    seen = []
    for mode in (False, True):
        stage.begin(Start.GREETED)
        if mode:
            utf8_or_nothing(stage)
        stage.log_in()
        seen.append([stage.ask("STAT").line])
        seen[-1] += [*stage.ask_lines("LIST").lines, *stage.ask_lines("UIDL").lines]
        seen[-1] += [
            stage.ask_lines(f"RETR {n}").content.decode("latin-1")
            for n in range(1, len(ALL_ASCII) + 1)
        ]
        Ask("QUIT").perform(stage)
    if seen[0] != seen[1]:
        raise Unmet("the two modes differ though all is ASCII")


def ids_agree(stage: Stage) -> None:
    """Compare the unique-id of one message in both modes."""
    before = stage.ask("UIDL 1").line
    Ask("QUIT").perform(stage)
    stage.begin(Start.GREETED)
    utf8_or_nothing(stage)
    stage.log_in()
    if (after := stage.ask("UIDL 1").line) != before:
        raise Unmet(f"one message is {before!a} and in the other mode {after!a}")


def shown(stage: Stage, line: str) -> bytes | None:
    """Return what a command shows of the international message, None where it is refused."""
    stage.send(line.encode() + b"\r\n")
    reply = stage.wire.status()
    if not reply.positive:
        holds(reply, REFUSAL, line)
        return None
    return Answer(reply, stage.wire.lines()).content


def no_raw_header(stage: Stage) -> None:
    """Look for octets beyond ASCII in the header that a client without UTF8 is shown."""
    for line in ("RETR 1", "TOP 1 0"):
        header = (shown(stage, line) or b"").partition(b"\r\n\r\n")[0]
        if raw := NOT_ASCII.search(header):
            raise Unmet(f"{line} shows {header[max(0, raw.start() - 20) : raw.end() + 20]!a}")


def listing_works(stage: Stage) -> None:
    """List it; LIST with its number may be refused as RETR may."""
    AskLines("LIST", each=r"1 \d+").perform(stage)
    holds(stage.ask("LIST 1"), rf"\+OK 1 \d+|{REFUSAL}", "LIST 1")


def size_matches(stage: Stage) -> None:
    """Compare LIST with what RETR shows, in this mode."""
    content = shown(stage, "RETR 1")
    listed = stage.ask("LIST 1")
    if content is not None and listed.line != f"+OK 1 {len(content)}":
        raise Unmet(f"LIST says {listed.line!a}, RETR shows {len(content)} octets")


def forgets_the_mode(stage: Stage) -> None:
    """Switch UTF8 on in clear, go under TLS, and see what a client without it sees."""
    utf8_or_nothing(stage)
    if not stage.ask("STLS").positive:
        raise NotApplicable("the server refuses STLS behind UTF8, as it may")
    stage.start_tls()
    stage.log_in()
    no_raw_header(stage)


def code_stands_where_it_may(stage: Stage) -> None:
    """Look for the code UTF8 in replies to other commands."""
    for line in ("NOOP", "STAT", "UIDL 1", "XYZZY", "DELE 99", "RSET"):
        if (reply := stage.ask(line)).code == "UTF8":
            raise Unmet(f"{line} is answered {reply.line[:80]!a}")


def case(
    id_: str,
    title: str,
    level: Level,
    *steps: Ask | Given | Logic | LogIn | AskLines,
    source: str = MODE,
    variant: str = "",
    start: Start = Start.TRANSACTION,
    capabilities: tuple[str, ...] = UTF8,
    password: str | None = None,
    ascii_mail: bool = False,
) -> Case:
    """Return a case about a maildrop with one international message, or with ASCII alone."""
    return Case(
        id=id_,
        title=title,
        source=source,
        level=level,
        variant=variant,
        start=start,
        capabilities=capabilities,
        mail=M2 if ascii_mail else (INTERNATIONAL,),
        password=password,
        steps=steps,
    )


CASES = (
    case(
        "6856-S-01",
        "UTF8 is announced before and behind the login, alone or with USER",
        Level.MUST,
        Logic(tag_is_formed),
        source="RFC 6856 §2",
        start=Start.GREETED,
    ),
    case(
        "6856-S-02",
        "UTF8 takes no argument",
        Level.MUST,
        Ask("UTF8 x", ERR),
        Ask("UTF8", OK, tolerated=ERR),
        start=Start.GREETED,
    ),
    case(
        "6856-S-02",
        "UTF8 belongs before the login",
        Level.MUST,
        Ask("UTF8", ERR),
        Ask("NOOP"),
        variant="transaction",
    ),
    case(
        "6856-S-03",
        "UTF8 is taken where it is announced",
        Level.MAY,
        Ask("UTF8"),
        start=Start.GREETED,
    ),
    Case(
        id="6856-S-04",
        title="For mail in ASCII the mode changes nothing",
        source=MODE,
        level=Level.MUST,
        also=("6856-S-10",),
        start=Start.NOWHERE,
        capabilities=("UTF8", "UIDL"),
        mail=ALL_ASCII,
        steps=(Logic(seen_in_both_modes),),
    ),
    case(
        "6856-S-05",
        "Without UTF8 no header goes out that is not ASCII",
        Level.MUST,
        Logic(no_raw_header),
    ),
    case(
        "6856-S-06",
        "Without UTF8 the listing has such a message all the same",
        Level.MUST,
        Logic(listing_works),
        source="RFC 6856 §2.1, §5",
    ),
    case(
        "6856-S-08",
        "In UTF8 mode the message comes as it is",
        Level.MUST,
        Logic(utf8_or_nothing),
        LogIn(),
        Logic(lambda stage: AskMessage("RETR 1", INTERNATIONAL.wire).perform(stage)),
        start=Start.GREETED,
    ),
    case(
        "6856-S-09",
        "LIST tells the octets of what RETR shows without UTF8",
        Level.SHOULD,
        Logic(size_matches),
    ),
    case(
        "6856-S-09",
        "LIST tells the octets of what RETR shows with UTF8",
        Level.SHOULD,
        Logic(utf8_or_nothing),
        LogIn(),
        Logic(size_matches),
        variant="utf8",
        start=Start.GREETED,
    ),
    case(
        "6856-S-10",
        "A message has one unique-id in both modes",
        Level.INFERRED,
        Logic(ids_agree),
        capabilities=("UTF8", "UIDL"),
    ),
    Case(
        id="6856-S-11",
        title="What was said in clear is forgotten under TLS, UTF8 too",
        source=MODE,
        level=Level.INFERRED,
        also=("2595-S-10",),
        traits=frozenset({Trait.STLS, Trait.CLEAR}),
        start=Start.GREETED,
        capabilities=UTF8,
        mail=(INTERNATIONAL,),
        exact=False,
        steps=(Logic(forgets_the_mode),),
    ),
    case(
        "6856-S-25",
        "The code UTF8 stands at LIST, TOP and RETR alone",
        Level.MUST,
        Logic(code_stands_where_it_may),
        source="RFC 6856 §5",
        capabilities=("UTF8", "RESP-CODES"),
    ),
)

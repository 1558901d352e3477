"""RFC 1939 §7: TOP and UIDL."""

from __future__ import annotations

import re

from restante.examine.case import Case, Level
from restante.examine.dialogue import (
    ERR,
    Ask,
    AskLines,
    AskMessage,
    Deliver,
    Drop,
    Given,
    Logic,
    LogInAgain,
    Quit,
    refuses,
)
from restante.examine.fixtures import (
    BLANK_LINES,
    COPIES,
    DOTS,
    EVERY_SHAPE,
    HEADER_ONLY,
    M0,
    M2,
    M5,
    MD,
    MH,
    NO_BODY,
    SIZE_120,
    TEN_LINES,
    TEN_LINES_CRLF,
)
from restante.examine.outcome import Unmet
from restante.examine.stage import Stage

TOP = "RFC 1939 §7 (TOP)"
UIDL = "RFC 1939 §7 (UIDL)"


def top_of_many_lines(stage: Stage, count: int) -> None:
    """Ask for more lines than a counter may hold; it must not wrap around to few."""
    stage.send(f"TOP 1 {count}\r\n".encode())
    if not stage.wire.status().positive:
        return
    shown = len(stage.wire.lines())
    if shown != DOTS.wire.count(b"\r\n"):
        raise Unmet(f"TOP with {count} lines shows {shown}")


def unique_ids(stage: Stage) -> list[str]:
    """Return the unique-ids in message order."""
    return [line.partition(" ")[2] for line in stage.ask_lines("UIDL").lines]


def ids_survive(stage: Stage) -> None:
    """Compare the unique-ids of three sessions: dropped, ended by QUIT, and the next."""
    first = unique_ids(stage)
    stage.wire.close()
    stage.log_in_again()
    second = unique_ids(stage)
    Quit().perform(stage)
    stage.log_in_again()
    third = unique_ids(stage)
    if not first == second == third:
        raise Unmet(f"three sessions see {first}, {second} and {third}")


def ids_survive_removal(stage: Stage) -> None:
    """Remove the first message and see that the others keep their unique-ids."""
    before = unique_ids(stage)
    Ask("DELE 1").perform(stage)
    Quit().perform(stage)
    stage.log_in_again()
    after = unique_ids(stage)
    if after != before[1:]:
        raise Unmet(f"of {before} the first is removed, and {after} are left")


def ids_are_not_reused(stage: Stage) -> None:
    """Remove a message, deliver the same octets again and look for a new unique-id."""
    before = unique_ids(stage)
    Ask("DELE 1").perform(stage)
    Quit().perform(stage)
    stage.deliver(SIZE_120)
    stage.log_in_again()
    again = set(unique_ids(stage)) & {before[0]}
    if again:
        raise Unmet(f"the unique-id {before[0]!a} is given a second time")


def copies_have_their_own_ids(stage: Stage) -> None:
    """Look at the unique-ids of two messages that are the same to the octet."""
    ids = unique_ids(stage)
    if len(set(ids)) != len(ids):
        raise Unmet(f"two copies share the unique-id {ids[0]!a}")


def top_shows_all(stage: Stage) -> None:
    """Compare TOP with more lines than there are with RETR."""
    AskMessage("TOP 1 999999", stage.ask_lines("RETR 1").content).perform(stage)


def messages_have_their_own_ids(stage: Stage) -> None:
    """Look at the unique-ids of messages that differ."""
    ids = unique_ids(stage)
    if len(set(ids)) != len(ids):
        raise Unmet(f"different messages share a unique-id: {ids!a}")


def one_id_matches_the_listing(stage: Stage) -> None:
    """Compare UIDL with a number to the line of the listing."""
    for line in stage.ask_lines("UIDL").lines:
        Ask(f"UIDL {line.split()[0]}", re.escape(f"+OK {line}")).perform(stage)


CASES = (
    Case(
        id="1939-S-92",
        title="TOP needs a message and a number of lines",
        source=TOP,
        level=Level.MUST,
        mail=M2,
        exact=False,
        capabilities=("TOP",),
        steps=refuses("TOP", "TOP 1"),
    ),
    Case(
        id="1939-S-93",
        title="The number of lines is not negative and all digits",
        source=TOP,
        level=Level.MUST,
        mail=MD,
        capabilities=("TOP",),
        steps=(
            *refuses("TOP 1 -1", "TOP 1 x", "TOP 1 +1", "TOP 1 1x", "TOP 1 0x1"),
            AskMessage("TOP 1 0", DOTS.top(0)),
        ),
    ),
    *(
        Case(
            id="1939-S-94",
            title=f"TOP shows the header, the blank line and {count} lines, dots doubled",
            source=TOP,
            level=Level.MUST,
            variant=f"{fixture.name}-{count}",
            mail=(fixture,),
            capabilities=("TOP",),
            steps=(AskMessage(f"TOP 1 {count}", fixture.top(count)), Ask("NOOP")),
        )
        for fixture in (TEN_LINES, DOTS)
        for count in (0, 1, 3)
    ),
    *(
        Case(
            id="1939-S-95",
            title=f"TOP with more lines than there are shows the whole message: {fixture.name}",
            source=TOP,
            level=Level.INFERRED if fixture is HEADER_ONLY else Level.MUST,
            variant=fixture.name,
            mail=(fixture,),
            exact=False,
            capabilities=("TOP",),
            steps=(Logic(top_shows_all),),
        )
        for fixture in EVERY_SHAPE
    ),
    *(
        Case(
            id="1939-S-94",
            title=f"TOP at the edge of the message: {count} lines of {fixture.name}",
            source=TOP,
            level=Level.MUST,
            variant=f"edge-{fixture.name}-{count}",
            mail=(fixture,),
            capabilities=("TOP",),
            steps=(AskMessage(f"TOP 1 {count}", fixture.top(count)), Ask("NOOP")),
        )
        for fixture, counts in ((TEN_LINES, (9, 10, 11)), (NO_BODY, (0, 1)), (BLANK_LINES, (0, 2)))
        for count in counts
    ),
    Case(
        id="1939-S-95",
        title="A number of lines beyond what a machine word holds shows all, or is refused",
        source=TOP,
        level=Level.INFERRED,
        variant="huge",
        mail=MD,
        capabilities=("TOP",),
        steps=(
            Logic(lambda stage: top_of_many_lines(stage, 2**32)),
            Logic(lambda stage: top_of_many_lines(stage, 2**64 + 1)),
            Ask("NOOP"),
        ),
    ),
    Case(
        id="1939-S-93",
        title="Zeros before the number of lines change nothing",
        source=TOP,
        level=Level.INFERRED,
        variant="leading-zeros",
        mail=MD,
        capabilities=("TOP",),
        steps=(AskMessage("TOP 1 002", DOTS.top(2)),),
    ),
    Case(
        id="1939-S-96",
        title="TOP of an absent message is refused",
        source=TOP,
        level=Level.MUST,
        mail=M2,
        exact=False,
        capabilities=("TOP",),
        steps=refuses("TOP 100 3", "TOP 0 3"),
    ),
    Case(
        id="1939-S-97",
        title="TOP counts lines as the wire shows them, however they are stored",
        source=TOP,
        level=Level.INFERRED,
        mail=(TEN_LINES, TEN_LINES_CRLF),
        capabilities=("TOP",),
        steps=tuple(
            AskMessage(f"TOP {number} {count}", TEN_LINES.top(count))
            for count in (0, 4, 10)
            for number in (1, 2)
        ),
    ),
    Case(
        id="1939-S-98",
        title="TOP of a header without a blank line ends with the header",
        source=TOP,
        level=Level.INFERRED,
        mail=MH,
        capabilities=("TOP",),
        steps=(AskMessage("TOP 1 0", HEADER_ONLY.wire), AskMessage("TOP 1 5", HEADER_ONLY.wire)),
    ),
    Case(
        id="1939-S-99",
        title="TOP does not count as a retrieval",
        source=TOP,
        level=Level.INFERRED,
        mail=M2,
        exact=False,
        scratch=True,
        capabilities=("TOP",),
        steps=(AskLines("TOP 1 9"), Quit(), LogInAgain(), Ask("STAT", r"\+OK 2 \d+( .*)?")),
    ),
    Case(
        id="1939-S-100",
        title="UIDL lists every message, and UIDL with a number is one line of it",
        source=UIDL,
        level=Level.MUST,
        variant="listing",
        mail=M5,
        exact=False,
        capabilities=("UIDL",),
        steps=(Logic(one_id_matches_the_listing), Ask("NOOP")),
    ),
    Case(
        id="1939-S-100",
        title="UIDL of an empty maildrop is positive and empty",
        source=UIDL,
        level=Level.MUST,
        variant="empty",
        mail=M0,
        capabilities=("UIDL",),
        steps=(AskLines("UIDL", ()), Ask("NOOP")),
    ),
    Case(
        id="1939-S-101",
        title="A unique-id has 1 to 70 printable octets, and nothing follows it",
        source=UIDL,
        level=Level.MUST,
        mail=M5,
        exact=False,
        capabilities=("UIDL",),
        steps=(AskLines("UIDL", each=r"\d+ [!-~]{1,70}"),),
    ),
    Case(
        id="1939-S-102",
        title="Unique-ids outlive sessions, however these end",
        source=UIDL,
        level=Level.MUST,
        variant="sessions",
        mail=M5,
        exact=False,
        capabilities=("UIDL",),
        steps=(Logic(ids_survive),),
    ),
    Case(
        id="1939-S-102",
        title="Removing a message changes no other message's unique-id",
        source=UIDL,
        level=Level.MUST,
        variant="removal",
        mail=M5,
        exact=False,
        scratch=True,
        capabilities=("UIDL",),
        steps=(Logic(ids_survive_removal),),
    ),
    Case(
        id="1939-S-103",
        title="Two messages alike to the octet have two unique-ids",
        source=UIDL,
        level=Level.INFERRED,
        variant="copies",
        mail=COPIES,
        capabilities=("UIDL",),
        steps=(Logic(copies_have_their_own_ids),),
    ),
    Case(
        id="1939-S-103",
        title="A unique-id is not given again when the same octets come back",
        source=UIDL,
        level=Level.INFERRED,
        variant="again",
        mail=M2,
        scratch=True,
        capabilities=("UIDL",),
        steps=(Logic(ids_are_not_reused),),
    ),
    Case(
        id="1939-S-105",
        title="UIDL leaves marked messages out",
        source=UIDL,
        level=Level.MUST,
        mail=M2,
        exact=False,
        scratch=True,
        capabilities=("UIDL",),
        steps=(
            Given(Ask("DELE 1")),
            AskLines("UIDL", each=r"2 [!-~]{1,70}"),
            *refuses("UIDL 1", "UIDL 3", "UIDL 0"),
            Drop(),
        ),
    ),
    Case(
        id="1939-S-102",
        title="A message that arrives gets a unique-id of its own and moves no other",
        source=UIDL,
        level=Level.MUST,
        variant="arrival",
        mail=M2,
        exact=False,
        scratch=True,
        capabilities=("UIDL",),
        steps=(
            Given(Deliver(TEN_LINES)),
            Quit(),
            LogInAgain(),
            AskLines("UIDL", each=r"[123] [!-~]{1,70}"),
            Logic(messages_have_their_own_ids),
            Ask("UIDL 4", ERR),
        ),
    ),
)

"""RFC 1939 §5, §7 and §11 on whatever mail there is: nothing is put in, marked or removed.

What the other cases show on messages of their own, these show on a maildrop as it was found, so
that a server can be judged by somebody who may only read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from restante.examine.case import Case, Level
from restante.examine.dialogue import ERR, Ask, AskMessage, Logic
from restante.examine.outcome import NotTried, Unmet
from restante.examine.stage import Stage

LOOKED_AT = 10
"""Messages of one maildrop; the smallest, since somebody waits for them."""

LARGEST_OCTETS = 1 << 20
LOOKS = 2
"""Sessions behind the first one, where the mail changes between them."""


def listed(stage: Stage) -> dict[int, int]:
    """Return the size of each message by its number."""
    sizes = {}
    for line in stage.ask_lines("LIST").lines:
        found = re.fullmatch(r"(\d+) (\d+)( .*)?", line)
        if found is None:
            raise Unmet(f"LIST lists {line[:80]!a}")
        sizes[int(found[1])] = int(found[2])
    if not sizes:
        raise NotTried("the maildrop is empty")
    return sizes


def small(stage: Stage) -> list[int]:
    """Return the numbers of messages that can be looked at in no time."""
    sizes = listed(stage)
    numbers = sorted((n for n in sizes if sizes[n] <= LARGEST_OCTETS), key=lambda n: sizes[n])
    if not numbers:
        raise NotTried(f"every message has more than {LARGEST_OCTETS} octets")
    return numbers[:LOOKED_AT]


def numbers_count_from_one(stage: Stage) -> None:
    """Look at the numbers of the listing."""
    numbers = list(listed(stage))
    if numbers != list(range(1, len(numbers) + 1)):
        raise Unmet(f"the messages are numbered {numbers[:10]}")


def stat_is_the_sum(stage: Stage) -> None:
    """Compare STAT with LIST."""
    sizes = listed(stage)
    Ask("STAT", rf"\+OK {len(sizes)} {sum(sizes.values())}( .*)?").perform(stage)


def single_is_as_listed(stage: Stage) -> None:
    """Compare LIST with a number to the listing."""
    sizes = listed(stage)
    for number in list(sizes)[:LOOKED_AT]:
        Ask(f"LIST {number}", rf"\+OK {number} {sizes[number]}( .*)?").perform(stage)


def none_beyond(stage: Stage) -> None:
    """Name the message behind the last."""
    beyond = max(listed(stage)) + 1
    for line in (f"LIST {beyond}", f"UIDL {beyond}", "LIST 0", "LIST -1"):
        Ask(line, ERR).perform(stage)


def size_is_what_comes(stage: Stage) -> None:
    """Compare the size listed with the octets that RETR shows."""
    numbers = small(stage)
    sizes = listed(stage)
    for number in numbers:
        octets = len(stage.ask_lines(f"RETR {number}").content)
        if octets != sizes[number]:
            raise Unmet(f"LIST tells {sizes[number]} octets of {number}, RETR shows {octets}")


def top_is_the_beginning(stage: Stage) -> None:
    """Compare TOP with the beginning of RETR."""
    for number in small(stage):
        content = stage.ask_lines(f"RETR {number}").content
        header, blank, body = content.partition(b"\r\n\r\n")
        if not blank or content.startswith(b"\r\n"):
            continue
        for count in (0, 2):
            AskMessage(f"TOP {number} {count}", header + blank + _first(body, count)).perform(stage)


def _first(body: bytes, count: int) -> bytes:
    """Return so many lines."""
    return b"".join(line + b"\r\n" for line in body.split(b"\r\n")[:-1][:count])


def unique_ids(stage: Stage) -> list[str]:
    """Return the unique-ids, each well formed."""
    ids = []
    for line in stage.ask_lines("UIDL").lines:
        if not re.fullmatch(r"\d+ [!-~]{1,70}", line):
            raise Unmet(f"UIDL lists {line[:100]!a}")
        ids.append(line.partition(" ")[2])
    if not ids:
        raise NotTried("the maildrop is empty")
    return ids


def ids_are_formed(stage: Stage) -> None:
    """Look at every unique-id."""
    unique_ids(stage)


def ids_stay(stage: Stage) -> None:
    """Compare the unique-ids of sessions; what arrives or goes between them is not the server's.

    Where the sizes listed are the same ones, it is the same mail.
    """
    before, sizes = unique_ids(stage), listed(stage)
    for _ in range(LOOKS):
        stage.wire.close()
        stage.log_in_again()
        after, sizes_after = unique_ids(stage), listed(stage)
        if len(set(before) & set(after)) == min(len(before), len(after)):
            return
        if sizes_after == sizes:
            raise Unmet("the next session has other unique-ids")
        before, sizes = after, sizes_after
    raise NotTried("mail comes and goes in this maildrop while it is looked at")


def looked_at_twice(judgement: Callable[[Stage], None]) -> Callable[[Stage], None]:
    """Return a judgement that fails where a second session shows the same failure.

    A program that writes to the mail while a session is on may have brought about the first.
    """

    def judge(stage: Stage) -> None:
        try:
            judgement(stage)
        except Unmet as failure:
            stage.wire.close()
            stage.log_in_again()
            judgement(stage)
            raise NotTried(f"it is so no more in the next session: {failure}") from failure

    return judge


def ids_are_apart(stage: Stage) -> None:
    """Look for a unique-id that two messages have."""
    ids = unique_ids(stage)
    if twice := {id_ for id_, times in Counter(ids).items() if times > 1}:
        raise Unmet(f"{len(twice)} unique-ids are given twice, one of them {min(twice)!a}")


ROWS: tuple[tuple[str, str, Level, str, Callable[[Stage], None]], ...] = (
    (
        "1939-S-52",
        "The messages there are numbered from one",
        Level.MUST,
        "§4",
        numbers_count_from_one,
    ),
    ("1939-S-71", "STAT is the sum of what is listed there", Level.INFERRED, "§5", stat_is_the_sum),
    (
        "1939-S-73",
        "LIST tells of one what it tells of all",
        Level.MUST,
        "§5 (LIST)",
        single_is_as_listed,
    ),
    ("1939-S-76", "There is no message behind the last", Level.MUST, "§5 (LIST)", none_beyond),
    (
        "1939-S-79",
        "The sizes of the messages there are exact",
        Level.MUST,
        "§11",
        looked_at_twice(size_is_what_comes),
    ),
    (
        "1939-S-94",
        "TOP shows the beginning of what is there",
        Level.MUST,
        "§7 (TOP)",
        looked_at_twice(top_is_the_beginning),
    ),
    ("1939-S-101", "The unique-ids there are well formed", Level.MUST, "§7 (UIDL)", ids_are_formed),
    ("1939-S-102", "The unique-ids there outlive a session", Level.MUST, "§7 (UIDL)", ids_stay),
    ("1939-S-103", "No two messages there share one", Level.INFERRED, "§7 (UIDL)", ids_are_apart),
)

CASES = tuple(
    Case(
        id=id_,
        title=title,
        source=f"RFC 1939 {section}",
        level=level,
        variant="as-found",
        capabilities=tuple(re.findall("TOP|UIDL", section)),
        steps=(Logic(judgement), Ask("NOOP")),
    )
    for id_, title, level, section, judgement in ROWS
)

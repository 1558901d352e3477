"""RFC 1939 §7 (APOP): the timestamp, the digest and whom it lets in."""

from __future__ import annotations

import re
from collections.abc import Callable

from restante.examine.case import Case, Level, Start, Step, Verdict
from restante.examine.dialogue import ERR, OK, Ask, Given, Logic, holds
from restante.examine.fixtures import M2
from restante.examine.outcome import Differs, NotTried, Silent, Unmet
from restante.examine.proofs import apop_digest, timestamp_in
from restante.examine.replies import Status
from restante.examine.stage import Stage
from restante.examine.ways_in import WayIn

SOURCE = "RFC 1939 §7 (APOP)"
MESSAGE_ID = r"<[!#-'*+\-./0-9=?A-Z^-~]+@[!#-'*+\-./0-9=?A-Z^-~\[\]]+>"
GREETINGS = 12
RANDOM_CHARACTERS = 10
"""64 bits do not fit into fewer printable ones."""


def digest_of(stage: Stage, timestamp: str | None = None) -> str:
    """Return the right digest, for the greeting of this connection or another timestamp."""
    assert stage.account is not None
    stamp = timestamp or timestamp_in(stage.greeting)
    if stamp is None:
        raise Unmet(f"this time the greeting {stage.greeting!a} has no timestamp")
    digest = apop_digest(stamp, stage.account.password)
    # Beside its timestamp a digest lets everybody try passwords.
    stage.record.hide([digest.encode()])
    return digest


def apop(stage: Stage, digest: str, *, name: str = "{user}", behind: str = "") -> Status:
    """Send APOP and read the reply."""
    return stage.ask(f"APOP {name} {digest}{behind}")


WAY_IN = WayIn("APOP", "digest", lambda stage: apop(stage, digest_of(stage)))


def refused(spoil: Callable[[str], str], what: str, *, behind: str = "") -> Logic:
    """Return a step in which the right digest, spoilt, lets nobody in."""

    def attempt(stage: Stage) -> None:
        stage.target.pace.guess()
        holds(apop(stage, spoil(digest_of(stage)), behind=behind), ERR, what)
        Ask("STAT", ERR).perform(stage)

    return Logic(attempt)


def greetings(stage: Stage, count: int = GREETINGS) -> list[str]:
    """Return the timestamps of so many connections."""
    seen = []
    for _ in range(count):
        stage.connect("another")
        seen.append(timestamp_in(stage.wire.status().line) or "")
    stage.use("first")
    return seen


def timestamp_is_a_message_id(stage: Stage) -> None:
    """Hold the timestamp to the form of RFC 822, and the greeting to one of them."""
    found = [each for each in re.findall(r"<[^<>]*>", stage.greeting) if "@" in each]
    if len(found) != 1 or not re.fullmatch(MESSAGE_ID, found[0]):
        raise Unmet(f"the greeting is {stage.greeting[:120]!a}")


def timestamps_differ(stage: Stage) -> None:
    """Look for a timestamp given twice."""
    seen = greetings(stage)
    if len(set(seen)) != len(seen) or "" in seen:
        raise Unmet(f"of {len(seen)} timestamps {len(set(seen))} differ: {seen[:3]}")


def timestamps_have_room(stage: Stage) -> None:
    """Count the places at which timestamps differ; a counter and a clock change few."""
    seen = greetings(stage)
    places = zip(*(stamp.ljust(max(map(len, seen))) for stamp in seen), strict=True)
    changing = sum(len(set(place)) > 1 for place in places)
    if changing < RANDOM_CHARACTERS:
        raise Unmet(f"no more than {changing} characters change: {seen[:3]}")


def another_greetings_digest(stage: Stage) -> None:
    """Show a digest for the timestamp that another connection was greeted with."""
    stage.target.pace.guess()
    replayed = digest_of(stage)
    stage.begin(Start.GREETED, "second")
    holds(apop(stage, replayed), ERR, "a digest for another greeting")
    Ask("STAT", ERR).perform(stage)


def refusals_read_alike(stage: Stage) -> None:
    """Compare the refusals of an unknown name and of a wrong digest."""
    unknown = apop(stage, "0" * 32, name="{unknown}").line
    stage.begin(Start.GREETED)
    wrong = apop(stage, "0" * 32).line
    if unknown != wrong:
        raise Unmet(f"unknown user: {unknown!a}, wrong digest: {wrong!a}")


def one_way_in(stage: Stage) -> None:
    """See whether the account that APOP lets in is let in by USER and PASS as well."""
    if stage.ask("USER {user}").positive and stage.ask("PASS {password}").positive:
        raise Unmet("the same account is let in by APOP and by USER and PASS")


def busy(stage: Stage) -> None:
    """Try the right digest while another session has the maildrop."""
    stage.begin(Start.GREETED, "second")
    try:
        if apop(stage, digest_of(stage)).positive:
            raise Differs("a second session is let in; 1939-S-46 tells whether the first is safe")
    except Silent as wait:
        raise NotTried(f"a second login waits for the first session to end: {wait}") from wait
    stage.use("first")
    Ask("STAT", r"\+OK 2 \d+( .*)?").perform(stage)


def apop_case(
    id_: str,
    title: str,
    level: Level,
    *steps: Step,
    variant: str = "",
    also: tuple[str, ...] = (),
    source: str = SOURCE,
    unmet: Verdict | None = None,
    start: Start = Start.GREETED,
) -> Case:
    """Return a case about a server whose greeting has a timestamp."""
    return Case(
        id=id_,
        title=title,
        source=source,
        level=level,
        variant=variant,
        also=also,
        start=start,
        capabilities=("APOP",),
        mail=M2,
        exact=False,
        unmet=unmet,
        steps=steps,
    )


CASES = (
    apop_case(
        "1939-S-57",
        "The timestamp of the greeting looks like a message-id",
        Level.MUST,
        Logic(timestamp_is_a_message_id),
        also=("TG-A3-2",),
    ),
    apop_case(
        "1939-S-58",
        "Each greeting has another timestamp",
        Level.MUST,
        Logic(timestamps_differ),
    ),
    apop_case(
        "1939-S-58",
        "A digest for another greeting's timestamp lets nobody in",
        Level.MUST,
        Logic(WAY_IN.can_log_in),
        Logic(another_greetings_digest),
        variant="replay",
    ),
    apop_case(
        "1939-S-59",
        "The timestamp has room for 64 bits that nobody can guess",
        Level.INFERRED,
        Logic(timestamps_have_room),
    ),
    apop_case(
        "1939-S-60",
        "The MD5 digest of timestamp and password lets in",
        Level.MUST,
        Logic(WAY_IN.lets_in),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
        also=("TG-A3-1", "TG-A3-3"),
    ),
    apop_case(
        "1939-S-61",
        "APOP without a name or without a digest is refused",
        Level.MUST,
        Ask("APOP", ERR),
        Ask("APOP {user}", ERR),
        Ask("STAT", ERR),
    ),
    *(
        apop_case(
            "1939-S-61",
            f"The right digest and {what} lets nobody in",
            Level.MUST,
            Logic(WAY_IN.can_log_in),
            refused(spoil, f"the digest and {what}", behind=behind),
            variant=variant,
        )
        for variant, what, spoil, behind in (
            ("short", "a digit less", lambda digest: digest[:-1], ""),
            ("long", "a digit more", lambda digest: digest + "0", ""),
            ("third", "a third argument", str, " x"),
            ("no-digit", "a letter for its last digit", lambda digest: digest[:-1] + "g", ""),
        )
    ),
    apop_case(
        "1939-S-62",
        "A wrong digest is refused, and the right one may follow it",
        Level.MUST,
        Logic(WAY_IN.can_log_in),
        refused(lambda digest: digest[:-1] + "0f"[digest[-1] == "0"], "a wrong digest"),
        Logic(lambda stage: holds(apop(stage, digest_of(stage)), OK, "the right digest")),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
        also=("1939-S-65", "TG-A3-4"),
    ),
    apop_case(
        "1939-S-63",
        "APOP between USER and PASS is refused",
        Level.MUST,
        Logic(WAY_IN.can_log_in),
        Given(Ask("USER {user}")),
        refused(str, "APOP behind a USER that was accepted"),
        unmet=Verdict.DIFFERS,
    ),
    apop_case(
        "1939-S-63",
        "APOP may follow a PASS that failed",
        Level.MUST,
        Logic(WAY_IN.can_log_in),
        Given(Ask("USER {unknown}", r"(\+OK|-ERR)( .*)?")),
        Given(Ask("PASS {wrong}", ERR)),
        Logic(lambda stage: holds(apop(stage, digest_of(stage)), OK, "APOP behind PASS")),
        variant="behind-failure",
    ),
    apop_case(
        "1939-S-64",
        "A digest in capitals is taken for what it says",
        Level.INFERRED,
        Logic(WAY_IN.can_log_in),
        Logic(
            lambda stage: holds(
                apop(stage, digest_of(stage).upper()), OK, "the digest in capitals", tolerated=ERR
            )
        ),
    ),
    apop_case(
        "1939-S-55",
        "An account is for APOP or for USER and PASS, and not for both",
        Level.SHOULD,
        Logic(WAY_IN.can_log_in),
        Logic(one_way_in),
        source="RFC 1939 §13",
    ),
    apop_case(
        "1939-S-66",
        "APOP refuses an unknown name and a wrong digest in the same words",
        Level.INFERRED,
        Logic(refusals_read_alike),
        variant="apop",
        also=("4422-S-02",),
        source="RFC 1939 §13",
    ),
    apop_case(
        "1939-S-48",
        "APOP is refused while another session has the maildrop",
        Level.MUST,
        Logic(WAY_IN.can_log_in),
        Logic(lambda stage: stage.log_in()),
        Logic(busy),
        variant="apop",
        source="RFC 1939 §4",
    ),
)

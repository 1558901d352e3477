"""RFC 6856 §3: LANG, and texts in other languages."""

from __future__ import annotations

import re

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import ERR, OK, Ask, Logic
from restante.examine.outcome import NotApplicable, Unmet
from restante.examine.replies import Status, capabilities_of
from restante.examine.stage import Stage

SOURCE = "RFC 6856 §3.2"
TAG = r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*"
CODE = r"(\[[!-Z^-~]+\] )?"
TRIED = 5
"""Languages of one server; more of them would show no more."""


def languages(stage: Stage) -> list[str]:
    """Return the tags that LANG alone lists, or the one that '*' chooses."""
    stage.send(b"LANG\r\n")
    if stage.wire.status().positive:
        listed = [line.decode().removesuffix("\r\n") for line in stage.wire.lines()[:TRIED]]
        if listed:
            return [line.partition(" ")[0] for line in listed]
    chosen = stage.ask("LANG *")
    if not chosen.positive or not chosen.text:
        raise NotApplicable("the server names no language")
    return [chosen.text.split(" ")[0]]


def listing_is_formed(stage: Stage) -> None:
    """Hold each line of the listing to a tag and perhaps a name."""
    stage.send(b"LANG\r\n")
    if not stage.wire.status().positive:
        raise NotApplicable("the server lists no languages, as it may")
    for line in stage.wire.lines():
        told = line.decode()
        if not re.fullmatch(rf"{TAG}( [^\x00-\x1f]+)?\r\n", told):
            raise Unmet(f"LANG lists {told[:80]!a}")


def answers_in(tag: str, reply: Status) -> None:
    """Hold a reply to the tag, a text and UTF-8."""
    reply.raw.decode()
    if not re.fullmatch(rf"\+OK {re.escape(tag)} .+", reply.line, re.IGNORECASE | re.DOTALL):
        raise Unmet(f"LANG {tag} is answered {reply.line[:80]!a}")


def each_can_be_chosen(stage: Stage) -> None:
    """Choose every language."""
    for tag in languages(stage):
        answers_in(tag, stage.ask(f"LANG {tag}"))


def works_in_both_states(stage: Stage) -> None:
    """Choose a language before and behind the login, with LANG in the list each time."""
    tag = languages(stage)[0]
    for _ in range(2):
        if "LANG" not in capabilities_of(stage.ask_lines("CAPA")):
            raise Unmet("LANG is not announced")
        answers_in(tag, stage.ask(f"LANG {tag}"))
        if stage.ask("NOOP").positive:
            return
        stage.log_in()


def refusal_changes_nothing(stage: Stage) -> None:
    """Ask for what nobody speaks and compare a text before and after."""
    before = stage.ask("XYZZY").line
    reply = stage.ask("LANG x-nobody-speaks-it")
    if reply.positive:
        raise Unmet(f"a language nobody speaks is answered {reply.line[:80]!a}")
    if (after := stage.ask("XYZZY").line) != before:
        raise Unmet(f"after a refused LANG {before!a} has become {after!a}")


def site_chooses(stage: Stage) -> None:
    """Leave the choice to the server."""
    reply = stage.ask("LANG *")
    if reply.positive and not re.fullmatch(rf"\+OK {TAG} .+", reply.line, re.DOTALL):
        raise Unmet(f"LANG * is answered {reply.line[:80]!a}")


def nobody_is_given_away(stage: Stage) -> None:
    """Compare what LANG * chooses behind a name that exists and one that does not."""
    chosen = []
    for name in ("{user}", "{unknown}"):
        stage.begin(Start.GREETED)
        stage.ask(f"USER {name}")
        chosen.append(stage.ask("LANG *").line)
    if chosen[0] != chosen[1]:
        raise Unmet(f"LANG * says {chosen[0]!a} behind a known and {chosen[1]!a} behind another")


def only_texts_change(stage: Stage) -> None:
    """Look at indicators, codes, tags and lengths in each language."""
    tags = None
    for language in languages(stage):
        stage.ask(f"LANG {language}")
        replies = [stage.ask(line) for line in ("XYZZY", "USER {unknown}", "PASS {wrong}", "STAT")]
        for reply in replies:
            if not reply.well_formed or len(reply.raw) > 512:
                raise Unmet(f"in {language} a reply is {reply.raw[:80]!a}")
            if not re.fullmatch(rf"{CODE}.*", reply.text, re.DOTALL):
                raise Unmet(f"in {language} a code is translated: {reply.line[:80]!a}")
            reply.raw.decode()
        listed = set(capabilities_of(stage.ask_lines("CAPA")))
        if tags not in (None, listed):
            raise Unmet(f"in {language} CAPA lists {sorted(listed)}")
        tags = listed
        stage.begin(Start.GREETED)


def lang_case(
    id_: str,
    title: str,
    level: Level,
    *steps: Logic | Ask,
    source: str = SOURCE,
    also: tuple[str, ...] = (),
    variant: str = "",
    start: Start = Start.GREETED,
) -> Case:
    """Return a case about a server with LANG."""
    return Case(
        id=id_,
        title=title,
        source=source,
        level=level,
        variant=variant,
        also=also,
        start=start,
        capabilities=("LANG",),
        steps=steps,
    )


CASES = (
    lang_case(
        "6856-S-17",
        "LANG works before and behind the login",
        Level.MUST,
        Logic(works_in_both_states),
        source="RFC 6856 §3.1",
    ),
    lang_case(
        "6856-S-18",
        "A language chosen is named and spoken at once, in UTF-8",
        Level.MUST,
        Logic(each_can_be_chosen),
    ),
    lang_case(
        "6856-S-19",
        "A language that is refused changes nothing",
        Level.MUST,
        Logic(refusal_changes_nothing),
        start=Start.TRANSACTION,
    ),
    lang_case(
        "6856-S-20",
        "'*' leaves the choice to the site",
        Level.MUST,
        Logic(site_chooses),
    ),
    lang_case(
        "6856-S-20",
        "A range that is no range is refused",
        Level.MUST,
        Ask("LANG e!n", ERR),
        Ask("LANG en x", ERR),
        Ask("LANG *", OK, tolerated=ERR),
        variant="malformed",
    ),
    lang_case(
        "6856-S-21",
        "LANG alone lists tags, with or without names",
        Level.MUST,
        Logic(listing_is_formed),
    ),
    lang_case(
        "6856-S-22",
        "'*' gives away nobody's preference before the login",
        Level.SHOULD,
        Logic(nobody_is_given_away),
        source="RFC 6856 §7",
    ),
    lang_case(
        "6856-S-23",
        "Indicators, codes and tags are the same in every language",
        Level.MUST,
        Logic(only_texts_change),
        source="RFC 6856 §3",
        also=("6856-S-24",),
    ),
)

"""RFC 5034 and 1734: AUTH, its base64, its initial response and its ways to fail."""

from __future__ import annotations

import base64
import re

from restante.examine.case import Case, Level, Start, Trait
from restante.examine.dialogue import (
    ERR,
    Ask,
    Drop,
    Given,
    Logic,
    LogInAgain,
    Say,
    Upgrade,
    holds,
    refuses,
)
from restante.examine.fixtures import M2
from restante.examine.outcome import Broken, Differs, NotApplicable, NotTried, Unmet
from restante.examine.replies import capabilities_of
from restante.examine.stage import Stage

SOURCE = "RFC 5034 §4"
PLAIN = ("SASL PLAIN",)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
BAD_BASE64 = ("AGFsa WNl", "=AAA", "AAA=BBB", "AAA", "AA=", "A===", "AGFs*WNl", "AGFs-WN_", "====")


def begins_with_challenge(stage: Stage) -> None:
    """Hold the empty challenge to its three octets and the line end."""
    stage.send(b"AUTH PLAIN\r\n")
    raw = stage.wire.status().raw
    if raw != b"+ \r\n":
        raise Unmet(f"AUTH PLAIN is answered {raw!a}")


def largest_plain(stage: Stage) -> None:
    """Send three fields of 255 octets; the session must live and still let one in."""
    begins_with_challenge(stage)
    message = b"a" * 255 + b"\0" + b"b" * 255 + b"\0" + b"c" * 255
    holds(stage.ask_sasl(message, b""), ERR, "a PLAIN message of 767 octets")
    Ask("AUTH PLAIN {plain}").perform(stage)


def long_response(stage: Stage) -> None:
    """Send 12 000 octets as a response, which is not too long a line for SASL."""
    begins_with_challenge(stage)
    holds(stage.ask_sasl(b"a" * 9000, b""), ERR, "a response of 12 000 octets")
    Ask("AUTH PLAIN {plain}").perform(stage)


def long_initial_response(stage: Stage) -> None:
    """Send 4 KiB with the command; the server takes it or refuses it, and stays in step."""
    try:
        holds(stage.ask_sasl(b"a" * 3072), ERR, "an initial response of 4 KiB")
        Ask("AUTH PLAIN {plain}").perform(stage)
    except Broken:
        return


def endless_response(stage: Stage) -> None:
    """Send more than any response has; it is refused once, or the connection ends."""
    begins_with_challenge(stage)
    stage.send(b"A" * 200_000 + b"\r\n")
    try:
        if stage.wire.status().positive:
            raise Unmet("a response of 200 000 octets lets in")
        Ask("STAT", ERR).perform(stage)
    except Broken:
        return


def has_auth(stage: Stage) -> None:
    """Raise NotApplicable where there is no AUTH, which RFC 5034 speaks about."""
    if "SASL" not in capabilities_of(stage.ask_lines("CAPA")):
        raise NotApplicable("the server does not announce SASL")


def pad_bits(stage: Stage) -> None:
    """Send the right credentials with bits set that base64 has no use for."""
    for authzid in ("", "{user}"):
        message = stage.fill(f"{authzid}\0{{user}}\0{{password}}".encode())
        encoded = base64.b64encode(message).decode()
        body = encoded.rstrip("=")
        if body != encoded:
            break
    else:
        raise NotTried("the credentials fill their base64 to the last bit")
    spoilt = body[:-1] + ALPHABET[ALPHABET.index(body[-1]) + 1] + encoded[len(body) :]
    stage.wire.send(f"AUTH PLAIN {spoilt}\r\n".encode(), shown=b"AUTH PLAIN {plain, bits set}")
    if stage.wire.status().positive:
        raise Differs("base64 with bits set behind its end is taken")


def spoilt_inside(alien: str) -> Logic:
    """Return a step: the right credentials with a character amid their base64 let nobody in.

    A decoder that skips what it does not know finds them all the same; other malformed base64
    would be refused for what it says.
    """

    def attempt(stage: Stage) -> None:
        stage.target.pace.guess()
        encoded = stage.fill(b"{plain}").decode()
        half = len(encoded) // 2
        Given(Ask("AUTH PLAIN", r"\+ ?")).perform(stage)
        spoilt = f"{encoded[:half]}{alien}{encoded[half:]}\r\n".encode()
        stage.wire.send(spoilt, shown=f"<{{plain}} with {alien!r} in the middle>\r\n".encode())
        holds(stage.wire.status(), ERR, f"base64 with {alien!r} in the middle")
        Ask("STAT", ERR).perform(stage)

    return Logic(attempt)


def mechanism_lists_agree(stage: Stage) -> None:
    """Compare what AUTH alone lists, where it lists at all, with the SASL capability."""
    announced = capabilities_of(stage.ask_lines("CAPA")).get("SASL", ())
    stage.send(b"AUTH\r\n")
    if not stage.wire.status().positive:
        return
    lines = [line.decode("latin-1").strip() for line in stage.wire.lines()]
    if set(lines) != set(announced):
        raise Unmet(f"AUTH lists {lines}, the capability {list(announced)}")


def names_are_formed(stage: Stage) -> None:
    """Hold the mechanism names to the 20 characters of RFC 4422."""
    for name in capabilities_of(stage.ask_lines("CAPA")).get("SASL", ()):
        if not re.fullmatch(r"[A-Z0-9_-]{1,20}", name):
            raise Unmet(f"a mechanism is named {name!a}")
    refuses_and_lives = (*refuses("AUTH " + "A" * 21, "AUTH PL+AIN"), Ask("QUIT"))
    for step in refuses_and_lives:
        step.perform(stage)


def plain_case(
    id_: str,
    title: str,
    level: Level,
    *steps: object,
    variant: str = "",
    also: tuple[str, ...] = (),
) -> Case:
    """Return a case about PLAIN that begins behind the greeting."""
    return Case(
        id=id_,
        title=title,
        source=SOURCE,
        level=level,
        variant=variant,
        also=also,
        start=Start.GREETED,
        capabilities=PLAIN,
        mail=M2,
        exact=False,
        steps=steps,  # type: ignore[arg-type]
    )


CASES = (
    plain_case(
        "5034-S-01",
        "AUTH with an initial response logs in",
        Level.MUST,
        Ask("AUTH PLAIN {plain}"),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
        also=("5034-S-19", "TG-A3-5"),
    ),
    plain_case(
        "1734-S-01",
        "AUTH without an initial response logs in",
        Level.MUST,
        Ask("AUTH PLAIN", r"\+ "),
        Ask("{plain}"),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
    ),
    Case(
        id="5034-S-02",
        title="PLAIN is listed under TLS and not in clear, where passwords need TLS",
        source="RFC 5034 §3",
        level=Level.MUST,
        traits=frozenset({Trait.STRICT}),
        start=Start.GREETED,
        steps=(
            Logic(lambda stage: _lists_plain(stage, False)),
            Upgrade(),
            Logic(lambda stage: _lists_plain(stage, True)),
        ),
    ),
    plain_case(
        "5034-S-04",
        "After the login AUTH is refused",
        Level.MUST,
        Ask("AUTH PLAIN {plain}"),
        Ask("AUTH PLAIN {plain}", ERR),
        Ask("AUTH PLAIN", ERR),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
        also=("4422-S-05",),
    ),
    plain_case(
        "5034-S-05",
        "A mechanism the server does not have is refused, and the session goes on",
        Level.MUST,
        *refuses("AUTH XYZZY", "AUTH XYZZY AGFs"),
        Ask("AUTH PLAIN {plain}"),
    ),
    plain_case(
        "5034-S-06",
        "The case of AUTH and of a mechanism's name does not matter",
        Level.MUST,
        Ask("auth plain", r"\+ "),
        Ask("{plain}"),
    ),
    plain_case(
        "5034-S-08",
        "The empty challenge is a plus, a space and the line end",
        Level.MUST,
        Logic(begins_with_challenge),
        also=("5034-S-07",),
    ),
    plain_case(
        "5034-S-09",
        "An initial response of '=' is there and empty",
        Level.MUST,
        Ask("AUTH PLAIN =", ERR),
        Ask("AUTH PLAIN {plain}"),
    ),
    plain_case(
        "5034-S-10",
        "As a later response '=' is malformed",
        Level.MUST,
        Ask("AUTH PLAIN", r"\+ "),
        Ask("=", ERR),
        Ask("AUTH PLAIN {plain}"),
    ),
    plain_case(
        "5034-S-10",
        "An empty line is an empty response",
        Level.MUST,
        Ask("AUTH PLAIN", r"\+ "),
        Ask("", ERR),
        Ask("AUTH PLAIN {plain}"),
        variant="empty-line",
    ),
    plain_case(
        "5034-S-12",
        "An initial response of 4 KiB does not bring the server out of step",
        Level.MUST,
        Logic(long_initial_response),
    ),
    plain_case(
        "5034-S-13",
        "A response has the length its mechanism needs",
        Level.MUST,
        Logic(largest_plain),
        also=("4616-S-02",),
    ),
    plain_case(
        "2449-S-03",
        "A response of 12 000 octets is read like any other",
        Level.INFERRED,
        Logic(long_response),
    ),
    plain_case(
        "5034-S-29",
        "A response longer than any is refused, or ends the connection",
        Level.INFERRED,
        Logic(endless_response),
        variant="endless",
    ),
    plain_case(
        "5034-S-14",
        "A line of '*' cancels",
        Level.MUST,
        Ask("AUTH PLAIN", r"\+ "),
        Ask("*", ERR),
        Ask("STAT", ERR),
        Ask("AUTH PLAIN {plain}"),
    ),
    *(
        plain_case(
            "5034-S-15",
            f"{text!r} is no base64",
            Level.MUST,
            Ask(f"AUTH PLAIN {text}", ERR),
            Ask("AUTH PLAIN", r"\+ "),
            Ask(text, ERR),
            Ask("QUIT"),
            variant=f"{number}",
        )
        for number, text in enumerate(BAD_BASE64, 1)
    ),
    *(
        plain_case(
            "5034-S-15",
            f"The right credentials with {alien!r} amid their base64 are refused",
            Level.MUST,
            spoilt_inside(alien),
            Ask("AUTH PLAIN {plain}"),
            variant=variant,
        )
        for variant, alien in (("star-inside", "*"), ("space-inside", " "), ("dot-inside", "."))
    ),
    plain_case(
        "5034-S-15",
        "Nothing may follow the initial response",
        Level.MUST,
        Ask("AUTH PLAIN {plain} x", ERR),
        Ask("STAT", ERR),
        variant="trailing",
    ),
    plain_case(
        "5034-S-15",
        "A space behind the initial response spoils it",
        Level.INFERRED,
        Ask("AUTH PLAIN {plain} ", ERR),
        Ask("STAT", ERR),
        variant="trailing-space",
    ),
    plain_case(
        "5034-S-16",
        "Bits behind the end of base64 are zero",
        Level.INFERRED,
        Logic(pad_bits),
    ),
    plain_case(
        "5034-S-17",
        "After a failed AUTH the session is as before it",
        Level.MUST,
        Ask("AUTH PLAIN {wrong_plain}", ERR),
        Ask("STAT", ERR),
        Given(Ask("AUTH PLAIN", r"\+ ")),
        Ask("{plain}"),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
    ),
    plain_case(
        "5034-S-18",
        "AUTH makes the server forget a name given before",
        Level.INFERRED,
        Given(Ask("USER {user}")),
        Ask("AUTH XYZZY", ERR),
        Ask("PASS {password}", ERR),
    ),
    Case(
        id="5034-S-25",
        title="PLAIN works under TLS",
        source=SOURCE,
        level=Level.MUST,
        traits=frozenset({Trait.STLS}),
        start=Start.GREETED,
        mail=M2,
        exact=False,
        steps=(
            Upgrade(),
            Logic(has_auth),
            Ask("AUTH PLAIN {plain}"),
            Ask("STAT", r"\+OK 2 \d+( .*)?"),
        ),
    ),
    plain_case(
        "5034-S-29",
        "An exchange left half-way harms nobody",
        Level.INFERRED,
        Ask("AUTH PLAIN", r"\+ "),
        Say(b"AGFs"),
        Drop(),
        LogInAgain(),
        Ask("STAT", r"\+OK 2 \d+( .*)?"),
    ),
    plain_case(
        "DF-S-04",
        "AUTH alone is refused, or lists what the capability lists",
        Level.INFERRED,
        Logic(mechanism_lists_agree),
        Ask("QUIT"),
    ),
    Case(
        id="4422-S-01",
        title="Mechanism names are short and in capitals; a longer one is refused",
        source="RFC 4422 §3.1",
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=PLAIN,
        steps=(Logic(names_are_formed),),
    ),
)


def _lists_plain(stage: Stage, due: bool) -> None:
    mechanisms = capabilities_of(stage.ask_lines("CAPA")).get("SASL")
    if due and mechanisms is None:
        raise NotApplicable("the server does not announce SASL, not even under TLS")
    if ("PLAIN" in (mechanisms or ())) != due:
        raise Unmet(f"the mechanisms listed are {list(mechanisms or ())}")

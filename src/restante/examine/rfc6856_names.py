"""RFC 6856 §2.2: names and passwords beyond ASCII, and how they are prepared."""

from __future__ import annotations

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import ERR, OK, Ask, Given, Logic, holds
from restante.examine.fixtures import M2
from restante.examine.outcome import NotApplicable, Unmet
from restante.examine.proofs import apop_digest, timestamp_in
from restante.examine.replies import capabilities_of
from restante.examine.rfc1939_apop import WAY_IN, apop, digest_of
from restante.examine.rfc6856 import case
from restante.examine.stage import Stage

NAMES = "RFC 6856 §2.2"
UTF8_USER = ("UTF8 USER",)
APOP_TOO = ("UTF8 USER", "APOP")
PREPARED = "IXIX"
PROHIBITED = {"control": "\x07", "private-use": "\ue000", "direction": "\u200e"}
MALFORMED = {"overlong": b"\xc0\xaf", "continuation": b"\x80", "surrogate": b"\xed\xa0\x80"}


def signs_in(password: bytes, pattern: str) -> Logic:
    """Return a step: USER, and PASS with these octets."""

    def attempt(stage: Stage) -> None:
        if pattern == ERR:
            stage.target.pace.guess()
        Given(Ask("USER {user}")).perform(stage)
        stage.send(b"PASS " + password + b"\r\n")
        holds(stage.wire.status(), pattern, f"PASS with {password!a}")

    return Logic(attempt)


def names(stage: Stage, spoilt: bytes) -> None:
    """Give a name with these octets in it, and the right password."""
    stage.send(b"USER {user}" + spoilt + b"\r\n")
    if stage.wire.status().positive:
        Ask("PASS {password}", ERR).perform(stage)


def prepared_name(stage: Stage) -> None:
    """Put a character into the name that preparing takes away again."""
    assert stage.account is not None
    name = stage.account.name
    spoilt = f"{name[:1]}\u00ad{name[1:]}"
    stage.send(f"APOP {spoilt} {digest_of(stage)}\r\n".encode())
    holds(stage.wire.status(), OK, "APOP and a name with U+00AD in it")


def prepared_secret(stage: Stage) -> None:
    """Show a digest of the secret as preparing leaves it."""
    timestamp = timestamp_in(stage.greeting)
    if timestamp is None:
        raise Unmet(f"this time the greeting {stage.greeting!a} has no timestamp")
    holds(apop(stage, apop_digest(timestamp, PREPARED)), OK, "the digest of the prepared secret")


def is_not_announced(stage: Stage) -> None:
    """Go on only where the server does not announce UTF8 with USER."""
    if "USER" in capabilities_of(stage.ask_lines("CAPA")).get("UTF8", ()):
        raise NotApplicable("the server announces UTF8 USER")


def beyond_ascii_is_refused(stage: Stage) -> None:
    """Show a password that is right and not in ASCII."""
    if stage.ask("USER {user}").positive:
        holds(stage.ask("PASS {password}"), ERR, "PASS with octets beyond ASCII")
    Ask("STAT", ERR).perform(stage)


CASES = (
    case(
        "6856-S-12",
        "A password in UTF-8 lets in, before UTF8 is said",
        Level.MUST,
        signs_in(b"{password}", OK),
        source=NAMES,
        start=Start.GREETED,
        capabilities=UTF8_USER,
        password="gr\u00fc\u00dfe-\u2603",  # noqa: S106 - made up for the case
    ),
    case(
        "6856-S-13",
        "A password is prepared before it is compared",
        Level.SHOULD,
        signs_in("I\u00adX\u2168".encode(), OK),
        source=NAMES,
        start=Start.GREETED,
        capabilities=UTF8_USER,
        password="IXIX",  # noqa: S106 - made up for the case
    ),
    *(
        case(
            "6856-S-13",
            f"A password with what SASLprep prohibits is refused: {kind}",
            Level.MUST,
            signs_in(b"{password}" + character.encode(), ERR),
            source=NAMES,
            variant=kind,
            start=Start.GREETED,
            capabilities=UTF8_USER,
        )
        for kind, character in PROHIBITED.items()
    ),
    *(
        case(
            "6856-S-14",
            f"Malformed UTF-8 is refused: {kind}",
            Level.MUST,
            signs_in(b"{password}" + octets, ERR),
            Logic(lambda stage, octets=octets: names(stage, octets)),  # type: ignore[misc]
            Ask("STAT", ERR),
            source=NAMES,
            variant=kind,
            start=Start.GREETED,
            capabilities=UTF8_USER,
        )
        for kind, octets in MALFORMED.items()
    ),
    case(
        "6856-S-15",
        "APOP prepares the name",
        Level.MUST,
        Logic(WAY_IN.can_log_in),
        Logic(prepared_name),
        source=NAMES,
        variant="name",
        start=Start.GREETED,
        capabilities=APOP_TOO,
        ascii_mail=True,
    ),
    case(
        "6856-S-15",
        "APOP prepares the secret before it computes the digest",
        Level.MUST,
        Logic(prepared_secret),
        source=NAMES,
        variant="secret",
        start=Start.GREETED,
        capabilities=APOP_TOO,
        password="I\u00adX\u2168",  # noqa: S106 - made up for the case
        ascii_mail=True,
    ),
    Case(
        id="6856-S-16",
        title="Where UTF8 USER is not announced, PASS takes ASCII alone",
        source=NAMES,
        level=Level.INFERRED,
        start=Start.GREETED,
        capabilities=("CAPA", "USER"),
        mail=M2,
        exact=False,
        password="gr\u00fc\u00dfe-\u2603",  # noqa: S106 - made up for the case
        steps=(Logic(is_not_announced), Logic(beyond_ascii_is_refused)),
    ),
)

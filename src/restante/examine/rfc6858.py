"""RFC 6858: what a client without UTF8 is shown in place of an international message."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from restante.examine.case import Level
from restante.examine.dialogue import AskMessage, Logic
from restante.examine.outcome import NotApplicable, NotTried, Unmet
from restante.examine.rfc6856 import NOT_ASCII, case, shown
from restante.examine.stage import Stage


def surrogate(stage: Stage) -> bytes:
    """Return the surrogate the server shows, if it shows one."""
    content = shown(stage, "RETR 1")
    if content is None:
        raise NotApplicable("the server refuses what it would have to replace")
    if NOT_ASCII.search(content.partition(b"\r\n\r\n")[0]):
        raise NotTried("the server shows the header as it is")
    return content


def addresses_are_nobodys(stage: Stage) -> None:
    """Look for an address that could be somebody's in place of one that cannot be shown."""
    header = surrogate(stage).partition(b"\r\n\r\n")[0].decode("latin-1")
    unfolded = re.sub(r"\r\n[ \t]+", " ", header)
    for field in re.findall(r"(?im)^(?:from|to): *(.*)$", unfolded):
        bare = (word for word in re.split(r"[\s;,]+", field) if "@" in word)
        found = re.findall(r"<([^<>]*)>", field) or list(bare)
        for address in found:
            if not re.search(r"(?i)\.invalid$", address):
                raise Unmet(f"the surrogate's address is {field[:80]!a}")


def subject_is_encoded(stage: Stage) -> None:
    """Decode the subject of the surrogate."""
    header = surrogate(stage).partition(b"\r\n\r\n")[0].decode("latin-1")
    found = re.search(r"(?im)^subject: *(.*(?:\r\n[ \t].*)*)$", header)
    if found is None or _decoded(found[1]).strip() != "Grüße ☃":
        raise Unmet(f"the subject is {found and found[1][:120]!a}")


def _decoded(subject: str) -> str:
    """Return the text of encoded words, raising ValueError or LookupError where it is none."""
    try:
        return str(make_header(decode_header(subject)))
    except HeaderParseError as failure:
        raise ValueError(str(failure)) from failure


def signature_is_kept(stage: Stage) -> None:
    """Look for the signature field in the surrogate."""
    if b"\r\ndkim-signature:" not in b"\r\n" + surrogate(stage).lower():
        raise Unmet("the surrogate has lost its DKIM-Signature")


def top_is_of_the_surrogate(stage: Stage) -> None:
    """Compare TOP with RETR."""
    whole = surrogate(stage)
    header, blank, body = whole.partition(b"\r\n\r\n")
    due = header + blank + b"".join(body.splitlines(keepends=True)[:1])
    AskMessage("TOP 1 1", due).perform(stage)


CASES = (
    case(
        "6858-S-01",
        "An address that cannot be shown becomes nobody's",
        Level.INFERRED,
        Logic(addresses_are_nobodys),
        source="RFC 6858 §2.1",
    ),
    case(
        "6858-S-02",
        "A subject that cannot be shown is encoded",
        Level.MAY,
        Logic(subject_is_encoded),
        source="RFC 6858 §2.3",
    ),
    case(
        "6858-S-03",
        "TOP counts the lines of the surrogate",
        Level.MUST,
        Logic(top_is_of_the_surrogate),
        source="RFC 6858 §4",
        capabilities=("UTF8", "TOP"),
    ),
    case(
        "6858-S-04",
        "A signature stays in the surrogate",
        Level.INFERRED,
        Logic(signature_is_kept),
        source="RFC 6858 §5",
    ),
)

"""What the suite finds of Restante other than "passes", each with its reason.

The conformance page reads this too: a case about what is not offered shows nothing yet, and one
that differs shows a decision.
"""

from __future__ import annotations

from restante.examine.case import Case

DECIDED: dict[str, str] = {
    "9325-S-06": "a name no certificate has is served with the default one: clients that connect"
    " by address or by an alias would otherwise be shut out",
}
"""Cases that differ by a recorded decision, with the decision."""

NO_DELAY = "there is no delay between logins"

NOT_OFFERED: dict[str, str] = {
    "LOGIN-DELAY": NO_DELAY,
    "SASL ANONYMOUS": "nobody gets in without a name",
}
"""What is not announced, by the words of a case's precondition."""

ABSENT: dict[str, str] = {
    "2449-S-28": "EXPIRE is NEVER",
    "6856-S-16": "names and passwords in UTF-8 are announced",
    "9325-S-10/dhe": "no suite with such an exchange is taken",
}
"""Further cases about what the server does not have, by name."""

UNTRIED: dict[str, str] = {"2195-S-03": "a name with a space is nobody's here"}
"""Cases that want what cannot be had here."""

DIGEST_CAPABILITIES = frozenset({"APOP", "SASL CRAM-MD5"})
BESIDE_PASSWORDS = frozenset({"1939-S-48/apop", "1939-S-63"})
"""Cases of digests that want passwords to be taken as well."""


def why_absent(case: Case) -> str | None:
    """Return why a case is not applicable to Restante, or None where it is."""
    for wanted in case.capabilities:
        if wanted in NOT_OFFERED:
            return NOT_OFFERED[wanted]
    return ABSENT.get(case.name)

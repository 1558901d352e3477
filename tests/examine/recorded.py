"""What the suite finds of Restante other than "passes", each with its reason.

The conformance page reads this too: a case about what is not offered shows nothing yet, and one
that differs shows a decision.
"""

from __future__ import annotations

from restante.examine import rfc5802_plus
from restante.examine.case import Case

DECIDED: dict[str, str] = {
    "9325-S-06": "a name no certificate has is served with the default one: clients that connect"
    " by address or by an alias would otherwise be shut out",
    "5034-S-27": "SCRAM comes with a later version; until then PLAIN under TLS is what there is",
}
"""Cases that differ by a recorded decision, with the decision."""

LATER = "comes with a later version"
NO_DELAY = "there is no delay between logins"

NOT_OFFERED: dict[str, str] = {
    "APOP": LATER,
    "LANG": LATER,
    "LOGIN-DELAY": NO_DELAY,
    "SASL ANONYMOUS": "nobody gets in without a name",
    "SASL CRAM-MD5": LATER,
    "SASL LOGIN": LATER,
    "SASL SCRAM-SHA-1": LATER,
    "SASL SCRAM-SHA-256": LATER,
    "UTF8": LATER,
    "UTF8 USER": LATER,
}
"""What is not announced, by the words of a case's precondition."""

ABSENT: dict[str, str] = {
    "2449-S-28": "EXPIRE is NEVER",
    "5802-S-10/plus": LATER,
    "5802-S-11": LATER,
    "5802-S-11/bare": LATER,
    "5802-S-11/pairs": LATER,
    "7677-S-01": LATER,
    "7677-S-01/announced": LATER,
    **{case.name: LATER for case in rfc5802_plus.CASES},
    "2595-S-15": LATER,
    "2595-S-07/certificate": LATER,
    "8314-S-02/certificate": LATER,
    "8314-S-08/holders": LATER,
    **{f"4422-S-06/{variant}": LATER for variant in ("asked", "own-name", "somebody", "nobody")},
    "4422-S-07": LATER,
    "7628-S-01": LATER,
    "7628-S-04": LATER,
    "7628-S-04/cancelled": LATER,
    "7628-S-05": LATER,
    **{f"7628-S-02/{variant}": LATER for variant in ("token", "unknown-key", "scheme", "no-auth")},
    **{f"7628-S-0{rest}": LATER for rest in ("2/cut", "3/host", "6/other", "6/altered")},
    "XOAUTH2-S-01": LATER,
    "XOAUTH2-S-01/token": LATER,
    "XOAUTH2-S-01/other": LATER,
    "XOAUTH2-S-02": LATER,
}
"""Further cases about what the server does not have, by name."""


def why_absent(case: Case) -> str | None:
    """Return why a case is not applicable to Restante, or None where it is."""
    for wanted in case.capabilities:
        if wanted in NOT_OFFERED:
            return NOT_OFFERED[wanted]
    return ABSENT.get(case.name)

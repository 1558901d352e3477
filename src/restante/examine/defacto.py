"""Commands that were never, or are no longer, in the standard."""

from __future__ import annotations

from restante.examine.case import Case, Level
from restante.examine.dialogue import EITHER, Ask, refuses
from restante.examine.fixtures import M2

CASES = (
    Case(
        id="DF-S-01",
        title="LAST is unknown, or tells a number",
        source="RFC 1460 §5 (LAST)",
        level=Level.INFERRED,
        mail=M2,
        steps=(Ask("LAST", r"(\+OK \d+.*|-ERR.*)"), Ask("NOOP")),
    ),
    Case(
        id="DF-S-02",
        title="RPOP is unknown",
        source="RFC 1225 (RPOP)",
        level=Level.INFERRED,
        mail=M2,
        steps=(*refuses("RPOP {user}"), Ask("NOOP", EITHER)),
    ),
    Case(
        id="DF-S-03",
        title="XTND is unknown",
        source="RFC 1082 (XTND)",
        level=Level.INFERRED,
        mail=M2,
        steps=(*refuses("XTND BBOARDS", "XTND ARCHIVE x", "XTND XMIT"), Ask("NOOP", EITHER)),
    ),
)

"""Commands that were never, or are no longer, in the standard."""

from __future__ import annotations

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import EITHER, ERR, Ask, refuses
from restante.examine.fixtures import M2

CASES = (
    Case(
        id="DF-S-05",
        title="XCLIENT is not for everybody",
        source="XCLIENT, as deployed",
        level=Level.INFERRED,
        start=Start.GREETED,
        steps=(Ask("XCLIENT ADDR=192.0.2.1 PORT=110", ERR), Ask("QUIT")),
    ),
    Case(
        id="DF-S-06",
        title="A PROXY header is not taken from everybody",
        source="PROXY protocol, version 1",
        level=Level.INFERRED,
        start=Start.GREETED,
        steps=(Ask("PROXY TCP4 192.0.2.1 192.0.2.2 1 110", ERR), Ask("QUIT")),
    ),
    Case(
        id="DF-S-01",
        title="LAST is unknown, or tells a number",
        source="RFC 1460 §5 (LAST)",
        level=Level.INFERRED,
        mail=M2,
        exact=False,
        steps=(Ask("LAST", r"(\+OK \d+.*|-ERR.*)"), Ask("NOOP")),
    ),
    Case(
        id="DF-S-02",
        title="RPOP is unknown",
        source="RFC 1225 (RPOP)",
        level=Level.INFERRED,
        mail=M2,
        exact=False,
        steps=(*refuses("RPOP {user}"), Ask("NOOP", EITHER)),
    ),
    Case(
        id="DF-S-03",
        title="XTND is unknown",
        source="RFC 1082 (XTND)",
        level=Level.INFERRED,
        mail=M2,
        exact=False,
        steps=(*refuses("XTND BBOARDS", "XTND ARCHIVE x", "XTND XMIT"), Ask("NOOP", EITHER)),
    ),
)

"""Generate the page on states and commands from the table that the server obeys.

    python docs/generate_states.py

Writes docs/reference/states.md. Which command is legal where comes from
`restante.protocol.legality`; where a command leads, which no table of the code says in one place,
stands here.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from restante.protocol.commands import Verb
from restante.protocol.legality import KEEPS_NAME, LEGAL, Phase

PAGE = Path(__file__).parent / "reference" / "states.md"

BOXES = {
    Phase.AUTHORIZATION: "Authorization",
    Phase.NAMED: "Named",
    Phase.EXCHANGE: "Exchange",
    Phase.TRANSACTION: "Transaction",
}
"""Names of the phases in the diagram."""

LEADS = {
    (Phase.AUTHORIZATION, Verb.USER): "Named",
    (Phase.AUTHORIZATION, Verb.AUTH): "Exchange",
    (Phase.AUTHORIZATION, Verb.QUIT): "[*]",
    (Phase.NAMED, Verb.PASS): "Transaction",
    (Phase.NAMED, Verb.AUTH): "Exchange",
    (Phase.NAMED, Verb.STLS): "Authorization",
    (Phase.NAMED, Verb.QUIT): "[*]",
    (Phase.TRANSACTION, Verb.QUIT): "Update",
}
"""Where a command that succeeds leads; one that is not here stays where it is."""

OTHERWISE = (
    ("[*]", "Authorization", "greeting"),
    ("Named", "Authorization", "PASS refused, or any other line"),
    ("Exchange", "Transaction", "proof accepted, maildrop locked"),
    ("Exchange", "Authorization", "refused, cancelled or malformed"),
    ("Update", "[*]", "marked messages removed, or not all of them"),
)
"""What leads on without being a command that succeeds."""

HEAD = """\
# States and commands

Made by `python docs/generate_states.py` from `restante.protocol.legality`; a test holds it to that
table.

A session begins in AUTHORIZATION and goes one way: to TRANSACTION when somebody has proved who
they are and their maildrop is locked, to UPDATE when they say `QUIT` there (RFC 1939 §3). A
session that ends in any other way never comes to UPDATE, and nothing is removed.
"""

NOTES = """\
* **legal**: the command is carried out, or refused for a reason of its own.
* **-ERR**: the command is not possible in this state; nothing happens.
* **data**: the line is a response of the exchange, whatever it looks like (RFC 5034 §4).

`STLS` is legal where it is offered and no TLS is active; behind it everything said in clear is
forgotten (RFC 2595 §4), `UTF8` and what `LANG` chose too. `USER` and `AUTH` are legal where
passwords may be sent: by default only under TLS.
"""


def diagram() -> Iterator[str]:
    """Yield the lines of the diagram."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    for source, target, label in OTHERWISE:
        yield f"    {source} --> {target}: {label}"
    for phase, box in BOXES.items():
        staying = []
        for verb in _legal_in(phase):
            target = LEADS.get((phase, verb), box)
            if target == box:
                staying.append(verb.value)
            else:
                yield f"    {box} --> {target}: {verb}"
        if staying:
            yield f"    {box} --> {box}: {', '.join(staying)}"
    yield "```"


def table() -> Iterator[str]:
    """Yield the lines of the table of commands and states."""
    yield f"| command | {' | '.join(Phase)} |"
    yield "|---" * (len(Phase) + 1) + "|"
    for verb in Verb:
        cells = ["data" if phase is Phase.EXCHANGE else _cell(verb, phase) for phase in Phase]
        yield f"| `{verb}` | {' | '.join(cells)} |"


def page() -> str:
    """Return the page."""
    keeps = ", ".join(f"`{verb}`" for verb in sorted(KEEPS_NAME))
    named = f"A name given by `USER` stands until a line other than {keeps} comes."
    parts = (HEAD, "\n".join(diagram()) + "\n", "\n".join(table()) + "\n", NOTES, named + "\n")
    return "\n".join(parts)


def _legal_in(phase: Phase) -> Iterator[Verb]:
    return (verb for verb in Verb if phase in LEGAL[verb])


def _cell(verb: Verb, phase: Phase) -> str:
    return "legal" if phase in LEGAL[verb] else "-ERR"


def main() -> int:
    """Write the page; return the exit status."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())

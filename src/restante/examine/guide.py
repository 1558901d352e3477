"""The TCP/IP Guide, chapter on POP3: sessions as a textbook tells them.

Most of its statements are shown by the cases of the RFCs, which name its ids too.
"""

from __future__ import annotations

import re

from restante.examine.case import Case, Level, Start
from restante.examine.dialogue import OK, Ask, AskLines, AskMessage, Hear, Logic, LogInAgain, Quit
from restante.examine.fixtures import M2, SIZE_120, SIZE_200
from restante.examine.outcome import Unmet
from restante.examine.stage import Stage

STATE = "TCP/IP Guide, Authorization State"


def two_users_two_maildrops(stage: Stage) -> None:
    """Log in as two users and compare what each sees."""
    for name, password, due in (
        ("{user}", "{password}", r"\+OK 2 320( .*)?"),
        ("{second_user}", "{second_password}", r"\+OK 0 0( .*)?"),
    ):
        stage.begin(Start.GREETED, name)
        Ask(f"USER {name}").perform(stage)
        Ask(f"PASS {password}").perform(stage)
        reply = stage.ask("STAT")
        if not re.fullmatch(due, reply.line):
            raise Unmet(f"{name} is told {reply.line!a}; expected {due}")


CASES = (
    Case(
        id="TG-A1-7",
        title="The greeting is the one printed in the book",
        source=STATE,
        level=Level.INFERRED,
        start=Start.CONNECTED,
        steps=(Hear(r"\+OK POP3 server ready( <[^<>]+>)?", to="connecting"),),
    ),
    Case(
        id="TG-A1-10",
        title="Who logs in decides which maildrop opens",
        source="RFC 1939 §7 (PASS); TCP/IP Guide, Authorization State",
        level=Level.MUST,
        start=Start.GREETED,
        capabilities=("USER",),
        mail=M2,
        second_account=True,
        steps=(Logic(two_users_two_maildrops),),
    ),
    Case(
        id="TG-A2-4",
        title="The answer to a login has a text",
        source=STATE,
        level=Level.MAY,
        start=Start.GREETED,
        capabilities=("USER",),
        mail=M2,
        exact=False,
        steps=(Ask("USER {user}", OK), Ask("PASS {password}", r"\+OK .+")),
    ),
    Case(
        id="TG-T-4",
        title="The session of RFC 1939 §10 runs as printed",
        source="TCP/IP Guide, Transaction State; RFC 1939 §10",
        level=Level.MUST,
        mail=M2,
        scratch=True,
        steps=(
            Ask("STAT", r"\+OK 2 320( .*)?"),
            AskLines("LIST", ("1 120", "2 200")),
            AskMessage("RETR 1", SIZE_120.wire),
            Ask("DELE 1"),
            AskMessage("RETR 2", SIZE_200.wire),
            Ask("DELE 2"),
            Quit(),
            LogInAgain(),
            Ask("STAT", r"\+OK 0 0( .*)?"),
        ),
    ),
)

"""Mail as it was found: what another program does to it meanwhile is not the server's doing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from restante.examine.case import Finding, Verdict
from restante.examine.judge import Judge
from restante.examine.pace import Pace
from restante.examine.rfc1939_as_found import CASES, LOOKS
from unit.examine.crooked import CrookedServer, Mailbox


@pytest.fixture
def server() -> Iterator[CrookedServer]:
    running = CrookedServer()
    yield running
    running.stop()


def meddled(
    server: CrookedServer, name: str, meddle: Callable[[Mailbox, int], None], times: int
) -> Finding:
    """Play a case while another program changes the mail before each of so many logins."""
    [case] = [case for case in CASES if case.name == name]
    logins = 0

    class Meddling(Pace):
        def before_login(self) -> None:
            nonlocal logins
            logins += 1
            if logins <= times:
                meddle(list(server.mailboxes.values())[-1], logins)

    return Judge(replace(server.target(5.0), pace=Meddling())).try_case(case)


def comes_and_goes(mailbox: Mailbox, login: int) -> None:
    """Remove the oldest message and add one of another size."""
    del mailbox.mail[:1]
    mailbox.add(b"Subject: %s\n\nnew\n" % (b"x" * login))


def test_ids_of_mail_that_comes_and_goes_once_are_looked_at_again(server: CrookedServer) -> None:
    assert meddled(server, "1939-S-102/as-found", comes_and_goes, 2).verdict is Verdict.PASSES


def test_ids_of_mail_that_never_rests_show_nothing(server: CrookedServer) -> None:
    found = meddled(server, "1939-S-102/as-found", comes_and_goes, LOOKS + 2)
    assert found.verdict is Verdict.NOT_TRIED
    assert "comes and goes" in found.why


@pytest.mark.parametrize("name", ["1939-S-79/as-found", "1939-S-94/as-found"])
def test_what_is_so_in_one_session_alone_shows_nothing(server: CrookedServer, name: str) -> None:
    def forgive(mailbox: Mailbox, login: int) -> None:
        server.faults = frozenset()  # of the sessions behind this one

    server.faults = frozenset({"stored-size", "short-top"})
    found = meddled(server, name, forgive, 1)
    assert found.verdict is Verdict.NOT_TRIED
    assert "no more in the next session" in found.why

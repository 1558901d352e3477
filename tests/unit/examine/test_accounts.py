"""The given accounts: what may be put into a maildrop, and what is taken out of it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from restante.examine.accounts import GivenAccounts
from restante.examine.case import Case, Level, Verdict
from restante.examine.dialogue import Ask
from restante.examine.doors import Door
from restante.examine.fixtures import M0, M1, M2, M5, MD, NUL_INSIDE, SIZE_120, SIZE_200, Fixture
from restante.examine.judge import Judge
from restante.examine.outcome import NotTried
from restante.examine.pace import Pace
from restante.examine.target import Account, Consent
from restante.examine.visit import MOST_REMOVED, Visitor
from unit.examine.crooked import CrookedServer

THEIRS = b"Subject: theirs\r\n\r\nkeep me\r\n"


@pytest.fixture(scope="module")
def running() -> Iterator[CrookedServer]:
    server = CrookedServer()
    yield server
    server.stop()


@pytest.fixture
def server(running: CrookedServer) -> CrookedServer:
    running.faults = frozenset()
    running.mailboxes.clear()
    return running


class TestDoor(Door):
    """A way straight into the server."""

    __test__ = False

    def __init__(self, server: CrookedServer, account: Account) -> None:
        self._server = server
        self._account = account
        self.adds = b""
        self.for_nul = b"\0"
        self.loses = False
        self.shut = False
        self.delivered = 0
        self.out: list[bytes] | None = None

    def check(self) -> None:
        if self.shut:
            raise NotTried("it is shut")

    def deliver(self, octets: bytes) -> None:
        self.delivered += 1
        if not self.loses:
            self._server.deposit(self._account, self.adds + octets.replace(b"\0", self.for_nul))
        if self.out is not None:
            self.out.append(octets)

    def take_out(self) -> bool:
        if self.out is None:
            return False
        mailbox = self._server.mailboxes[self._account.name]
        mailbox.mail = [each for each in mailbox.mail if each[1] not in self.out]
        self.out.clear()
        return True


class Scene:
    """One account at the server, and what the suite makes of it."""

    def __init__(
        self, server: CrookedServer, *held: bytes, scratch: bool = False, takes_out: bool = False
    ) -> None:
        self.server = server
        self.account = server.provide(held, password=None, scratch=False, turn=0)
        self.door = TestDoor(server, self.account)
        if takes_out:
            self.door.out = []
        visitor = Visitor(self.account, {"USER": ()})
        self.accounts = GivenAccounts(visitor, len(held), door=self.door, scratch=scratch)
        self.target = replace(
            server.target(),
            accounts=self.accounts,
            consent=Consent(removal=scratch),
            pace=Pace(),
        )
        visitor.attach(self.target)

    def provide(self, mail: tuple[Fixture, ...], *, scratch: bool = False) -> None:
        stored = [fixture.stored for fixture in mail]
        self.accounts.provide(stored, password=None, scratch=scratch, turn=0)
        assert self.mail == stored

    @property
    def mail(self) -> list[bytes]:
        return [octets for _, octets in self.server.mailboxes[self.account.name].mail]


def test_an_empty_maildrop_is_filled_and_added_to(server: CrookedServer) -> None:
    scene = Scene(server)
    for mail in (M0, M1, M2, M2, M5):
        scene.provide(mail)
    assert scene.door.delivered == 5


def test_without_consent_nothing_is_taken_out_again(server: CrookedServer) -> None:
    scene = Scene(server)
    scene.provide(M2)
    for mail in (M1, MD, M0):
        with pytest.raises(NotTried, match="may not be taken out"):
            scene.provide(mail)
    scene.provide(M5)
    scene.accounts.clear_up()
    assert scene.accounts.leaves_mail
    assert len(scene.mail) == 5


def test_where_any_mail_will_do_there_is_some(server: CrookedServer) -> None:
    scene = Scene(server, scratch=True)
    scene.accounts.provide(None, password=None, scratch=False, turn=0)
    assert scene.mail == [fixture.stored for fixture in M5]
    scene.provide(M0)
    scene.accounts.clear_up()
    assert scene.mail == []


def test_nothing_is_put_in_that_could_not_be_taken_out(server: CrookedServer) -> None:
    scene = Scene(server)
    scene.accounts.provide(None, password=None, scratch=False, turn=0)
    assert scene.mail == []


def test_a_door_both_ways_needs_no_removal(server: CrookedServer) -> None:
    scene = Scene(server, takes_out=True)
    for mail in (M2, MD, M0, M5, M1):
        scene.provide(mail)
    scene.accounts.clear_up()
    assert scene.mail == []
    assert not scene.accounts.leaves_mail


def test_a_scratch_maildrop_is_emptied_and_filled(server: CrookedServer) -> None:
    scene = Scene(server, THEIRS, scratch=True)
    scene.accounts.prepare()
    assert scene.mail == []
    for mail in (M5, MD, M2):
        scene.provide(mail, scratch=True)
    scene.accounts.clear_up()
    assert scene.mail == []


def test_the_mail_of_others_stays(server: CrookedServer) -> None:
    scene = Scene(server, THEIRS, takes_out=True)
    scene.accounts.prepare()
    for mail in (M0, M2):
        with pytest.raises(NotTried, match="has others in it"):
            scene.provide(mail)
    scene.accounts.clear_up()
    assert scene.mail == [THEIRS]
    assert scene.door.delivered == 0
    assert not scene.accounts.owned


def test_nobody_counted_is_not_empty(server: CrookedServer) -> None:
    account = server.provide([], password=None, scratch=False, turn=0)
    accounts = GivenAccounts(Visitor(account, None), None)
    assert not accounts.owned


def test_a_scratch_maildrop_with_a_lot_in_it_is_somebodys(server: CrookedServer) -> None:
    scene = Scene(server, *[THEIRS] * (MOST_REMOVED + 1), scratch=True)
    with pytest.raises(NotTried, match="empty it first"):
        scene.accounts.prepare()
    assert len(scene.mail) == MOST_REMOVED + 1


def test_mail_that_arrives_in_between_ends_the_filling(server: CrookedServer) -> None:
    scene = Scene(server)
    server.deposit(scene.account, THEIRS)
    with pytest.raises(NotTried, match="mail of others"):
        scene.provide(M1)


def test_a_door_into_nowhere_is_noticed(server: CrookedServer) -> None:
    scene = Scene(server, scratch=True)
    scene.door.loses = True
    with pytest.raises(NotTried, match="does not arrive"):
        scene.accounts.prepare()


def test_a_door_that_adds_to_messages_is_noticed(server: CrookedServer) -> None:
    scene = Scene(server, scratch=True)
    scene.door.adds = b"Received: by somebody\r\n"
    scene.accounts.prepare()
    assert "changed on the way in" in scene.accounts.altered
    assert scene.mail == []


def test_where_the_door_is_shut_nothing_is_removed(server: CrookedServer) -> None:
    scene = Scene(server, THEIRS, scratch=True)
    scene.door.shut = True
    with pytest.raises(NotTried, match="shut"):
        scene.accounts.prepare()
    scene.accounts.clear_up()
    assert scene.mail == [THEIRS]
    assert not scene.accounts.leaves_mail


def test_no_door_is_a_reason(server: CrookedServer) -> None:
    account = server.provide([], password=None, scratch=False, turn=0)
    accounts = GivenAccounts(Visitor(account, None), 0)
    accounts.provide([], password=None, scratch=False, turn=0)
    with pytest.raises(NotTried, match="--maildir"):
        accounts.provide([b"x"], password=None, scratch=False, turn=0)
    accounts.clear_up()


def test_another_password_cannot_be_had(server: CrookedServer) -> None:
    accounts = Scene(server).accounts
    with pytest.raises(NotTried, match="password"):
        accounts.provide(None, password="pass with space", scratch=False, turn=0)


def test_a_second_account_is_only_looked_at(server: CrookedServer) -> None:
    scene = Scene(server)
    with pytest.raises(NotTried, match="--second-user"):
        scene.accounts.provide([], password=None, scratch=False, turn=1)
    for held, reason in (((), ""), ((THEIRS,), "has 1 messages")):
        second = server.provide(held, password=None, scratch=False, turn=1)
        visitor = Visitor(scene.account, {"USER": ()})
        visitor.attach(scene.target)
        accounts = GivenAccounts(visitor, 0, second=second, scratch=True)
        if reason:
            with pytest.raises(NotTried, match=reason):
                accounts.provide([], password=None, scratch=True, turn=1)
        else:
            assert accounts.provide([], password=None, scratch=True, turn=1) == second
        assert len(server.mailboxes[second.name].mail) == len(held)


def test_a_message_in_between_needs_a_door_that_is_prompt(server: CrookedServer) -> None:
    scene = Scene(server)
    with pytest.raises(NotTried, match="takes its time"):
        scene.accounts.deposit(scene.account, b"x")


def test_what_the_door_did_is_not_held_against_the_server(server: CrookedServer) -> None:
    scene = Scene(server, scratch=True)
    scene.door.adds = b"Received: by somebody\r\n"
    judge = Judge(scene.target)

    def verdict(pattern: str, **changes: Any) -> Verdict:
        return judge.try_case(
            Case(
                id="0000-S-00",
                title="Made up",
                source="here",
                level=Level.MUST,
                steps=(Ask("STAT", pattern),),
                mail=M2,
                **changes,
            )
        ).verdict

    assert verdict(r"\+OK 2 320") is Verdict.NOT_TRIED
    assert verdict(r"\+OK 2 \d+") is Verdict.PASSES
    assert verdict(r"\+OK 2 320", exact=False) is Verdict.DEPARTS


def test_a_case_gets_a_certain_name_or_is_not_tried(server: CrookedServer) -> None:
    scene = Scene(server)
    with pytest.raises(NotTried, match="' ' in its name"):
        scene.accounts.provide(None, password=None, scratch=False, turn=0, named=" ")
    part = scene.account.name[1:3]
    given = scene.accounts.provide(None, password=None, scratch=False, turn=0, named=part)
    assert given is scene.account


def test_each_message_is_looked_at_and_not_the_first_alone(server: CrookedServer) -> None:
    scene = Scene(server, scratch=True)
    scene.door.for_nul = b"?"
    stored = [SIZE_120.stored, NUL_INSIDE.stored]
    for mail, changed in ((stored[:1], False), (stored, True), (stored[:1], False), (stored, True)):
        scene.accounts.provide(mail, password=None, scratch=True, turn=0)
        assert bool(scene.accounts.altered) is changed


@pytest.mark.parametrize("adds", [b"", b"Received: by somebody\r\n"], ids=["as-it-is", "adds"])
def test_a_message_in_between_is_taken_for_as_changed_as_the_others(
    server: CrookedServer, adds: bytes
) -> None:
    scene = Scene(server, scratch=True)
    scene.door.prompt = True  # type: ignore[misc]
    scene.door.adds = adds
    scene.accounts.prepare()
    scene.accounts.provide([], password=None, scratch=True, turn=0)
    assert not scene.accounts.altered
    scene.accounts.deposit(scene.account, SIZE_200.stored)
    assert bool(scene.accounts.altered) is bool(adds)

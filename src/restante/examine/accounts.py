"""The accounts that the user of the suite names, and what their maildrops hold by now.

A maildrop is given to a case that wants messages of its own only where it was found empty, or
where its owner said that it is a scratch one; then it is emptied by DELE and QUIT, or by the door
that the messages came through. Where nothing can be taken out, messages are only ever added.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from restante.examine.doors import Door
from restante.examine.fixtures import M5
from restante.examine.outcome import NotTried
from restante.examine.target import Account, ClientCertificate

if TYPE_CHECKING:
    from restante.examine.visit import Visitor

NO_DOOR = (
    "it needs messages of its own in the maildrop, and there is no way to put them in: "
    "--maildir, --deliver-command, --lmtp or --smtp"
)
OTHERS = "it needs a maildrop that holds the suite's messages alone, and this one has others in it"
NOTHING_OUT = (
    "it needs other messages than were put in before, and they may not be taken out: "
    "--scratch-maildrop, or a --maildir"
)
CHANGED = "it needs messages to the octet, and they are changed on the way in"


class NoAccounts:
    """What a target has before there is any account to try cases with."""

    altered = ""

    def provide(
        self,
        mail: Sequence[bytes] | None,
        *,
        password: str | None,
        scratch: bool,
        turn: int,
        named: str = "",
    ) -> Account:
        """Have none."""
        raise NotTried("there is no account")

    def deposit(self, account: Account, octets: bytes) -> None:
        """Have none."""
        raise NotTried("there is no account")

    def certificate(self, account: Account) -> ClientCertificate:
        """Have none."""
        raise NotTried("there is no account")


NO_ACCOUNTS = NoAccounts()


class GivenAccounts:
    """The account under examination, and a second one where there is any.

    `messages` is how many were found in the maildrop; None is taken for mail that nobody counted.
    """

    def __init__(
        self,
        visitor: Visitor,
        messages: int | None,
        *,
        second: Account | None = None,
        door: Door | None = None,
        scratch: bool = False,
        certificate: ClientCertificate | None = None,
    ) -> None:
        self.altered = ""
        self._as_they_are: dict[bytes, bool] = {}
        self._certificate = certificate
        self._visitor = visitor
        self._second = second
        self._door = door
        self._scratch = scratch
        self._found = messages
        self._holds: list[bytes] | None = None if messages else []
        self._second_problem: str | None = None
        self._shut = False
        self.leaves_mail = False

    @property
    def owned(self) -> bool:
        """Tell whether the maildrop is the suite's own for now."""
        return self._scratch or self._found == 0

    # ---- what the judge asks for

    def provide(
        self,
        mail: Sequence[bytes] | None,
        *,
        password: str | None,
        scratch: bool,
        turn: int,
        named: str = "",
    ) -> Account:
        """Return an account whose maildrop holds exactly this mail."""
        if turn:
            return self._provide_second(mail)
        if password is not None and password != self._visitor.account.password:
            raise NotTried("it needs an account with a password that the suite chooses")
        if named not in self._visitor.account.name:
            raise NotTried(f"it needs an account with {named!a} in its name")
        if mail is not None:
            self._fill(list(mail))
        elif self._holds == [] and self._may_empty:
            # Any mail will do; but some cases look at what they find.
            with suppress(NotTried):
                self._fill([fixture.stored for fixture in M5])
        if scratch:
            self._holds = None
        return self._visitor.account

    def deposit(self, account: Account, octets: bytes) -> None:
        """Put one message into the maildrop while a case is on."""
        door = self._usable_door()
        if not door.prompt:
            raise NotTried("it needs a message at once, and this way in takes its time")
        self._holds = None
        if not self._as_they_are.get(octets, all(self._as_they_are.values())):
            self.altered = CHANGED
        door.deliver(octets)

    def certificate(self, account: Account) -> ClientCertificate:
        """Return the certificate of the account under examination."""
        if self._certificate is None:
            raise NotTried("it needs a certificate of the account: --client-certificate")
        return self._certificate

    # ---- before the first case and after the last

    def prepare(self) -> None:
        """See that the door works; raises NotTried."""
        if self._door is None or not self.owned:
            return
        self._shut = True
        self._door.check()
        self._shut = False
        if self._found and self._scratch:
            self._empty()
        if self._door.exact or self._scratch:
            self._fill([PROBE])
            self._empty()

    def clear_up(self) -> None:
        """Leave the maildrop as it was found, as far as that may be."""
        if self._door is None or not self.owned:
            return
        self._visitor.take_time()
        try:
            # Where no message could come in, whatever is there has been there before.
            if not self._shut and self._holds != []:
                self._empty()
        except NotTried:
            self.leaves_mail = True
        finally:
            self._door.close()

    # ---- the maildrop

    def _fill(self, mail: list[bytes]) -> None:
        """Have the maildrop hold this mail in this order."""
        if not self.owned:
            raise NotTried(OTHERS)
        if self._holds != mail:
            self._change_into(mail)
        as_they_are = all(self._as_they_are.get(octets, True) for octets in mail)
        self.altered = "" if as_they_are else CHANGED

    def _change_into(self, mail: list[bytes]) -> None:
        """Take out what is too much and put in what is not there."""
        if mail:
            self._usable_door()
        if self._holds is None or self._holds != mail[: len(self._holds)]:
            self._empty()
        for octets in mail[len(self._holds or ()) :]:
            self._add(octets)
        self._compare(mail)

    def _compare(self, mail: list[bytes]) -> None:
        """See, of each message once, whether the door has left it as it was."""
        if self._door is None or self._door.exact:
            return
        new = {n: octets for n, octets in enumerate(mail, 1) if octets not in self._as_they_are}
        for octets in new.values():
            self._as_they_are[octets] = True
        for octets in self._visitor.altered(new) if new else ():
            self._as_they_are[octets] = False

    def _add(self, octets: bytes) -> None:
        """Put one more message in and see that it is there."""
        door = self._usable_door()
        assert self._holds is not None
        held = self._holds
        first = not held
        self._holds = None
        door.deliver(octets)
        if first or not door.prompt:
            self._visitor.await_messages(len(held) + 1)
        self._holds = [*held, octets]

    def _empty(self) -> None:
        """Have the maildrop hold nothing, where that is allowed."""
        if self._door is not None and self._found == 0 and self._door.take_out():
            self._holds = []
            return
        if not self._scratch:
            raise NotTried(NOTHING_OUT)
        self._visitor.remove_everything()
        self._holds = []
        self._found = 0

    @property
    def _may_empty(self) -> bool:
        """Tell whether what is put in can be taken out again."""
        if self._door is None or not self.owned:
            return False
        return self._scratch or self._door.takes_out

    def _usable_door(self) -> Door:
        if self._door is None:
            raise NotTried(NO_DOOR)
        return self._door

    def _provide_second(self, mail: Sequence[bytes] | None) -> Account:
        """Return the second account, whose maildrop is only ever looked at."""
        if self._second is None:
            raise NotTried("it needs a second account: --second-user")
        if mail:
            raise NotTried("it needs messages in the maildrop of the second account")
        if self._second_problem is None:
            self._second_problem = self._visitor.problem_with(self._second)
        if self._second_problem:
            raise NotTried(self._second_problem)
        return self._second


PROBE = b"From: sender@example.org\r\nSubject: probe\r\n\r\nIs this the way in?\r\n"

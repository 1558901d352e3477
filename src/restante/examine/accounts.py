"""The accounts that the user of the suite names, and what their maildrops hold by now."""

from __future__ import annotations

from collections.abc import Sequence

from restante.examine.outcome import NotTried
from restante.examine.target import Account


class GivenAccounts:
    """The account under examination, and a second one where there is any."""

    def __init__(self, account: Account, second: Account | None = None) -> None:
        self._account = account
        self._second = second

    def provide(
        self, mail: Sequence[bytes] | None, *, password: str | None, scratch: bool, turn: int
    ) -> Account:
        """Return an account whose maildrop holds exactly this mail."""
        if password is not None and password != self._account.password:
            raise NotTried("it needs an account with a password of its own")
        if turn:
            raise NotTried("it needs a second account")
        if mail is not None:
            raise NotTried("it needs messages of its own in the maildrop")
        return self._account

    def deposit(self, account: Account, octets: bytes) -> None:
        """Put one message into the maildrop."""
        raise NotTried("it needs messages of its own in the maildrop")

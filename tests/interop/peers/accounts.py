"""Accounts at a peer, made as the judge asks for them."""

from collections.abc import Sequence
from typing import Protocol

from examine.served import ANY_MAIL
from restante.examine.outcome import NotTried
from restante.examine.target import Account, ClientCertificate


class Mailboxes(Protocol):
    """Where a peer keeps who may log in and their mail."""

    def add(self, account: Account) -> None:
        """Make an account with an empty mailbox."""

    def token(self, name: str) -> str | None:
        """Return a bearer token of an account, or none."""

    def put(self, account: Account, octets: bytes) -> None:
        """Put one message behind the others, or raise NotTried where the store cannot hold it."""

    def certificate(self, account: Account) -> ClientCertificate:
        """Return a certificate of the account, or raise NotTried where there is none."""


class PeerAccounts:
    """Accounts made as the cases ask for them; maildrops only read from are shared.

    Where a server writes into messages that are only read, each case gets a maildrop of its own.
    """

    altered = ""

    def __init__(self, mailboxes: Mailboxes, *, shared: bool = True) -> None:
        self._mailboxes = mailboxes
        self._shares = shared
        self._shared: dict[tuple[object, ...], Account] = {}
        self._made = 0

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
        if named:
            raise NotTried("the accounts made for this server have names of letters and digits")
        key = (None if mail is None else tuple(mail), password, turn)
        shared = self._shares and not scratch
        if shared and key in self._shared:
            return self._shared[key]
        self._made += 1
        name = f"case{self._made}"
        password = password or f"secret-{self._made}-{turn}"
        account = Account(name, password, self._mailboxes.token(name))
        self._mailboxes.add(account)
        for octets in ANY_MAIL if mail is None else mail:
            self._mailboxes.put(account, octets)
        if shared:
            self._shared[key] = account
        return account

    def deposit(self, account: Account, octets: bytes) -> None:
        """Put one message into the maildrop of the account."""
        self._mailboxes.put(account, octets)

    def certificate(self, account: Account) -> ClientCertificate:
        """Return a certificate of the account."""
        return self._mailboxes.certificate(account)

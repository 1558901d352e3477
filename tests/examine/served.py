"""A running server as the tests hand it over, and as the judge wants it."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from restante.examine.fixtures import M5
from restante.examine.outcome import NotTried
from restante.examine.target import Account, ClientCertificate, Endpoint, Target, Tls

ANY_MAIL = tuple(fixture.stored for fixture in M5)
"""What a maildrop holds of which a case asks nothing."""

_serial = itertools.count(1)


class Served(Protocol):
    """A server with one port of each kind, and a way to add accounts with a Maildir."""

    host: str
    clear_port: int
    strict_port: int
    tls_port: int
    none_port: int

    def account(self, name: str, password: str) -> Path:
        """Add an account and return its Maildir, which need not exist yet."""

    def token(self, name: str) -> str | None:
        """Return a bearer token for an account; None: none is taken."""

    def client_certificate(self, name: str) -> tuple[Path, Path] | None:
        """Return a certificate and its key for an account; None: none is taken."""


def deposit_into(maildir: Path, octets: bytes) -> None:
    """Deliver as the Maildir rules say: write into tmp, move to new."""
    for folder in ("tmp", "new", "cur"):
        (maildir / folder).mkdir(parents=True, exist_ok=True)
    number = next(_serial)
    name = f"{1_700_000_000 + number}.M{number:06}P1Q{number}.fixture"
    (maildir / "tmp" / name).write_bytes(octets)
    (maildir / "tmp" / name).rename(maildir / "new" / name)


class MaildirAccounts:
    """Accounts made as the cases ask for them; maildrops only read from are shared."""

    altered = ""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._maildirs: dict[str, Path] = {}
        self._shared: dict[tuple[object, ...], Account] = {}
        self._run = secrets.token_hex(3)

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
        key = (None if mail is None else tuple(mail), password, turn, named)
        if not scratch and key in self._shared:
            return self._shared[key]
        account = self._add(password or f"secret-{secrets.token_hex(7)}", named)
        for octets in ANY_MAIL if mail is None else mail:
            self.deposit(account, octets)
        if not scratch:
            self._shared[key] = account
        return account

    def deposit(self, account: Account, octets: bytes) -> None:
        """Put one message into the Maildir of the account."""
        deposit_into(self._maildirs[account.name], octets)

    def certificate(self, account: Account) -> ClientCertificate:
        """Have one issued, where the server takes any."""
        issued = self._server.client_certificate(account.name)
        if issued is None:
            raise NotTried("the server takes no client certificates")
        return ClientCertificate(*issued)

    def _add(self, password: str, named: str) -> Account:
        name = f"case{len(self._maildirs) + 1}{named}-{self._run}"
        account = Account(name, password, self._server.token(name))
        self._maildirs[account.name] = self._server.account(account.name, password)
        return account


def target_of(server: Served, *, patience_seconds: float = 20.0) -> Target:
    """Return the server as the judge wants it."""
    return Target(
        endpoints=(
            Endpoint(server.host, server.clear_port, Tls.STLS, cleartext=True),
            Endpoint(server.host, server.strict_port, Tls.STLS, cleartext=False),
            Endpoint(server.host, server.tls_port, Tls.IMPLICIT, cleartext=True),
            Endpoint(server.host, server.none_port, Tls.NONE, cleartext=True),
        ),
        accounts=MaildirAccounts(server),
        patience_seconds=patience_seconds,
        timing=True,
        server_has_passwords=True,
    )

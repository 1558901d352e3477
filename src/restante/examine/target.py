"""The server under examination: where it listens, who may log in, how mail gets in."""

from __future__ import annotations

import enum
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from restante.examine.case import Trait
from restante.examine.pace import Pace
from restante.examine.trust import ANYBODY, Trust


class Tls(enum.Enum):
    """How an endpoint comes to TLS."""

    NONE = "none"
    STLS = "stls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One listening port."""

    host: str
    port: int
    tls: Tls
    cleartext: bool

    @property
    def traits(self) -> frozenset[Trait]:
        """Return the properties a case can ask for."""
        if self.tls is Tls.IMPLICIT:
            return frozenset({Trait.IMPLICIT, Trait.TLS})
        traits = {Trait.BARE} if self.tls is Tls.NONE else {Trait.STLS, Trait.TLS}
        if self.cleartext:
            traits.add(Trait.CLEAR)
        elif self.tls is Tls.STLS:
            traits.add(Trait.STRICT)
        return frozenset(traits)


@dataclass(frozen=True, slots=True)
class Account:
    """A name and what proves it: a password and, where there is one, a bearer token."""

    name: str
    password: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate that says whose account it is, and its private key, in PEM."""

    certificate: Path
    key: Path | None = None

    def present_in(self, context: ssl.SSLContext) -> None:
        """Have handshakes present it, raising OSError (ssl.SSLError) where it is of no use."""
        context.load_cert_chain(self.certificate, self.key, password=_no_passphrase)


def _no_passphrase() -> str:
    """Keep OpenSSL from asking on the terminal, where nobody may be."""
    return ""


@dataclass(frozen=True, slots=True)
class Consent:
    """What whoever owns the account agrees to.

    Without `removal` no DELE is sent once an account is named, and without `reading` no RETR and
    no TOP either: a server may file away what was read, or remove on a lost connection what was
    only marked. Where `read_is_removed` (RFC 2449 §6.7, EXPIRE 0) to read is to remove. Without
    `clear_passwords` its password goes under TLS alone.
    """

    removal: bool = True
    reading: bool = True
    clear_passwords: bool = True
    read_is_removed: bool = False

    @property
    def forbidden(self) -> Mapping[bytes, str]:
        """Return the commands that are not to be sent, each with the option that allows it."""
        found = {} if self.removal else {b"DELE": REMOVAL}
        if not self.reading:
            found |= dict.fromkeys((b"RETR", b"TOP"), REMOVAL if self.read_is_removed else READING)
        return found


REMOVAL, READING = "--scratch-maildrop", "--read-mail"


class Accounts(Protocol):
    """Where the judge gets accounts, and the door through which mail reaches them.

    `altered` says why messages do not come out of the maildrop as they went in, or is empty.
    """

    @property
    def altered(self) -> str:
        """Return what happens to messages on their way in."""

    def provide(
        self,
        mail: Sequence[bytes] | None,
        *,
        password: str | None,
        scratch: bool,
        turn: int,
        named: str = "",
    ) -> Account:
        """Return an account whose maildrop holds exactly this mail, in this order.

        `turn` tells the accounts of one case apart; `named` stands in the name. Raises NotTried
        where it cannot be had.
        """

    def deposit(self, account: Account, octets: bytes) -> None:
        """Put one message into the maildrop, or raise NotTried."""

    def certificate(self, account: Account) -> ClientCertificate:
        """Return the certificate that proves the account, or raise NotTried."""


@dataclass(frozen=True, slots=True)
class Target:
    """Everything the judge is told about a server.

    Where the `server_has_passwords` as they are, it can check whatever proof of them it offers to.
    `lacks` is what it is known not to have, however many ports it may have.
    """

    endpoints: tuple[Endpoint, ...]
    accounts: Accounts
    patience_seconds: float = 20.0
    timing: bool = False
    slow: bool = False
    server_has_passwords: bool = False
    consent: Consent = Consent()
    trust: Trust = ANYBODY
    pace: Pace = field(default_factory=Pace)
    lacks: frozenset[Trait] = frozenset()

    def endpoint(self, traits: frozenset[Trait]) -> Endpoint | None:
        """Return the first endpoint that has these traits."""
        return next((e for e in self.endpoints if traits <= e.traits), None)

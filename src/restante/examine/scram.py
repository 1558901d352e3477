"""SCRAM as the cases play it: an exchange on the current connection, right or spoilt on purpose."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Self

from restante.examine.case import Start
from restante.examine.dialogue import OK, Ask, Given
from restante.examine.outcome import NotTried, Unmet
from restante.examine.proofs import Scram
from restante.examine.replies import Status, capabilities_of
from restante.examine.stage import Stage

HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}
PLUS = "-PLUS"


@dataclass(frozen=True, slots=True)
class Binding:
    """What binds an exchange to its connection: a type of RFC 5929 or 9266, and its data."""

    kind: str
    octets: bytes

    @property
    def header(self) -> str:
        """Return the GS2 header that names it (RFC 5802 §7)."""
        return f"p={self.kind},,"


def mechanisms(stage: Stage) -> tuple[str, ...]:
    """Return the mechanisms announced on the current connection, none where there is no CAPA."""
    try:
        return capabilities_of(stage.ask_lines("CAPA")).get("SASL", ())
    except Unmet:
        return ()


class Exchange:
    """SCRAM on the current connection, one mechanism and one account.

    `changes` are fields of `Scram`, to be other than they have to be.
    """

    def __init__(self, stage: Stage, mechanism: str, **changes: str) -> None:
        assert stage.account is not None
        self.stage = stage
        self.mechanism = mechanism
        who = {"name": stage.account.name, "password": stage.account.password}
        self.scram = Scram(HASHES[mechanism.removesuffix(PLUS)], **(who | changes))

    @classmethod
    def bound(cls, stage: Stage, mechanism: str, binding: Binding) -> Self:
        """Return an exchange that names a binding and has its data."""
        exchange = cls(stage, mechanism, header=binding.header)
        exchange.scram.bound = binding.octets
        return exchange

    def first(self, message: str | None = None) -> Status:
        """Send the first message with the command, and return the reply."""
        octets = (self.scram.first if message is None else message).encode()
        return self.stage.ask_sasl(octets, f"AUTH {self.mechanism} ".encode())

    def begin(self) -> None:
        """Send the first message and take what the server says to it."""
        self.scram.take(challenge_in(self.first()))

    def finish(self, final: str) -> Status:
        """Send a final message and return the reply; what proves the password is not recorded."""
        proofs = [final.rpartition(",p=")[2]]
        if self.scram.server_first:
            proofs.append(self.scram.verifier(final).removeprefix("v="))
        self.stage.record.hide(proof.encode() for proof in proofs)
        return self.stage.ask_sasl(final.encode(), b"")

    def end_with(self, final: str) -> Status:
        """Send a final message that has to fail, and return what the exchange ends with."""
        reply = self.finish(final)
        told = reply.raw.startswith(b"+ ")
        return self.stage.ask("") if told and challenge_in(reply).startswith("e=") else reply

    def run(self) -> None:
        """Do the whole exchange, the server's proof included."""
        self.stage.target.pace.before_login()
        self.begin()
        self.prove()

    def prove(self) -> None:
        """Do what follows the server's first message."""
        final = self.scram.final()
        reply = self.finish(final)
        if not reply.raw.startswith(b"+ "):
            if reply.positive:
                raise Unmet("+OK comes without the server's proof")
            told = f"the right proof is refused, {reply.line[:80]!a}"
            if self.stage.target.server_has_passwords:
                raise Unmet(told)
            raise NotTried(
                f"{told}: either it is computed otherwise, or the account has no {self.mechanism}"
            )
        said, due = challenge_in(reply), self.scram.verifier(final)
        if said != due:
            raise Unmet("the server's proof is wrong: it need not know the password")
        Ask("", OK).perform(self.stage)


def challenge_in(reply: Status) -> str:
    """Return what a challenge says."""
    found = re.fullmatch(rb"\+ ([A-Za-z0-9+/]*={0,2})\r\n", reply.raw)
    if found is None:
        raise Unmet(f"where a challenge is due the server says {reply.raw[:80]!a}")
    return base64.b64decode(found[1], validate=True).decode()


def can_log_in(stage: Stage, mechanism: str) -> None:
    """Make sure that the mechanism lets the account in at all, then begin once more."""
    try:
        Exchange(stage, mechanism).run()
    except Unmet as failure:
        raise NotTried(f"the case needs this first: {failure}") from failure
    Given(Ask("QUIT")).perform(stage)
    stage.begin(Start.GREETED)

"""Logins by other proofs: SCRAM, and a password whose hash has to be made."""

import resource
from functools import cached_property
from itertools import chain, count, islice

import argon2

from benchmarks.load.logins import Target, Visit, visit_all
from benchmarks.load.scram import scram_visit, stored_keys
from benchmarks.peers.peer import PASSWORD, Peer
from benchmarks.works.logins import Logins, brief_visits

_MEMORY_KIB, _PASSES, _LANES = 19_456, 2, 1
"""Of argon2id: what Restante takes for new passwords."""


class ScramLogins(Logins):
    """Short sessions by SCRAM-SHA-256 in clear, many at once."""

    key = "login-scram"
    title = "short login session by SCRAM-SHA-256, under load"
    target = 0.5

    def accounts(self) -> list[str]:
        """Name one account for each place of the load, and some to spare."""
        return [f"scram{index:04d}" for index in range(self.scale.login_accounts)]

    def stored_password(self) -> str:
        """Return the keys that both servers verify proofs with."""
        return stored_keys(PASSWORD)

    def _visits(self) -> list[Visit]:
        octets = sum(message.octets() for message in self.stage.few)
        messages = len(self.stage.few)
        return [scram_visit(user, PASSWORD, messages, octets) for user in self.accounts()]

    def run(self, peer: Peer, run: int) -> float:
        """Make the visits, each with an exchange of its own."""
        rounds = chain.from_iterable(self._visits() for _ in count())
        visits = islice(rounds, self.scale.logins)
        return visit_all(Target(peer.port), visits, self.scale.logins_at_once)


class ColdLogins(Logins):
    """Short sessions of accounts that the server has never seen."""

    key = "login-cold"
    title = f"short login session, argon2id of {_MEMORY_KIB // 1024} MiB, password not in a cache"
    target = 1.1

    def accounts(self) -> list[str]:
        """Name accounts for every run, and for one before."""
        return [f"cold{index:04d}" for index in range((1 + self.scale.runs) * self._each)]

    def stored_password(self) -> str:
        """Return the hash that both servers have to make again."""
        return f"{{ARGON2ID}}{self._hash}"

    def bare(self) -> float:
        """Make the hash."""
        before = _own_seconds()
        argon2.PasswordHasher().verify(self._hash, PASSWORD)
        return _own_seconds() - before

    def warm(self, peer: Peer) -> None:
        """Let every process of the server serve somebody."""
        self._visit(peer, 0)

    def run(self, peer: Peer, run: int) -> float:
        """Visit the accounts of this run."""
        return self._visit(peer, 1 + run)

    @property
    def _each(self) -> int:
        return self.scale.cold_logins

    @cached_property
    def _hash(self) -> str:
        hasher = argon2.PasswordHasher(_PASSES, _MEMORY_KIB, _LANES)
        return hasher.hash(PASSWORD)

    def _visit(self, peer: Peer, turn: int) -> int:
        users = self.accounts()[turn * self._each : (turn + 1) * self._each]
        return visit_all(Target(peer.port), iter(brief_visits(self.stage, users)), 1)


def _own_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

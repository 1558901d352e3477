"""The guard of one case: what may be sent, given what the owner of the account agreed to.

Everything a case says passes here, its words on their way in and its octets on their way out, so
that a case need not know of consent and cannot get around it.
"""

from __future__ import annotations

import re

from restante.examine.outcome import NotTried
from restante.examine.target import Target
from restante.examine.wire import Wire
from restante.examine.words import GUESSES, SECRET_WORDS

_LONGEST_COMMAND = 4
_LOGIN = re.compile(rb"^(PASS|AUTH|APOP) ", re.IGNORECASE | re.MULTILINE)
_PASSWORD = re.compile(rb"^PASS ([^\r\n]+)\r?\n", re.IGNORECASE | re.MULTILINE)


class Guard:
    """What one case may still say.

    `named` tells that the server may know by now whose maildrop it is about: nothing can happen
    to the mail of an account that was never named, and from then on any connection may be logged
    in, whatever the server answered.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._said = b""
        self.named = False
        self.passwords: set[bytes] = set()

    def let_pass(self, word: bytes, wire: Wire | None) -> None:
        """Raise NotTried or Postponed where a word must not be said on a connection now."""
        pace = self._target.pace
        if word in GUESSES:
            pace.guess()
        else:
            self.named = True
        if word in SECRET_WORDS:
            if not self._private(wire):
                raise NotTried("it would show the password to whoever listens, or to an impostor")
            pace.before_login()

    def watch(self, wire: Wire, octets: bytes) -> None:
        """Raise NotTried where a command is about to be sent that might cost a message.

        A password that is not the account's is a guess, whatever it is for.
        """
        pace = self._target.pace
        if wire.tls is not None and self._target.trust.refuses(wire.tls.certificate):
            raise NotTried("whoever answers has another certificate than the one to trust")
        if _LOGIN.search(octets):
            wire.patience_seconds = max(wire.patience_seconds, pace.login_patience_seconds)
        if any(given not in self.passwords for given in _PASSWORD.findall(octets)):
            pace.guess()
        heard = (self._said + octets).upper()
        self._said = heard[-_LONGEST_COMMAND:]
        for command, allowed in self._target.consent.forbidden.items():
            if self.named and command in heard:
                raise NotTried(
                    f"it sends {command.decode()}, which might cost a message that is not the"
                    f" suite's: {allowed} allows it"
                )

    def _private(self, wire: Wire | None) -> bool:
        """Tell whether a password may be sent on a connection."""
        if wire is None or wire.tls is None:
            return self._target.consent.clear_passwords
        return self._target.trust.accepts(wire.tls.certificate)

"""Ways in by a proof of the password: whether the right one lets in, before a wrong one is tried.

A server may have no secret of the account that such a proof could be checked with, which nobody
outside can tell from a proof computed otherwise. So a refusal is held against it only where it is
known to have the password as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from restante.examine.case import Start
from restante.examine.dialogue import Ask, Given
from restante.examine.outcome import NotTried, Unmet
from restante.examine.replies import Status
from restante.examine.stage import Stage


@dataclass(frozen=True, slots=True)
class WayIn:
    """One command or mechanism; `show` gives the right proof, which is called `proof`."""

    name: str
    proof: str
    show: Callable[[Stage], Status]

    def lets_in(self, stage: Stage) -> None:
        """Log in by it."""
        stage.target.pace.before_login()
        reply = self.show(stage)
        if reply.positive:
            return
        told = f"the right {self.proof} is refused, {reply.line[:80]!a}"
        if stage.target.server_has_passwords:
            raise Unmet(told)
        raise NotTried(
            f"{told}: either it is computed otherwise, or the account has no secret for {self.name}"
        )

    def can_log_in(self, stage: Stage) -> None:
        """Make sure that it lets the account in at all, then begin once more."""
        try:
            self.lets_in(stage)
        except Unmet as failure:
            raise NotTried(f"the case needs this first: {failure}") from failure
        Given(Ask("QUIT")).perform(stage)
        stage.begin(Start.GREETED)

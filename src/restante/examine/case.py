"""The values of the suite: what a case is, and what was found when it was tried.

A case is one value in a file of its document (`rfc1939_transaction.py`, ...); adding one means
adding one value. The server it is tried against is described in `target.py`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from restante.examine.fixtures import Fixture
    from restante.examine.record import Utterance
    from restante.examine.stage import Stage
    from restante.examine.vigil import Vigil


class Level(enum.Enum):
    """How firmly the source asks for a behaviour."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"
    INFERRED = "inferred"


class Verdict(enum.Enum):
    """What a case found."""

    PASSES = "passes"
    DEPARTS = "departs"
    DIFFERS = "differs"
    NOT_APPLICABLE = "not_applicable"
    NOT_TRIED = "not_tried"


class Start(enum.Enum):
    """How far the first connection has come when the steps begin; nowhere: they open their own."""

    NOWHERE = "nowhere"
    CONNECTED = "connected"
    GREETED = "greeted"
    TRANSACTION = "transaction"


class Trait(enum.Enum):
    """A property of an endpoint that a case can ask for."""

    CLEAR = "accepts passwords in clear"
    STLS = "offers STLS"
    STRICT = "refuses passwords in clear"
    TLS = "offers TLS in one way or the other"
    IMPLICIT = "speaks TLS from the first octet"
    BARE = "has no TLS at all"


class Step(Protocol):
    """One move of a dialogue, or one look at its result."""

    def perform(self, stage: Stage) -> None:
        """Do it, raising an outcome of `outcome.py` when the server does otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One behaviour a server is held to.

    Without a trait the steps begin where a password may be sent, behind STLS where the endpoint
    asks for it; with one they begin on the connection as it is. `mail` is what the maildrop has
    to hold, exactly; None means that any will do. A case that is not `exact` can be judged
    whatever header field was added to its messages on their way in. A scratch case may remove
    mail. `password` asks for an account with that very password, `named` for one that has this in
    its name. `unmet` overrules what the level makes of an unmet expectation, for points where the
    texts leave a decision. With a `vigil` the steps look at what it saw.
    """

    id: str
    title: str
    source: str
    level: Level
    steps: tuple[Step, ...]
    variant: str = ""
    also: tuple[str, ...] = ()
    start: Start = Start.TRANSACTION
    traits: frozenset[Trait] = frozenset()
    mail: tuple[Fixture, ...] | None = None
    exact: bool = True
    scratch: bool = False
    password: str | None = None
    named: str = ""
    second_account: bool = False
    capabilities: tuple[str, ...] = ()
    unmet: Verdict | None = None
    vigil: Vigil | None = None

    @property
    def name(self) -> str:
        """Return the id, with the variant where several cases share it."""
        return f"{self.id}/{self.variant}" if self.variant else self.id

    @property
    def ids(self) -> tuple[str, ...]:
        """Return every id of the conformance list that this case shows."""
        return (self.id, *self.also)

    @property
    def verdict_when_unmet(self) -> Verdict:
        """Return what an unmet expectation amounts to."""
        if self.unmet is not None:
            return self.unmet
        firm = self.level in (Level.MUST, Level.SHOULD)
        return Verdict.DEPARTS if firm else Verdict.DIFFERS


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one case, why, and the dialogue it rests on."""

    case: Case
    verdict: Verdict
    why: str
    dialogue: tuple[Utterance, ...]
    seconds: float | None = None

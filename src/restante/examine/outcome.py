"""The ways a dialogue ends before its last step.

`Unmet`, `Differs`, `NotApplicable` and `NotTried` are verdicts on their way up to the judge; the
`Broken` family says what the transport did instead of answering, and counts as unmet.
"""

from __future__ import annotations


class Outcome(Exception):
    """An early end of a dialogue."""


class Unmet(Outcome):
    """The server did not do what the case expects."""


class Differs(Outcome):
    """The server chose otherwise where the texts leave a choice."""


class NotApplicable(Outcome):
    """The server does not offer what the case is about."""


class NotTried(Outcome):
    """The case could not be brought to the point where it judges."""


class Unreachable(NotTried):
    """There was no session to be had at all."""


class Postponed(Outcome):
    """The case has to wait for a later part of the run."""


class Broken(Outcome):
    """The transport gave something else than an answer."""


class Silent(Broken):
    """No octet came before the deadline."""


class Ended(Broken):
    """The connection ended before the answer was complete."""


class Flooded(Broken):
    """More octets came than any answer may have."""

"""Events: they are values, and they never show what a client said."""

import pytest

from restante.protocol import events
from restante.protocol.events import (
    ApopAttempted,
    CleartextRefused,
    EndReason,
    LoginAttempted,
    MessageRequested,
    SaslAnswered,
    SaslStarted,
    SessionEnded,
)

BIRD = b"kanarienvogel"


@pytest.mark.parametrize(
    "event",
    [
        LoginAttempted(BIRD, BIRD),
        ApopAttempted(BIRD, b"<1@example.org>", BIRD),
        SaslStarted("PLAIN", BIRD),
        SaslStarted("PLAIN", None),
        SaslAnswered(BIRD),
    ],
)
def test_what_holds_credentials_shows_none(event: events.Event) -> None:
    """conformance: 5034-S-31"""
    assert BIRD.decode() not in f"{event} {event!r}"


def test_a_mechanism_may_be_shown() -> None:
    assert repr(SaslStarted("PLAIN", None)) == "SaslStarted(PLAIN, …)"


def test_events_are_equal_by_what_they_say() -> None:
    assert MessageRequested(1, None) != MessageRequested(1, 0)
    assert CleartextRefused("USER") == CleartextRefused("USER")
    assert SessionEnded(EndReason.QUIT) != SessionEnded(EndReason.CLIENT_GONE)

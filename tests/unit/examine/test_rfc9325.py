"""Sizes of Diffie-Hellman groups: 2048 bits are enough, one less is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from restante.examine import rfc9325
from restante.examine.hello import DHE, Flight
from restante.examine.outcome import NotTried, Unmet
from restante.examine.record import Record
from restante.examine.stage import Stage


def shown(monkeypatch: pytest.MonkeyPatch, bits: int | None) -> Stage:
    flight = Flight(suite=DHE[0], prime_bits=bits)
    monkeypatch.setattr(rfc9325, "flight_for", lambda stage, hello: flight)
    return cast("Stage", SimpleNamespace(record=Record()))


def test_a_large_group_is_large_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    rfc9325.groups_are_large(shown(monkeypatch, 2048))


def test_a_small_group_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = shown(monkeypatch, 2047)
    with pytest.raises(Unmet, match="2047 bits; at least 2048"):
        rfc9325.groups_are_large(stage)


def test_a_group_that_is_not_shown_cannot_be_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = shown(monkeypatch, None)
    with pytest.raises(NotTried):
        rfc9325.groups_are_large(stage)

"""Who is there, and showing one of them the door."""

from collections.abc import Callable
from pathlib import Path

import pytest

from restante.server.registry import Registry, SessionDescription, control_socket


class Somebody:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._number = registry.next_number()
        self.name = registry.name_of(self._number)
        self.dropped: list[str] = []
        registry.add(self._number, self)

    def describe(self) -> SessionDescription:
        return {"session": self.name}

    def drop(self, reason: str) -> None:
        self.dropped.append(reason)
        self._registry.remove(self._number)

    def drain(self) -> None:
        self.drop("drained")

    def tick(self, now: float) -> None:
        """There is no deadline."""


def test_no_two_sessions_have_one_name() -> None:
    registries = [Registry(), Registry()]
    names = [each.name_of(each.next_number()) for each in registries for _ in range(100)]
    assert len(set(names)) == 200


def test_who_describes_everybody() -> None:
    registry = Registry()
    crowd = [Somebody(registry) for _ in range(2)]
    assert registry.who() == [{"session": somebody.name} for somebody in crowd]
    assert len(registry) == 2


def test_kick_ends_one_and_says_whether_there_was_one() -> None:
    registry = Registry()
    other, somebody = Somebody(registry), Somebody(registry)
    assert registry.kick(somebody.name)
    assert somebody.dropped == ["kicked"]
    assert other.dropped == []
    assert not registry.kick(somebody.name)
    assert not registry.kick("nobody")


@pytest.mark.parametrize("change", [str.upper, "{} ".format, "+{}".format, "{}\0".format])
def test_kick_takes_no_other_name_for_a_session_s(change: Callable[[str], str]) -> None:
    registry = Registry()
    for _ in range(0xAB):
        somebody = Somebody(registry)
    assert not registry.kick(change(somebody.name))
    assert not registry.kick("")


def test_walking_over_those_who_leave() -> None:
    registry = Registry()
    for _ in range(3):
        Somebody(registry)
    for somebody in registry:
        somebody.drop("over")
    assert len(registry) == 0


def test_removing_twice_does_no_harm() -> None:
    registry = Registry()
    registry.remove(1)
    assert registry.who() == []


def test_the_control_socket_lies_in_the_state_directory() -> None:
    assert control_socket(Path("/state")) == Path("/state/run/control.sock")

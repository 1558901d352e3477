"""Who is there, and showing one of them the door."""

from pathlib import Path

from restante.server.registry import Registry, SessionDescription, control_socket


class Somebody:
    def __init__(self, registry: Registry, name: str) -> None:
        self._registry = registry
        self._name = name
        self.dropped: list[str] = []

    def describe(self) -> SessionDescription:
        return {"session": self._name}

    def drop(self, reason: str) -> None:
        self.dropped.append(reason)
        self._registry.remove(self._name)

    def drain(self) -> None:
        self.drop("drained")

    def tick(self, now: float) -> None:
        """There is no deadline."""


def test_who_describes_everybody() -> None:
    registry = Registry()
    for name in ("a", "b"):
        registry.add(name, Somebody(registry, name))
    assert registry.who() == [{"session": "a"}, {"session": "b"}]
    assert len(registry) == 2


def test_kick_ends_one_and_says_whether_there_was_one() -> None:
    registry = Registry()
    somebody, other = Somebody(registry, "a"), Somebody(registry, "b")
    registry.add("a", somebody)
    registry.add("b", other)
    assert registry.kick("a")
    assert somebody.dropped == ["kicked"]
    assert other.dropped == []
    assert not registry.kick("a")
    assert not registry.kick("nobody")


def test_walking_over_those_who_leave() -> None:
    registry = Registry()
    for name in ("a", "b", "c"):
        registry.add(name, Somebody(registry, name))
    for somebody in registry:
        somebody.drop("over")
    assert len(registry) == 0


def test_removing_twice_does_no_harm() -> None:
    registry = Registry()
    registry.remove("a")
    assert registry.who() == []


def test_the_control_socket_lies_in_the_state_directory() -> None:
    assert control_socket(Path("/state")) == Path("/state/run/control.sock")

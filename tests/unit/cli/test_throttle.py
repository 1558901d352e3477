"""`restante throttle`: what is asked of the server, and how its answer is shown."""

import json
from pathlib import Path

import pytest

from restante import assembly
from unit.cli.conftest import Command

HELD = [
    {
        "kind": "address",
        "name": "192.0.2.1",
        "failures": 7,
        "seconds_ago": 12.4,
        "delay_seconds": 15.0,
    },
    {
        "kind": "account",
        "name": "b\x1b]0;owned\x07",
        "failures": 1,
        "seconds_ago": 0.0,
        "delay_seconds": 0.0,
    },
    {"kind": "all", "name": "", "failures": 8, "seconds_ago": 0.0, "delay_seconds": 0.0},
]


class Server:
    """A control client that knows the answers."""

    def __init__(self, held: list[dict[str, object]], left_off: int = 0) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._held = held
        self._left_off = left_off

    def request(self, command: str, **fields: str) -> dict[str, object]:
        self.asked.append((command, fields))
        if command == "throttle list":
            return {"held": self._held, "left_off": self._left_off}
        return {"forgiven": 3}


def running(monkeypatch: pytest.MonkeyPatch, *args: object) -> Server:
    server = Server(*args)  # type: ignore[arg-type]
    monkeypatch.setattr(assembly, "control", lambda file: server)
    return server


def test_the_list_for_people(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, HELD, 5)
    outcome = command("throttle", "list")
    assert outcome.out == (
        "kind     what               failures  last  delay\n"
        "address  192.0.2.1          7         12s   15s\n"
        "account  b\\x1b]0;owned\\x07  1         0s    -\n"
        "all      -                  8         0s    -\n"
        "and 5 more\n"
    )


def test_nothing_is_shown_of_nothing(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, [])
    outcome = command("throttle", "list")
    assert (outcome.status, outcome.out) == (0, "")


def test_the_list_for_programs(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, HELD)
    outcome = command("throttle", "list", "--json")
    assert json.loads(outcome.out) == {"held": HELD, "left_off": 0}
    assert outcome.out.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        (["192.0.2.1"], {"target": "192.0.2.1"}),
        (["2001:db8::/48"], {"target": "2001:db8::/48"}),
        (["bob"], {"target": "bob"}),
        (["--all"], {}),
    ],
)
def test_forgiving(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    fields: dict[str, str],
) -> None:
    server = running(monkeypatch, [])
    outcome = command("throttle", "forgive", *arguments)
    assert (outcome.status, outcome.out) == (0, "forgiven: 3\n")
    assert server.asked == [("throttle forgive", fields)]


@pytest.mark.parametrize("arguments", [[], ["bob", "--all"]])
def test_one_or_all(command: Command, arguments: list[str]) -> None:
    outcome = command("throttle", "forgive", *arguments)
    assert outcome.status == 64
    assert "name an address, a network or an account, or say --all" in outcome.err


@pytest.mark.parametrize("arguments", [["list"], ["forgive", "--all"]])
def test_without_a_server_there_is_one_line(
    command: Command, tmp_path: Path, arguments: list[str]
) -> None:
    file = tmp_path / "restante.toml"
    file.write_text(f'state_directory = "{tmp_path}"\n')
    outcome = command("throttle", *arguments, "--config", str(file))
    assert outcome.status == 69
    assert outcome.err == "restante: no server is running with this state directory\n"

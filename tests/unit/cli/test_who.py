"""`restante who`: what a server says of itself, for people and for programs."""

import json
from pathlib import Path

import pytest

from restante import assembly
from unit.cli.conftest import Command

SESSIONS = [
    {
        "session": "a1b2-1",
        "address": "192.0.2.7",
        "port": 4711,
        "tls": "TLSv1.3/TLS_AES_256_GCM_SHA384",
        "idle_seconds": 61.7,
        "account": "alice",
        "state": "transaction",
        "messages": 12,
    },
    {
        "session": "a1b2-2",
        "address": "2001:db8::1",
        "port": 1,
        "tls": None,
        "idle_seconds": 0.2,
        "account": None,
        "state": "authorization",
    },
    {
        "session": "a1b2-3",
        "address": "192.0.2.8",
        "port": 2,
        "tls": None,
        "idle_seconds": 0.0,
        "account": "b\x1b]0;owned\x07",
        "state": "transaction",
        "messages": 0,
    },
]


class Server:
    """A control client that knows the answer."""

    def __init__(self, sessions: list[dict[str, object]]) -> None:
        self.reply = {
            "listeners": [{"address": "127.0.0.1:110", "tls": "stls"}],
            "sessions": sessions,
        }

    def request(self, command: str) -> dict[str, object]:
        assert command == "who"
        return dict(self.reply)


def answer(monkeypatch: pytest.MonkeyPatch, sessions: list[dict[str, object]]) -> None:
    monkeypatch.setattr(assembly, "control", lambda file: Server(sessions))


def test_for_people(command: Command, configuration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, SESSIONS)
    said = command("who", "--config", configuration)
    assert said.status == 0
    listening, header, first, second, third = said.out.splitlines()
    assert listening == "listening on 127.0.0.1:110 (stls)"
    assert header.split() == ["session", "account", "address", "tls", "state", "idle", "messages"]
    assert first.split() == [
        *("a1b2-1", "alice", "192.0.2.7:4711", "TLSv1.3", "transaction", "62s", "12"),
    ]
    assert second.split() == [
        *("a1b2-2", "-", "[2001:db8::1]:1", "-", "authorization", "0s", "-"),
    ]
    assert r"b\x1b]0;owned\x07" in third, "a terminal obeys no client"
    assert len({line.index("192") for line in (first, third)}) == 1


def test_nobody_is_there(
    command: Command, configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, [])
    assert command("who", "--config", configuration).out == "listening on 127.0.0.1:110 (stls)\n"


def test_for_programs(
    command: Command, configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, SESSIONS)
    said = command("who", "--json", "--config", configuration)
    assert json.loads(said.out)["sessions"] == SESSIONS


def test_no_server(command: Command, configuration: Path) -> None:
    said = command("who", "--config", configuration)
    assert (said.status, said.out) == (69, "")
    assert said.err == "restante: no server is running with this state directory\n"

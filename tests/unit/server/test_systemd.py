"""What systemd hands over, and what it is told."""

import os
import socket
from collections.abc import Iterator

import pytest

from restante.server import systemd
from restante.server.systemd import Notifier, inherited_sockets


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """Four sockets with numbers that follow each other, as they are handed over."""
    first = 900
    made = []
    for number in range(4):
        with socket.create_server(("127.0.0.1", 0)) as sock:
            os.dup2(sock.fileno(), first + number, inheritable=True)
            made.append(sock)
    monkeypatch.setattr(systemd, "_FIRST_DESCRIPTOR", first)
    yield made
    for number in range(4):
        try:
            os.close(first + number)
        except OSError:
            continue


def environment(names: str, count: int) -> dict[str, str]:
    return {
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": str(count),
        "LISTEN_FDNAMES": names,
        "HOME": "/",
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("pop3:pop3s", ["pop3", "pop3s"]),
        ("pop3:pop3", ["pop3", "pop3.1"]),
        ("mail.socket:mail.socket:mail.socket", ["mail.socket", "mail.socket.1", "mail.socket.2"]),
        ("a:a:a.1:a", ["a", "a.1", "a.1.1", "a.2"]),
        ("", ["unknown", "unknown.1"]),
        ("pop3", ["pop3", "unknown"]),
    ],
)
def test_every_socket_has_a_name_of_its_own(
    handed: list[socket.socket], names: str, expected: list[str]
) -> None:
    env = environment(names, len(expected))
    found = inherited_sockets(env)
    try:
        assert list(found) == expected
        assert [sock.fileno() for sock in found.values()] == [
            900 + number for number in range(len(expected))
        ]
        assert not any(os.get_inheritable(sock.fileno()) for sock in found.values())
        assert env == {"HOME": "/"}, "no child of ours takes them for its own"
    finally:
        for sock in found.values():
            sock.close()


def test_what_was_handed_to_somebody_else_is_left_alone() -> None:
    env = environment("pop3", 1) | {"LISTEN_PID": "1"}
    assert inherited_sockets(env) == {}
    assert inherited_sockets({}) == {}


@pytest.mark.parametrize("abstract", [False, True])
def test_a_manager_is_told(*, abstract: bool) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = f"restante-unit-{os.getpid()}"
        if abstract:
            manager.bind(f"\0{name}")
            address = f"@{name}"
        else:
            address = f"/tmp/{name}"
            manager.bind(address)
        notifier = Notifier({"NOTIFY_SOCKET": address})
        for tell, expected in (
            (notifier.ready, "READY=1"),
            (notifier.reloading, "RELOADING=1\nMONOTONIC_USEC="),
            (notifier.stopping, "STOPPING=1"),
            (notifier.alive, "WATCHDOG=1"),
        ):
            tell()
            assert manager.recv(1000).decode().startswith(expected)
        notifier.status("two words")
        assert manager.recv(1000) == b"STATUS=two words"
        if not abstract:
            os.unlink(address)
    notifier.ready()  # nobody listens any more, and that is no error


def test_without_a_manager_nothing_is_told() -> None:
    notifier = Notifier({})
    notifier.ready()
    assert notifier.watchdog_seconds is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("30000000", 30.0), ("500000", 0.5), ("", None), ("soon", None)]
)
def test_how_often_a_sign_of_life_is_wanted(text: str, seconds: float | None) -> None:
    assert Notifier({"WATCHDOG_USEC": text}).watchdog_seconds == seconds

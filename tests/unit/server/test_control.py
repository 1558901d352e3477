"""The control socket: one reply a command, for its owner alone."""

import selectors
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restante.errors import ConfigurationError
from restante.server.channel import Channel, Message
from restante.server.control import MAXIMUM_CLIENTS, Answer, ControlSocket


class Office:
    """A control socket with a loop that moves when told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.selector = selectors.DefaultSelector()
        self.obeyed: list[Message] = []
        self.answers: list[Answer] = []
        self.answer_at_once = True
        self.control = ControlSocket(path, self.selector, self._obey)

    def _obey(self, message: Message, answer: Answer) -> None:
        self.obeyed.append(message)
        self.answers.append(answer)
        if self.answer_at_once:
            answer({"said": message.get("command")})

    def turn(self) -> None:
        """Do what there is to do."""
        while events := self.selector.select(0):
            before = len(self.obeyed), len(self.selector.get_map())
            for key, _ in events:
                key.data()
            after = len(self.obeyed), len(self.selector.get_map())
            if before == after:
                break

    def connect(self) -> Channel:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(str(self.path))
        self.turn()
        return Channel(sock)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "control.sock")
    yield made
    if made.path.exists():
        made.control.close()
    made.selector.close()


def test_only_its_owner_may_command(office: Office) -> None:
    assert stat.S_IMODE(office.path.stat().st_mode) == 0o600


def test_every_command_has_its_reply(office: Office) -> None:
    client = office.connect()
    for command in ("who", "drain"):
        client.send({"command": command})
        office.turn()
        assert client.receive() == [{"said": command}]
    client.close()


def test_a_reply_may_take_its_time(office: Office) -> None:
    office.answer_at_once = False
    patient, gone = office.connect(), office.connect()
    patient.send({"command": "who"})
    office.turn()
    gone.send({"command": "who"})
    office.turn()
    gone.close()
    office.turn()
    for answer in office.answers:
        answer({"late": True})
    assert patient.receive() == [{"late": True}]
    patient.close()


def test_a_large_reply_waits_for_its_reader(office: Office) -> None:
    client = office.connect()
    large: Message = {"sessions": "x" * 3_000_000}
    office.answer_at_once = False
    client.send({"command": "who"})
    office.turn()
    office.answers[0](large)
    received: list[Message] = []
    while not received:
        found = client.receive()
        assert found is not None
        received += found
        office.turn()
    assert received == [large]
    office.answer_at_once = True
    client.send({"command": "who"})
    office.turn()
    assert client.receive() == [{"said": "who"}], "and it is listened to again"
    client.close()


@pytest.mark.parametrize("octets", [b"nonsense\n", b"[]\n", b"\xff\n"])
def test_who_talks_nonsense_is_dropped(office: Office, octets: bytes) -> None:
    client, other = office.connect(), office.connect()
    client.socket.send(octets)
    office.turn()
    assert client.receive() is None
    other.send({"command": "who"})
    office.turn()
    assert other.receive() == [{"said": "who"}]
    client.close()
    other.close()


def test_there_is_room_for_so_many(office: Office) -> None:
    clients = [office.connect() for _ in range(MAXIMUM_CLIENTS + 1)]
    assert clients[-1].receive() is None
    assert len(office.control.descriptors()) == MAXIMUM_CLIENTS + 1
    clients[0].close()
    office.turn()
    clients.append(office.connect())
    assert clients[-1].receive() == []
    for client in clients[1:]:
        client.close()


def test_it_is_gone_when_it_is_closed(office: Office) -> None:
    client = office.connect()
    office.control.close()
    assert not office.path.exists()
    assert client.receive() is None
    assert len(office.selector.get_map()) == 0
    client.close()


def test_what_a_dead_server_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    office = Office(path)
    client = office.connect()
    assert client.receive() == []
    client.close()
    office.control.close()
    office.selector.close()


def test_a_server_that_lives_keeps_its_socket(office: Office) -> None:
    with pytest.raises(ConfigurationError, match="another server"):
        Office(office.path)
    client = office.connect()
    client.send({"command": "who"})
    office.turn()
    assert client.receive() == [{"said": "who"}]
    client.close()


def test_a_socket_may_lie_deep(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    selector = selectors.DefaultSelector()
    refuse: Callable[[Message, Answer], None] = lambda message, answer: None  # noqa: E731
    control = ControlSocket(folder / "control.sock", selector, refuse)
    assert (folder / "control.sock").is_socket()
    control.close()
    assert not (folder / "control.sock").exists()
    selector.close()

"""The supervisor's own decisions; that its processes do as they are told is shown by stories."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from restante.errors import ConfigurationError
from restante.server import privileges
from restante.server import supervisor as module
from restante.server.channel import Channel
from restante.server.generation import Generation
from restante.server.options import ListenerOptions, ServerOptions
from restante.server.processes import Child
from restante.server.supervisor import Supervisor
from restante.telemetry import Event, RecordingLog


class Stage:
    """A supervisor whose children are made of a socket and a number."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = RecordingLog()
        self.next = self.generation(directory)
        self.error: Exception | None = None
        self.no_room = False
        self.children: list[Child] = []
        self.ends: list[socket.socket] = []
        monkeypatch.setattr(module, "spawn", self._spawn)
        monkeypatch.setattr(os, "kill", lambda pid, number: self.killed.append(pid))
        self.killed: list[int] = []
        self.supervisor = Supervisor(self.next, self._load, self.log)  # type: ignore[arg-type]

    @staticmethod
    def generation(directory: Path, *addresses: str, workers: int = 2) -> Generation:
        listeners = tuple(ListenerOptions(address=each, tls="none") for each in addresses)
        options = ServerOptions(
            listeners=listeners or (ListenerOptions(address="127.0.0.1:0", tls="none"),),
            state_directory=directory,
            workers=workers,
        )
        return Generation(options, *[None] * (len(Generation.__slots__) - 1))  # type: ignore[arg-type]

    def _load(self) -> Generation:
        if self.error is not None:
            raise self.error
        return self.next

    def _spawn(self, role: str, *_: object, generation: int, now: float, **__: object) -> Child:
        if self.no_room:
            raise OSError(11, "Resource temporarily unavailable")
        ours, theirs = socket.socketpair()
        child = Child(1000 + len(self.children), role, generation, Channel(ours), now)
        self.children.append(child)
        self.ends.append(theirs)
        return child

    def close(self) -> None:
        for child in self.children:
            child.channel.close()
        for end in self.ends:
            end.close()


@contextmanager
def running(stage: Stage) -> Iterator[Supervisor]:
    """Let a supervisor begin without its loop."""
    supervisor = stage.supervisor
    supervisor._stopping_since = None
    begun = False

    def stop_at_once() -> None:
        nonlocal begun
        begun = True
        raise InterruptedError

    supervisor._turn = stop_at_once  # type: ignore[method-assign]
    with pytest.raises(InterruptedError):
        supervisor.run()
    assert begun
    yield supervisor
    supervisor._control.close()
    for _, sock in supervisor._listeners.values():
        sock.close()
    assert supervisor._auth is not None
    supervisor._auth[1].close()
    os.close(supervisor._run_directory)
    supervisor._selector.close()
    supervisor._woken.close()
    supervisor._wake.close()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    import signal

    monkeypatch.setattr("restante.server.privileges.keep_secrets_in", lambda: None)
    monkeypatch.setattr("restante.server.privileges.raise_descriptor_limit", lambda: None)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
    before = {number: signal.getsignal(number) for number in numbers}
    made = Stage(tmp_path / "state", monkeypatch)
    yield made
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)
    made.close()


def test_an_end_that_was_reaped_is_not_heard_of_again(stage: Stage) -> None:
    """Both come in one turn of the loop when a worker dies."""
    with running(stage) as supervisor:
        child = stage.children[-1]
        supervisor._children.pop(child.pid)
        supervisor._ended(child, 9)
        supervisor._heard(child)
        assert child.channel.closed


def test_a_child_can_be_replaced_while_another_is_ending(stage: Stage) -> None:
    """Its end is noticed before it can be reaped; a child that closes -1 would die of it."""
    with running(stage) as supervisor:
        *_, ended, ending = stage.children
        stage.ends[-1].close()
        supervisor._heard(ending)
        assert ending.channel.closed
        supervisor._children.pop(ended.pid)
        supervisor._ended(ended, 9)
        for role in ("auth", "worker"):
            assert min(supervisor._private_descriptors(role)) >= 0


def test_a_generation_is_an_auth_process_and_its_workers(stage: Stage) -> None:
    with running(stage):
        assert [child.role for child in stage.children] == ["auth", "worker", "worker"]
        assert [child.slot for child in stage.children] == [None, 0, 1]


@pytest.mark.parametrize(
    "error",
    [ConfigurationError("key: wrong"), ZeroDivisionError("x"), OSError(24, "Too many open files")],
)
def test_a_configuration_that_cannot_be_taken_changes_nothing(
    stage: Stage, error: Exception
) -> None:
    with running(stage) as supervisor:
        stage.error = error
        refused = supervisor._reload()
        assert refused is not None
        assert len(stage.children) == 3
        assert len(stage.log.named(Event.RELOAD_REFUSED)) == 1
        stage.error = None
        assert supervisor._reload() is None
        assert len(stage.children) == 6


def test_all_listeners_or_none(stage: Stage, tmp_path: Path) -> None:
    with running(stage) as supervisor, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        before = dict(supervisor._listeners)
        stage.next = stage.generation(tmp_path / "state", "127.0.0.1:0", "127.0.0.2:0", address)
        refused = supervisor._reload()
        assert refused is not None
        assert "Address already in use" in refused
        assert supervisor._listeners == before
        assert len(stage.children) == 3


def test_another_state_directory_needs_a_restart(stage: Stage, tmp_path: Path) -> None:
    with running(stage) as supervisor:
        stage.next = stage.generation(tmp_path / "other")
        assert supervisor._reload() == "state_directory: it changes with a restart only"


def test_reloads_without_end_are_refused_and_not_died_of(stage: Stage, tmp_path: Path) -> None:
    with running(stage) as supervisor:
        stage.next = stage.generation(tmp_path / "state", workers=30)
        assert supervisor._reload() is None
        assert supervisor._reload() is None
        refused = supervisor._reload()
        assert refused is not None
        assert "earlier reloads" in refused
        for child in [each for each in stage.children if each.generation == 2]:
            supervisor._children.pop(child.pid, None)
            child.leaving = True
            supervisor._ended(child, 0)
        assert supervisor._reload() is None


def test_no_process_to_be_had_is_tried_again(stage: Stage) -> None:
    with running(stage) as supervisor:
        child = stage.children[-1]
        stage.no_room = True
        supervisor._children.pop(child.pid)
        supervisor._ended(child, 9)
        for _ in range(3):
            timers, supervisor._timers = supervisor._timers, []
            assert len(timers) == 1
            timers[0][1]()
        assert len(stage.log.named(Event.FAULT)) == 3
        stage.no_room = False
        timers, supervisor._timers = supervisor._timers, []
        timers[0][1]()
        assert stage.children[-1].slot == 1
        assert supervisor._timers == []


def test_what_keeps_failing_is_started_ever_more_slowly(stage: Stage) -> None:
    with running(stage) as supervisor:
        pauses = [supervisor._pause(stage.children[-1]) for _ in range(8)]
        assert pauses == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
        stage.children[-1].started_at -= 11
        assert supervisor._pause(stage.children[-1]) == 0.0


def test_a_socket_that_was_handed_over_can_come_back(stage: Stage, tmp_path: Path) -> None:
    with running(stage) as supervisor, socket.socket() as handed:
        handed.bind(("127.0.0.1", 0))
        handed.listen()
        supervisor._inherited = {"pop3": handed}
        for addresses in (("systemd:pop3",), ("127.0.0.1:0",), ("systemd:pop3",)):
            stage.next = stage.generation(tmp_path / "state", *addresses)
            assert supervisor._reload() is None
        assert handed.fileno() >= 0
        stage.next = stage.generation(tmp_path / "state", "systemd:pop3", "systemd:other")
        refused = supervisor._reload()
        assert refused is not None
        assert "'other'" in refused
        assert handed.fileno() >= 0
        supervisor._listeners = {}


def test_sockets_of_auth_processes_do_not_stay_behind(stage: Stage, tmp_path: Path) -> None:
    run = tmp_path / "state" / "run"
    with running(stage) as supervisor:
        assert supervisor._reload() is None
        assert len(list(run.glob("auth-*.sock"))) == 2
        old = stage.children[0]
        supervisor._children.pop(old.pid)
        old.leaving = True
        supervisor._ended(old, 0)
        assert [path.name for path in run.glob("auth-*.sock")] == [f"auth-{os.getpid()}-2.sock"]


def test_the_old_generation_retires_when_the_new_one_is_ready(stage: Stage) -> None:
    with running(stage) as supervisor:
        assert supervisor._reload() is None
        old, new = stage.children[1:3], stage.children[4:6]
        new[0].ready = True
        supervisor._check_ready()
        assert not any(child.leaving for child in old)
        new[1].ready = True
        supervisor._check_ready()
        assert all(child.leaving for child in old)
        said = [end.recv(1000) for end in stage.ends[1:3]]
        assert said == [b'{"command":"retire"}\n'] * 2


def test_an_address_that_cannot_be_had_is_named_by_its_place(stage: Stage, tmp_path: Path) -> None:
    with running(stage) as supervisor, socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        stage.next = stage.generation(tmp_path / "state", "127.0.0.1:0", address)
        assert str(supervisor._reload()).startswith(f"listener[1].address: {address}: ")


def test_sockets_of_a_server_that_was_killed_are_removed(stage: Stage, tmp_path: Path) -> None:
    run = tmp_path / "state" / "run"
    run.mkdir(parents=True)
    (run / "auth-1-1.sock").touch()
    with running(stage):
        assert not (run / "auth-1-1.sock").exists()
        assert len(list(run.glob("auth-*.sock"))) == 1


# ---- commands for the auth process


def asked(stage: Stage, number: int) -> dict[str, object]:
    """Return what a child was asked last."""
    message = json.loads(stage.ends[number].recv(1000))
    assert isinstance(message, dict)
    return message


def test_a_command_for_the_throttle_goes_to_the_auth_process_alone(stage: Stage) -> None:
    with running(stage) as supervisor:
        answers: list[dict[str, object]] = []
        command: dict[str, object] = {
            "command": "throttle forgive",
            "target": "192.0.2.1",
            "more": "x",
        }
        supervisor._obey(command, answers.append)
        question = asked(stage, 0)
        assert question == {"command": "throttle forgive", "target": "192.0.2.1", "id": 1}
        for end in stage.ends[1:]:
            end.setblocking(False)
            with pytest.raises(BlockingIOError):
                end.recv(1)
        # A worker that was taken over may say what it likes.
        stage.ends[1].sendall(b'{"reply":1,"forgiven":99}\n')
        supervisor._heard(stage.children[1])
        assert answers == []
        stage.ends[0].sendall(b'{"reply":1,"forgiven":2}\n')
        supervisor._heard(stage.children[0])
        assert answers == [{"forgiven": 2}]


def test_the_auth_processes_of_every_generation_forgive(stage: Stage) -> None:
    with running(stage) as supervisor:
        assert supervisor._reload() is None
        answers: list[dict[str, object]] = []
        supervisor._obey({"command": "throttle list"}, answers.append)
        for number, held in ((0, "old"), (3, "new")):
            assert asked(stage, number)["command"] == "throttle list"
            stage.ends[number].sendall(b'{"reply":1,"held":["%s"]}\n' % held.encode())
            supervisor._heard(stage.children[number])
        assert answers == [{"held": ["new"]}]


@pytest.mark.parametrize("dies", [True, False])
def test_an_auth_process_that_does_not_answer_is_said_to(stage: Stage, dies: bool) -> None:
    with running(stage) as supervisor:
        answers: list[dict[str, object]] = []
        supervisor._obey({"command": "throttle list"}, answers.append)
        if dies:
            supervisor._children.pop(stage.children[0].pid)
            supervisor._ended(stage.children[0], 9)
        else:
            supervisor._timers[-1][1]()
        assert answers == [{"error": "the auth process does not answer, try again"}]
        assert supervisor._those("auth") == ([] if dies else stage.children[:1])


def test_without_an_auth_process_there_is_an_answer_at_once(stage: Stage) -> None:
    with running(stage) as supervisor:
        supervisor._children.pop(stage.children[0].pid)
        supervisor._ended(stage.children[0], 9)
        answers: list[dict[str, object]] = []
        supervisor._obey({"command": "throttle list"}, answers.append)
        assert answers == [{"error": "the auth process does not answer, try again"}]


def test_the_auth_process_has_a_folder_of_its_own(stage: Stage, tmp_path: Path) -> None:
    with running(stage):
        folder = tmp_path / "state" / "auth"
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_somebody_elses_does_not_stop_the_server(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = privileges.make_directory

    def refuse(path: Path, mode: int, owner: str | None) -> None:
        if path.name == "auth":
            raise PermissionError(1, "Operation not permitted")
        made(path, mode, owner)

    monkeypatch.setattr(privileges, "make_directory", refuse)
    with running(stage):
        assert len(stage.children) == 3

"""The end of a worker; that it serves is shown by stories."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from restante.identity import Authenticator
from restante.maildrop import MailStore
from restante.server import worker as module
from restante.server.channel import Channel
from restante.server.generation import Generation
from restante.server.limits import SharedCounts
from restante.server.options import ListenerOptions, ServerOptions
from restante.server.worker import Worker, WorkerParts
from restante.stores.memory import MemoryStore
from restante.telemetry import Event, LineLog, RecordingLog

BOUND_SECONDS = 20


class Store(MemoryStore):
    """A store whose end a test decides on."""

    def __init__(self, on_close: Callable[[], None]) -> None:
        super().__init__()
        self.closed_in: list[threading.Thread] = []
        self._on_close = on_close

    def close(self) -> None:
        self.closed_in.append(threading.current_thread())
        self._on_close()


class Stage:
    """A worker without a client, told to drain before it began."""

    def __init__(self, directory: Path, on_close: Callable[[], None]) -> None:
        self.store = Store(on_close)
        self.log = RecordingLog()
        options = ServerOptions(
            listeners=(ListenerOptions(address="127.0.0.1:0", tls="none"),),
            state_directory=directory,
        )
        self._ours, self._theirs = socket.socketpair()
        self._loop = asyncio.new_event_loop()
        parts = WorkerParts(
            Generation(
                options, None, lambda listener, channel, log: None, frozenset(), self._build
            ),
            (),
            SharedCounts(1),
            0,
            self._theirs,
            directory / "auth",
            cast("LineLog", self.log),
        )
        self._worker = Worker(parts, self._loop)
        Channel(self._ours).send({"command": "drain"})

    def _build(self, auth: Path, log: LineLog) -> tuple[Authenticator, MailStore]:
        return cast("Authenticator", object()), self.store

    def run(self) -> None:
        bounded = asyncio.wait_for(self._worker.run(), BOUND_SECONDS)
        self._loop.run_until_complete(bounded)

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()
        self._loop.close()


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """Yield what a store waits for in vain until the test is over."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the memory of the tests' own process as it is, and do not wait for a second."""
    monkeypatch.setattr("restante.server.memory.settle", lambda: None)
    monkeypatch.setattr(module, "TICK_SECONDS", 0.05)


def test_its_store_ends_with_it_off_the_loop(tmp_path: Path) -> None:
    stage = Stage(tmp_path, lambda: None)
    stage.run()
    stage.close()
    (thread,) = stage.store.closed_in
    assert thread is not threading.main_thread()
    assert stage.log.events == []


def test_free_memory_is_given_back_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back: list[int] = []
    monkeypatch.setattr("restante.server.memory.give_back", lambda: given_back.append(1))
    monkeypatch.setattr(module, "GIVE_BACK_TICKS", 1)
    stage = Stage(tmp_path, lambda: None)
    stage.run()
    stage.close()
    assert given_back


def test_a_store_that_does_not_end_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, never: threading.Event
) -> None:
    monkeypatch.setattr(module, "STORE_SECONDS", 0.1)
    stage = Stage(tmp_path, lambda: cast("None", never.wait(BOUND_SECONDS)))
    started = time.monotonic()
    stage.run()
    assert time.monotonic() - started < BOUND_SECONDS / 2
    stage.close()


def test_a_store_that_fails_to_end_is_a_line_of_log(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("of the test")

    stage = Stage(tmp_path, fail)
    stage.run()
    stage.close()
    assert stage.log.events == [(Event.FAULT, {"reason": "RuntimeError"})]

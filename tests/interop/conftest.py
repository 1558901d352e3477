"""The service all peers talk to, mailboxes full of hard mail, and the record of what was shown."""

import itertools
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from interop import maildirs
from interop.all_mechanisms import AllMechanisms
from interop.messages import Message, corpus
from interop.record import Recorder, recorder
from interop.service import Service, open_folder

_S = TypeVar("_S", bound=Service)
_serial = itertools.count(1)
_recorder = pytest.StashKey[Recorder]()


def needs_root() -> None:
    """Go on as root alone, as deliverers and other servers want it; where CI runs, so it is."""
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("this test has to run as root")
        pytest.skip("this test has to run as root")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An account of the service, and the Maildir that belongs to it."""

    name: str
    password: str
    maildir: Path
    messages: tuple[Message, ...]

    @property
    def remaining(self) -> int:
        """Return how many messages the Maildir holds."""
        return len(maildirs.files(self.maildir))


NewMailbox = Callable[..., Mailbox]


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """The service that a whole run of tests talks to."""
    with open_folder("interop") as folder:
        yield from _running(Service(folder))


@pytest.fixture(scope="session")
def passwords_only() -> Iterator[Service]:
    """A service that offers USER and PASS alone."""
    with open_folder("interop") as folder:
        yield from _running(Service(folder, mechanisms=["USER"]))


@pytest.fixture(scope="session")
def all_mechanisms() -> Iterator[AllMechanisms]:
    """A service that offers every mechanism."""
    with open_folder("interop") as folder:
        yield from _running(AllMechanisms(folder))


def _running(service: _S) -> Iterator[_S]:
    with service:
        yield service


@pytest.fixture
def new_mailbox(service: Service) -> Iterator[NewMailbox]:
    """Make accounts with a Maildir of messages; the Maildirs go with the test."""
    made: list[Path] = []

    def make(messages: tuple[Message, ...] | None = None, of: Service = service) -> Mailbox:
        messages = corpus() if messages is None else messages
        name = f"reader{next(_serial)}-{os.getpid()}"
        password = f"pass word {name}"
        maildir = maildirs.fill(of.account(name, password), messages)
        made.append(maildir)
        return Mailbox(name, password, maildir, messages)

    yield make
    for maildir in made:
        shutil.rmtree(maildir)


@pytest.fixture
def mailbox(new_mailbox: NewMailbox) -> Mailbox:
    """An account whose Maildir holds the whole corpus."""
    return new_mailbox()


# ---- the record


def pytest_configure(config: pytest.Config) -> None:
    """Know the mark, and keep a record where one is asked for."""
    config.addinivalue_line("markers", "departs(*texts): proves a departure of the peer")
    keeping = recorder()
    if keeping is not None:
        config.stash[_recorder] = keeping


def pytest_collection_finish(session: pytest.Session) -> None:
    """Take note of the tests."""
    keeping = session.config.stash.get(_recorder, None)
    if keeping is not None:
        keeping.expect(session.items, run=not session.config.option.collectonly)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Take note of a test that passed."""
    report = yield
    keeping = item.config.stash.get(_recorder, None)
    if keeping is not None and report.when == "call" and report.passed:
        keeping.passed(item.nodeid)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the record."""
    keeping = session.config.stash.get(_recorder, None)
    if keeping is not None:
        keeping.write()

"""Other programs share the Maildir: nothing they do renumbers, mixes up or breaks a session.

A machine acts as deliveries, IMAP servers and people with a shell do, during sessions and between
them, against a model that knows which file is which message. Threats S1, S4 and S7.
"""

import os
import shutil
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from restante.errors import MaildropInUse, MessageVanished
from restante.identity import Identity
from restante.stores.maildir import MaildirDrop, MaildirStore
from restante.stores.options import MailOptions
from restante.stores.wire import encode
from restante.telemetry import RecordingLog
from restante.testing.stores import read

FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where making a folder durable costs nothing; that it is done is another test's."""
ALICE = Identity("alice", "test", None)
BOUND_SECONDS = 20
CONTENTS = st.sampled_from([b"", b"x", b"a\nb\n", b"a\r\nb\r\n", b"a\n\r\nb\r", b"\n.\n..\n"])
UNIQUES = st.sampled_from(["plain", "a b", "x" * 90, "caf\u00e9", "new\nline"])
FLAGS = st.sampled_from(["", ":2,", ":2,S", ":2,FRS"])


@dataclass(eq=False)
class Message:
    """A file as the model knows it."""

    unique: str
    content: bytes
    path: Path
    claims: str = ""
    unique_id: bytes | None = None
    """What the first session that saw it was shown."""
    is_there: bool = True
    has_twin: bool = False
    removed: bool = False
    """By a session: it does not come back."""


class SharedMaildir(RuleBasedStateMachine):
    """One Maildir, a store, sometimes a session, and everybody else."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="restante-maildir-", dir=FAST))
        self.mailbox = self.directory / "alice"
        for folder in ("new", "cur", "tmp"):
            (self.mailbox / folder).mkdir(parents=True)
        self.messages: list[Message] = []
        self.session: MaildirDrop | None = None
        self.shown: list[Message] = []
        self.ids_ever: dict[bytes, Message] = {}
        self.stores: list[MaildirStore] = []
        self.restart()

    def teardown(self) -> None:
        if self.session is not None:
            self.session.close()
        for store in self.stores:
            store.close()
        shutil.rmtree(self.directory)

    def there(self) -> list[Message]:
        return [message for message in self.messages if message.is_there]

    def pick(self, data: st.DataObject, messages: list[Message]) -> Message:
        return data.draw(st.sampled_from(messages))

    # ---- everybody else

    @rule(unique=UNIQUES, content=CONTENTS, claim=st.sampled_from(["", "true", "false"]))
    def deliver(self, unique: str, content: bytes, claim: str) -> None:
        number = len(self.messages)
        octets = len(encode(content)) if claim == "true" else len(content)
        claims = f",S={len(content)},W={octets}" if claim else ""
        unique = f"{1_700_000_000 + number}.{unique}"
        path = self.mailbox / "new" / f"{unique}{claims}"
        path.write_bytes(content)
        self.messages.append(Message(unique, content, path, claims))

    @precondition(lambda self: any(not message.has_twin for message in self.there()))
    @rule(data=st.data(), flags=FLAGS, more=st.booleans())
    def rename(self, data: st.DataObject, flags: str, more: bool) -> None:
        message = self.pick(data, [each for each in self.there() if not each.has_twin])
        if more and not message.claims:
            message.claims = f",S={len(message.content)}"
        path = self.mailbox / "cur" / f"{message.unique}{message.claims}{flags}"
        message.path.rename(path)
        message.path = path

    def losable(self) -> list[Message]:
        # While one of two twins is not listed, the other one's end looks like its renaming.
        return [each for each in self.there() if not each.has_twin or self.twins_are_listed(each)]

    def twins_are_listed(self, message: Message) -> bool:
        twins = [each for each in self.messages if each.unique == message.unique]
        if self.session is not None:
            return all(twin in self.shown for twin in twins)
        return all(twin.unique_id is not None for twin in twins)

    @precondition(lambda self: self.losable())
    @rule(data=st.data())
    def expunge(self, data: st.DataObject) -> None:
        message = self.pick(data, self.losable())
        message.path.rename(self.mailbox / "tmp" / str(self.messages.index(message)))
        message.is_there = False

    def away(self) -> list[Message]:
        return [m for m in self.messages if not (m.is_there or m.removed or m.has_twin)]

    @precondition(lambda self: self.away())
    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        message = self.pick(data, self.away())
        (self.mailbox / "tmp" / str(self.messages.index(message))).rename(message.path)
        message.is_there = True

    @precondition(lambda self: any(not message.has_twin for message in self.there()))
    @rule(data=st.data(), content=CONTENTS)
    def make_a_twin(self, data: st.DataObject, content: bytes) -> None:
        """Give another message the same unique part; nobody renames the two from then on."""
        message = self.pick(data, [each for each in self.there() if not each.has_twin])
        path = self.mailbox / "cur" / f"{message.unique}:2,T"
        path.write_bytes(content)
        message.has_twin = True
        self.messages.append(Message(message.unique, content, path, has_twin=True))

    @rule()
    def plant(self) -> None:
        fifo = self.mailbox / "cur" / "fifo"
        if not fifo.exists():
            os.mkfifo(fifo)

    # ---- we

    @precondition(lambda self: self.session is None)
    @rule(verify_at_login=st.sampled_from([0, 400]), lose_listing=st.booleans())
    def restart(self, verify_at_login: int = 400, lose_listing: bool = False) -> None:
        options = MailOptions(
            path=str(self.directory / "{name}"),
            state_directory=self.directory / "state",
            verify_at_login=verify_at_login,
        )
        self.store = MaildirStore(options, RecordingLog())
        self.stores.append(self.store)
        if lose_listing:
            (self.mailbox / "restante.catalogue-listing").unlink(missing_ok=True)

    def opened(self) -> MaildirDrop:
        """Open the maildrop, again and again while sizes are recorded between two sessions."""
        deadline = time.monotonic() + BOUND_SECONDS
        while True:
            try:
                return self.store.open_ready(ALICE) or self.store.open(ALICE)
            except MaildropInUse:
                assert time.monotonic() < deadline
                time.sleep(0.001)

    @precondition(lambda self: self.session is None)
    @rule()
    def log_in(self) -> None:
        self.session = self.opened()
        listing = self.session.listing
        assert listing.count == len(self.there())
        ids = [listing.unique_id(number) for number in range(1, listing.count + 1)]
        assert len(set(ids)) == len(ids)
        by_path = {os.fsencode(message.path): message for message in self.there()}
        self.shown = []
        for number, unique_id in enumerate(ids, 1):
            path = os.fsencode(self.mailbox) + b"/" + listing.name(number)
            message = by_path.pop(path)
            if message.unique_id is None:
                # Never given before, to any message.
                assert unique_id not in self.ids_ever
                message.unique_id = unique_id
                self.ids_ever[unique_id] = message
            assert self.ids_ever[unique_id] is message
            self.shown.append(message)
            if not listing.is_claim(number):
                assert listing.size(number) == len(encode(message.content))

    @precondition(lambda self: self.session is not None and self.shown)
    @rule(data=st.data())
    def retrieve(self, data: st.DataObject) -> None:
        assert self.session is not None
        message = self.pick(data, self.shown)
        reader = self.session.open_message(self.shown.index(message) + 1)
        try:
            with closing(reader):
                assert read(reader) == encode(message.content)
            assert message.is_there
        except MessageVanished:
            assert not message.is_there

    @precondition(lambda self: self.session is not None)
    @rule(data=st.data())
    def quit(self, data: st.DataObject) -> None:
        assert self.session is not None
        numbers = set(range(1, len(self.shown) + 1))
        if numbers and not data.draw(st.booleans()):
            numbers = data.draw(st.sets(st.sampled_from(sorted(numbers))))
        self.session.remove(numbers)
        for number in numbers:
            message = self.shown[number - 1]
            if message.is_there:
                message.is_there = False
                message.removed = True
        self.log_off()

    @precondition(lambda self: self.session is not None)
    @rule()
    def log_off(self) -> None:
        assert self.session is not None
        self.session.close()
        self.session = None

    # ---- what must always hold

    @invariant()
    def nothing_is_gone_but_what_was_removed(self) -> None:
        for message in self.messages:
            if message.is_there:
                assert message.path.read_bytes() == message.content
            elif message.removed:
                assert not message.path.exists()

    @invariant()
    def a_session_is_what_it_was(self) -> None:
        if self.session is not None:
            assert self.session.listing.count == len(self.shown)


SETTINGS = settings(
    max_examples=60,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what a login counts kept ready, though every file here is a moment old."""
    monkeypatch.setattr("restante.stores.prepared.clock_ns", lambda: time.time_ns() + 10**10)


def test_other_programs_do_no_harm() -> None:
    run_state_machine_as_test(SharedMaildir, settings=SETTINGS)


@pytest.mark.long
def test_other_programs_do_no_harm_for_long() -> None:
    long = settings(SETTINGS, max_examples=3_000, stateful_step_count=60)
    run_state_machine_as_test(SharedMaildir, settings=long)

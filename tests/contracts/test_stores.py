"""The contract of stores, held against each of ours."""

from pathlib import Path
from typing import Any

from restante.identity import Identity
from restante.stores.failing import DepositingStore, FailingStore
from restante.stores.maildir import MaildirStore
from restante.stores.memory import MemoryStore
from restante.stores.options import MailOptions
from restante.telemetry import RecordingLog
from restante.testing.stores import StoreContract


def maildir_store(directory: Path, *, verify_at_login: int = 400) -> MaildirStore:
    options = MailOptions(
        path=str(directory / "{name}"),
        state_directory=directory / "state",
        verify_at_login=verify_at_login,
    )
    return MaildirStore(options, RecordingLog())


def unlink_message(directory: Path, identity: Identity, unique_id: bytes) -> bool:
    for folder in ("new", "cur"):
        for path in (directory / identity.name / folder).iterdir():
            if path.name.startswith(unique_id.decode()):
                path.unlink()
                return True
    raise AssertionError(f"no file of {unique_id!r}")


class TestMemoryStore(StoreContract):
    def make_store(self, directory: Path) -> DepositingStore:
        return MemoryStore()

    def take_away(self, directory: Path, store: Any, identity: Identity, unique_id: bytes) -> bool:
        store.discard(identity.name, [unique_id])
        return True


class TestMaildirStore(StoreContract):
    def make_store(self, directory: Path) -> DepositingStore:
        return maildir_store(directory)

    def take_away(self, directory: Path, store: Any, identity: Identity, unique_id: bytes) -> bool:
        return unlink_message(directory, identity, unique_id)


class TestMaildirStoreOfClaims(TestMaildirStore):
    """Sizes are believed at first, as in a maildrop of more messages than a login can count."""

    def make_store(self, directory: Path) -> DepositingStore:
        return maildir_store(directory, verify_at_login=0)


class TestFailingStore(StoreContract):
    """What does not fail is what it was."""

    def make_store(self, directory: Path) -> DepositingStore:
        return FailingStore(maildir_store(directory))

    def take_away(self, directory: Path, store: Any, identity: Identity, unique_id: bytes) -> bool:
        return unlink_message(directory, identity, unique_id)


class TestFailingStoreThatWaits(TestFailingStore):
    """Everything waits for the disk, and comes out the same."""

    def make_store(self, directory: Path) -> DepositingStore:
        store = FailingStore(maildir_store(directory))
        store.waits_for_disk = True
        return store

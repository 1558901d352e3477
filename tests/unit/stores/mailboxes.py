"""Maildirs for tests, made and changed as other programs do it."""

import os
from pathlib import Path

from restante.identity import Identity
from restante.stores.maildir import MaildirDrop, MaildirStore
from restante.stores.options import MailOptions
from restante.stores.refresh import Affordable
from restante.telemetry import Event, RecordingLog

AFFORDABLE = Affordable(messages=400, octets=1 << 20)
ALICE = Identity("alice", "test", None)
LONG_AGO_NS = 1_700_000_000_123_456_789


class Mailbox:
    """One Maildir, `alice`'s, below a folder of a test's."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "alice"
        for folder in ("new", "cur", "tmp"):
            (self.path / folder).mkdir(parents=True)

    @property
    def octets(self) -> bytes:
        """Its path."""
        return os.fsencode(self.path)

    def add(self, name: str, message: bytes = b"Subject: x\n\nbody\n") -> Path:
        """Add a file, `new/…` or `cur/…`."""
        path = self.path / name
        path.write_bytes(message)
        return path

    def add_many(self, count: int, message: bytes = b"Subject: x\n\nbody\n") -> list[str]:
        """Add files to `cur` and return their unique parts, in order."""
        uniques = [f"{1_700_000_000 + number}.M{number}P1.host" for number in range(count)]
        for unique in uniques:
            self.add(f"cur/{unique}:2,", message)
        return uniques

    def settle(self) -> None:
        """Make the folders' times of change old enough to prove something."""
        for folder in ("new", "cur"):
            os.utime(self.path / folder, ns=(LONG_AGO_NS, LONG_AGO_NS))

    def store(
        self, *, verify_at_login: int = 400, big_folder: int = 10_000, cache_octets: int = 1 << 20
    ) -> "TestedStore":
        """Return a store of it, as a new process would have."""
        return TestedStore(
            MailOptions(
                path=str(self.directory / "{name}"),
                state_directory=self.directory / "state",
                verify_at_login=verify_at_login,
                cache_octets=cache_octets,
            ),
            RecordingLog(),
            big_folder=big_folder,
        )


class TestedStore(MaildirStore):
    """A store that shows what it logged."""

    __test__ = False

    def __init__(self, options: MailOptions, log: RecordingLog, *, big_folder: int) -> None:
        super().__init__(options, log, big_folder=big_folder)
        self.log = log

    def seen(self) -> dict[bytes, int]:
        """Return unique-ids and sizes that a session is shown, in order."""
        maildrop = self.open(ALICE)
        shown = listed(maildrop)
        maildrop.close()
        return shown

    def warnings(self) -> list[str]:
        """Return the reasons of all warnings."""
        return [
            str(fields["reason"]) for event, fields in self.log.events if event is Event.WARNING
        ]


def listed(maildrop: MaildirDrop) -> dict[bytes, int]:
    """Return unique-ids and sizes of a session, in order."""
    listing = maildrop.listing
    numbers = range(1, listing.count + 1)
    return {listing.unique_id(number): listing.size(number) for number in numbers}

"""The catalogue of a maildrop: unique-ids and sizes that were given once, and what is gone.

A SQLite database beside the mail; it is the truth, and everything faster is derived from it.
Regular messages lie packed by the thousand, because a hundred thousand rows take forty times
longer to write; what is gone has a row each, so that one name can be asked for.

The generation is raised with every change, in the same transaction.
"""

import sqlite3
import time
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "restante.catalogue"
LISTING_NAME = "restante.catalogue-listing"
PACKED = 4_096
TOMBSTONES = 100_000
"""Messages remembered after they are gone; the oldest are forgotten first."""
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE generation (value INTEGER NOT NULL);
INSERT INTO generation VALUES (0);
CREATE TABLE pack (
    first INTEGER PRIMARY KEY,
    names BLOB NOT NULL,
    sizes BLOB NOT NULL,
    unique_ids BLOB NOT NULL
);
CREATE TABLE gone (
    unique_name BLOB PRIMARY KEY,
    unique_id BLOB NOT NULL,
    size INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX gone_unique_id ON gone (unique_id);
"""


@dataclass(frozen=True, slots=True)
class Gone:
    """A message that is no longer there."""

    unique_name: bytes
    unique_id: bytes
    size: int
    removed: bool
    """By us; otherwise it vanished by other hands, and may come back."""


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a catalogue knows of the messages that are there."""

    generation: int
    names: list[bytes]
    sizes: "array[int]"
    unique_ids: list[bytes]


class Catalogue:
    """One catalogue while it is open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, mailbox: Path, *, create: bool) -> "Catalogue | None":
        """Open the catalogue of a mailbox; None: there is none and none is to be made.

        Raises:
            sqlite3.Error: it cannot be used.
        """
        path = mailbox / FILE_NAME
        if not create and not path.exists():
            return None
        mode = "rwc" if create else "ro"
        connection = sqlite3.connect(
            f"file:{_quoted(path)}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=5.0,
            check_same_thread=False,
        )
        try:
            if create:
                connection.execute("PRAGMA journal_mode = TRUNCATE")
                connection.execute("PRAGMA synchronous = FULL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and create:
                connection.executescript(
                    f"BEGIN; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;"
                )
            elif version != _SCHEMA_VERSION:
                raise sqlite3.DatabaseError("the catalogue is of another version")
        except sqlite3.Error:
            connection.close()
            raise
        return cls(connection)

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def __enter__(self) -> "Catalogue":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ---- reading

    def generation(self) -> int:
        """Return the number of the last change."""
        value: int = self._connection.execute("SELECT value FROM generation").fetchone()[0]
        return value

    def contents(self) -> Contents:
        """Return everything it knows of the messages that are there."""
        names: list[bytes] = []
        sizes: array[int] = array("Q")
        unique_ids: list[bytes] = []
        rows = self._connection.execute("SELECT names, sizes, unique_ids FROM pack ORDER BY first")
        for packed_names, packed_sizes, packed_ids in rows:
            names += packed_names.split(b"\0")
            sizes.frombytes(packed_sizes)
            unique_ids += packed_ids.split(b"\0")
        return Contents(self.generation(), names, sizes, unique_ids)

    def gone(self, unique_name: bytes) -> Gone | None:
        """Return what is known of a message that was there."""
        row = self._connection.execute(
            "SELECT unique_name, unique_id, size, removed FROM gone WHERE unique_name = ?",
            (unique_name,),
        ).fetchone()
        return None if row is None else Gone(row[0], row[1], row[2], bool(row[3]))

    def was_given(self, unique_id: bytes) -> bool:
        """Say whether a message that is gone had this unique-id."""
        row = self._connection.execute(
            "SELECT 1 FROM gone WHERE unique_id = ? LIMIT 1", (unique_id,)
        ).fetchone()
        return row is not None

    def has_gone(self) -> bool:
        """Say whether any message was ever there that is not now."""
        return self._connection.execute("SELECT 1 FROM gone LIMIT 1").fetchone() is not None

    # ---- writing

    def replace(
        self,
        first: int,
        names: Sequence[bytes],
        sizes: "array[int]",
        unique_ids: Sequence[bytes],
        *,
        gone: Iterable[Gone] = (),
        back: Iterable[bytes] = (),
    ) -> int:
        """Store all messages, of which those before index `first` are as they were.

        `gone` are those that are no longer there, `back` the unique names that are there again.
        Returns the new generation; durable on return.
        """
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            start = first - first % PACKED
            connection.execute("DELETE FROM pack WHERE first >= ?", (start,))
            connection.executemany(
                "INSERT INTO pack VALUES (?, ?, ?, ?)",
                (
                    (
                        at,
                        b"\0".join(names[at : at + PACKED]),
                        sizes[at : at + PACKED].tobytes(),
                        b"\0".join(unique_ids[at : at + PACKED]),
                    )
                    for at in range(start, len(names), PACKED)
                ),
            )
            self._bury(gone, back)
            connection.execute("UPDATE generation SET value = value + 1")
            generation = self.generation()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return generation

    def _bury(self, gone: Iterable[Gone], back: Iterable[bytes]) -> None:
        now = int(time.time())
        rows = [
            (message.unique_name, message.unique_id, message.size, int(message.removed), now)
            for message in gone
        ]
        connection = self._connection
        connection.executemany("DELETE FROM gone WHERE unique_name = ?", [(name,) for name in back])
        if not rows:
            return
        connection.executemany("INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?, ?)", rows)
        (count,) = connection.execute("SELECT count(*) FROM gone").fetchone()
        if count > TOMBSTONES:
            connection.execute(
                "DELETE FROM gone WHERE unique_name IN"
                " (SELECT unique_name FROM gone ORDER BY at LIMIT ?)",
                (count - TOMBSTONES,),
            )


def _quoted(path: Path) -> str:
    """Return a path as it stands in a SQLite URI."""
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")

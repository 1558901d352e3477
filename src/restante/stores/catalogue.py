"""The catalogue of a maildrop: unique-ids and sizes that were given once, and what is gone.

A SQLite database beside the mail; it is the truth, and everything faster is derived from it.
Regular messages lie packed by the thousand, because a hundred thousand rows take forty times
longer to write; what is gone has a row each, so that one name can be asked for.

The generation is raised with every change, in the same transaction. Reading writes nothing, but
for a transaction that a crash cut short: whoever opens the catalogue next takes it back.
"""

import os
import re
import sqlite3
import stat
import time
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

from restante.maildrop import Buffer
from restante.stores.changes import CATALOGUE_NAME, PACKED, Changes, Gone
from restante.stores.image import Version, render

FILE_NAME = CATALOGUE_NAME
DAMAGED_NAME = "restante.catalogue-damaged"
LISTING_NAME = "restante.catalogue-listing"
_CATALOGUE = b"/" + FILE_NAME.encode()
_JOURNAL = b"-journal"
TOMBSTONES = 100_000
"""Messages remembered after they are gone; the oldest are forgotten first."""
_MANY = 1_000
"""Messages from which on a new catalogue is made of big pages, which are written faster."""
_BIG_PAGE_OCTETS = 16_384
_SCHEMA_VERSION = 2
_SCHEMA = (
    "CREATE TABLE generation (value INTEGER NOT NULL)",
    "INSERT INTO generation VALUES (0)",
    """CREATE TABLE pack (
    first INTEGER PRIMARY KEY,
    names BLOB NOT NULL,
    sizes BLOB NOT NULL,
    unique_ids BLOB NOT NULL,
    claims BLOB NOT NULL
)""",
    """CREATE TABLE gone (
    unique_id BLOB PRIMARY KEY,
    unique_name BLOB NOT NULL,
    size INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID""",
    "CREATE INDEX gone_unique_name ON gone (unique_name)",
    f"PRAGMA user_version = {_SCHEMA_VERSION}",
)
_are_unique_ids = re.compile(rb"[!-~]{1,70}(?:\0[!-~]{1,70})*").fullmatch
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a catalogue knows of the messages that are there."""

    generation: int
    names: list[bytes]
    sizes: "array[int]"
    unique_ids: list[bytes]
    claims: bytes
    """An octet for each message, 1: its size was never counted; b"": all were."""


class DamagedCatalogue(sqlite3.DatabaseError):
    """A catalogue whose contents cannot be what was written."""


class Catalogue:
    """One catalogue while it is open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, mailbox: bytes, *, create: bool) -> "Catalogue | None":
        """Open the catalogue of a mailbox; None: there is none and none is to be made.

        One that is made holds nothing, and cannot be asked, until something is stored in it.

        Raises:
            sqlite3.Error: it cannot be used.
        """
        path = catalogue_path(mailbox)
        if not _is_there(path) and not create:
            return None
        connection = _connect(path, "rwc" if create else "rw")
        try:
            version = _version(connection)
            if version == 0 and not create:
                # Made, but a crash came before anything was written to it.
                connection.close()
                return None
            if version not in (0, _SCHEMA_VERSION):
                raise sqlite3.NotSupportedError("the catalogue is of another version")
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
        row = self._connection.execute("SELECT value FROM generation").fetchone()
        if row is None or not isinstance(row[0], int):
            raise DamagedCatalogue("the catalogue has no generation")
        return row[0]

    def contents(self) -> Contents:
        """Return everything it knows of the messages that are there."""
        names: list[bytes] = []
        sizes: array[int] = array("Q")
        unique_ids: list[bytes] = []
        claims: list[bytes] = []
        for row in _packs(self._connection):
            names += row.names
            sizes += row.sizes
            unique_ids += row.unique_ids
            claims.append(row.claims or bytes(len(row.names)))
        if len(set(unique_ids)) != len(unique_ids):
            raise DamagedCatalogue("the catalogue has a unique-id twice")
        joined = b"".join(claims)
        return Contents(
            self.generation(), names, sizes, unique_ids, joined if b"\1" in joined else b""
        )

    def vanished(self, unique_name: bytes) -> list[Gone]:
        """Return the messages of this name that vanished by other hands, the last one first."""
        rows = self._connection.execute(
            "SELECT unique_name, unique_id, size, removed FROM gone"
            " WHERE unique_name = ? AND removed = 0 ORDER BY at DESC, unique_id",
            (unique_name,),
        )
        return [Gone(row[0], row[1], row[2], bool(row[3])) for row in rows]

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

    def replace(self, changes: Changes) -> int:
        """Store a change and return the new generation; durable on return."""
        connection = self._connection
        if changes.image.count >= _MANY and not _version(connection):
            connection.execute(f"PRAGMA page_size = {_BIG_PAGE_OCTETS}")
        _prepare_to_write(connection)
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not _version(connection):
                # Together with what comes first: one wait for the disk instead of two.
                for statement in _SCHEMA:
                    connection.execute(statement)
            # What is stored may be older than what the change was made of: a disk was full.
            # And 0 is what a catalogue begins with, but the base of what is stored nowhere.
            is_next = changes.base and changes.base == self.generation()
            first = changes.first if is_next else 0
            start = first - first % PACKED
            connection.execute("DELETE FROM pack WHERE first >= ?", (start,))
            rows = _rows(changes, start)
            connection.executemany("INSERT INTO pack VALUES (?, ?, ?, ?, ?)", rows)
            self._bury(changes.gone, changes.back)
            connection.execute("UPDATE generation SET value = value + 1")
            generation = self.generation()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return generation

    def _bury(self, gone: Iterable[Gone], back: Iterable[Gone]) -> None:
        now = int(time.time())
        rows = [
            (message.unique_id, message.unique_name, message.size, int(message.removed), now)
            for message in gone
        ]
        connection = self._connection
        connection.executemany(
            "DELETE FROM gone WHERE unique_id = ?", [(message.unique_id,) for message in back]
        )
        if not rows:
            return
        connection.executemany("INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?, ?)", rows)
        (count,) = connection.execute("SELECT count(*) FROM gone").fetchone()
        if count > TOMBSTONES:
            connection.execute(
                "DELETE FROM gone WHERE unique_id IN"
                " (SELECT unique_id FROM gone ORDER BY at LIMIT ?)",
                (count - TOMBSTONES,),
            )


# ---- damage


def is_damaged(error: sqlite3.Error) -> bool:
    """Say whether an error means that the file holds no sound catalogue."""
    if isinstance(error, DamagedCatalogue):
        return True
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def catalogue_path(mailbox: bytes) -> bytes:
    """Return where the catalogue of a mailbox lies.

    In octets, as all paths on the way of a login: `pathlib` puts the parts of each path into a
    table of the interpreter's, which for many mailboxes grows to a megabyte.
    """
    return mailbox + _CATALOGUE


def salvage(mailbox: bytes) -> Changes:
    """Return what can still be read of a damaged catalogue, as the first change of a new one."""
    packs: list[_Pack] = []
    gone: list[Gone] = []
    path = catalogue_path(mailbox)
    with suppress(sqlite3.Error), closing(_connect(path, "rw")) as connection:
        with suppress(sqlite3.Error):
            packs.extend(_packs(connection))
        rows = connection.execute("SELECT unique_name, unique_id, size, removed FROM gone")
        gone.extend(Gone(row[0], row[1], row[2], bool(row[3])) for row in rows)
    names: list[bytes] = []
    sizes: array[int] = array("Q")
    unique_ids: dict[bytes, None] = {}
    for pack in packs:
        for name, size, unique_id in zip(pack.names, pack.sizes, pack.unique_ids, strict=True):
            if unique_id not in unique_ids:
                names.append(name)
                sizes.append(size)
                unique_ids[unique_id] = None
    claims = b"\1" * len(names)
    return Changes(0, 0, render(Version(0, 0, 0), names, sizes, list(unique_ids), claims), gone)


def set_aside(mailbox: bytes) -> None:
    """Move a damaged catalogue out of the way, and its journal, which belongs to no other.

    Raises:
        OSError: it cannot be moved.
    """
    path = catalogue_path(mailbox)
    with suppress(FileNotFoundError):
        os.unlink(path + _JOURNAL)
    os.rename(path, mailbox + b"/" + DAMAGED_NAME.encode())


# ---- the database


@dataclass(frozen=True, slots=True)
class _Pack:
    names: list[bytes]
    sizes: "array[int]"
    unique_ids: list[bytes]
    claims: bytes


def _packs(connection: sqlite3.Connection) -> Iterator[_Pack]:
    """Yield the packs in order, each held to being one."""
    rows = connection.execute("SELECT names, sizes, unique_ids, claims FROM pack ORDER BY first")
    for names, packed_sizes, ids, claims in rows:
        if not all(isinstance(value, bytes) for value in (names, packed_sizes, ids, claims)):
            raise DamagedCatalogue("the catalogue holds what is no pack")
        if len(packed_sizes) % 8 or not _are_unique_ids(ids):
            raise DamagedCatalogue("the catalogue holds a broken pack")
        sizes = array("Q", packed_sizes)
        pack = _Pack(names.split(b"\0"), sizes, ids.split(b"\0"), claims)
        if not len(pack.names) == len(sizes) == len(pack.unique_ids):
            raise DamagedCatalogue("the catalogue holds an uneven pack")
        if len(claims) not in (0, len(sizes)):
            raise DamagedCatalogue("the catalogue holds an uneven pack")
        yield pack


def _rows(changes: Changes, start: int) -> Iterator[tuple[int, Buffer, Buffer, Buffer, Buffer]]:
    image = changes.image
    for at in range(start, image.count, PACKED):
        behind = min(at + PACKED, image.count)
        if changes.packed_unique_ids:
            unique_ids = changes.packed_unique_ids[at // PACKED]
        else:
            unique_ids = image.packed_unique_ids(at, behind)
        names, sizes, claims = image.pack(at, behind)
        yield at, names, sizes, unique_ids, claims


def _is_there(path: bytes) -> bool:
    """Say whether there is a catalogue; neither it nor its journal may be anything but a file."""
    return [_is_file(path), _is_file(path + _JOURNAL)][0]


def _is_file(path: bytes) -> bool:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise sqlite3.OperationalError(f"the catalogue cannot be looked at: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise sqlite3.OperationalError("the catalogue is no file")
    return True


def _connect(path: bytes, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote_from_bytes(path)}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=5.0,
        check_same_thread=False,
    )


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _prepare_to_write(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")

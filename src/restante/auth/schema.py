"""The schema of the accounts database: its versions, and how each becomes the next.

A database is brought up to date by the first command that changes something in it, in that
command's own transaction: whoever reads meanwhile, and whoever reads after a crash in the midst,
finds the old version or the new one and nothing between. The auth process only ever reads, and
reads every version there has been; one that came later than this program is left alone.
"""

import sqlite3

_STEPS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE account (
            name TEXT PRIMARY KEY,
            stored_password TEXT NOT NULL,
            disabled INTEGER NOT NULL DEFAULT 0,
            mailbox TEXT,
            version INTEGER NOT NULL DEFAULT 1,
            created_at INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE TABLE counter (value INTEGER NOT NULL)",
        "INSERT INTO counter VALUES (1)",
    ),
    (
        # What SCRAM is verified by, one `{MECHANISM}text` behind another with a space between.
        "ALTER TABLE account ADD COLUMN scram TEXT NOT NULL DEFAULT ''",
        """
        CREATE TABLE device (
            account TEXT NOT NULL,
            name TEXT NOT NULL,
            id INTEGER NOT NULL,
            mechanism TEXT NOT NULL,
            networks TEXT NOT NULL,
            expires_at INTEGER,
            read_only INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            mark BLOB NOT NULL,
            verifier BLOB NOT NULL,
            sealed BLOB,
            scram TEXT NOT NULL,
            PRIMARY KEY (account, name)
        ) WITHOUT ROWID
        """,
        # A name that is given again has nothing of whoever had it before.
        """
        CREATE TRIGGER devices_go_with_their_account AFTER DELETE ON account
        BEGIN DELETE FROM device WHERE account = OLD.name; END
        """,
    ),
)
"""What makes version 1 of nothing, version 2 of version 1, and so on."""

NEWEST = len(_STEPS)
SCRAM_SINCE = 2
"""The version whose accounts have verifiers of SCRAM."""
DEVICES_SINCE = 2
"""The version whose accounts have devices."""


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of what is there; 0: there are no tables yet.

    Raises:
        sqlite3.DatabaseError: it is of a program that came later.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if not 0 <= version <= NEWEST:
        raise sqlite3.DatabaseError(
            f"it is of version {version}, made by a newer program; this one knows {NEWEST} at most"
        )
    return version


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make what is missing, within the transaction that is under way.

    Raises:
        sqlite3.DatabaseError: it is of a program that came later.
    """
    version = version_of(connection)
    if version == NEWEST:
        return
    for step in _STEPS[version:]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {NEWEST}")

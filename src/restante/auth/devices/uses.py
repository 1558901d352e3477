"""When each device was last used, from where and by which mechanism.

It is noted in memory and written together with others a little later, by a thread: no login waits
for a disk, and what was not yet written is lost with the process. The file is not the accounts'
own, whose every change has the logins after it looked up anew; it may be deleted at any time.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from restante.telemetry import Event, Log

FILE_NAME = "auth/device-uses.sqlite"
"""In the state directory."""
BATCH_SECONDS = 5.0
MAXIMUM_WAITING = 10_000
"""Devices; of further ones nothing is noted until those are written."""
_WAIT_SECONDS = 5.0


class Use(NamedTuple):
    """A login of a device."""

    at: int
    address: str
    mechanism: str


class DeviceUses:
    """The last use of every device, as the auth process keeps it."""

    def __init__(self, path: Path, log: Log, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._log = log
        self._clock = clock
        self._waiting: dict[int, Use] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None
        self._failed = False

    def note(self, device: int, address: str, mechanism: str) -> None:
        """Note a login; called on the loop."""
        waiting = self._waiting
        if device in waiting or len(waiting) < MAXIMUM_WAITING:
            waiting[device] = Use(int(self._clock()), address, mechanism)
        if self._timer is None and self._writing is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._begin)

    async def close(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if self._waiting:
            self._begin()
            assert self._writing is not None
            await asyncio.wait([self._writing])

    def _begin(self) -> None:
        self._timer = None
        batch, self._waiting = self._waiting, {}
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._write, batch)
        self._writing.add_done_callback(self._end)

    def _end(self, writing: asyncio.Future[None]) -> None:
        self._writing = None
        with suppress(asyncio.CancelledError):
            error = writing.exception()
            if error is not None and not self._failed:
                self._log(Event.WARNING, reason=f"last uses of devices: {error}")
            self._failed = error is not None

    def _write(self, batch: dict[int, Use]) -> None:
        try:
            write(self._path, batch)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            # Damaged; nobody can log in any worse without it.
            self._path.unlink()
            write(self._path, batch)


def write(path: Path, uses: dict[int, Use]) -> None:
    """Write uses over those before.

    Raises:
        OSError: it is not possible.
        sqlite3.Error: the same.
    """
    # Made here and not by SQLite, so that it is never readable by others for a moment.
    flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(path, flags, 0o600))
    with closing(_open(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS use (device INTEGER PRIMARY KEY,"
            " used_at INTEGER NOT NULL, address TEXT NOT NULL, mechanism TEXT NOT NULL)"
        )
        connection.executemany(
            "INSERT OR REPLACE INTO use VALUES (?, ?, ?, ?)",
            [(device, *use) for device, use in uses.items()],
        )


def read(path: Path, devices: Iterable[int]) -> dict[int, Use]:
    """Return what is known of the last uses of some devices; what cannot be read is not known."""
    found: dict[int, Use] = {}
    with suppress(sqlite3.Error), closing(_open(path)) as connection:
        for device in devices:
            select = "SELECT used_at, address, mechanism FROM use WHERE device = ?"
            row = connection.execute(select, (device,)).fetchone()
            if row is not None:
                found[device] = Use(*row)
    return found


def forget(path: Path, devices: Iterable[int]) -> None:
    """Forget devices that there are no more."""
    with suppress(sqlite3.Error), closing(_open(path)) as connection, connection:
        connection.executemany("DELETE FROM use WHERE device = ?", [(each,) for each in devices])


def _open(path: Path) -> sqlite3.Connection:
    """Open what is there; nothing is made."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", timeout=_WAIT_SECONDS, uri=True)

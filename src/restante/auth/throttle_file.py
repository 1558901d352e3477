"""The throttle's file: what it remembers outlives the auth process and the server.

Written every few seconds where something has changed, off the loop, from a copy; a crash costs what
came after the last one. It holds the newest entries up to a bound, with times of the wall clock,
since no other outlives the machine.

No secret is in it, and nothing that one could be guessed by. Digests of wrong passwords stay in
memory: a wrong password is often nearly the right one. So does every name that no account has: it
may be a password that was typed in the wrong place, and no digest of it would be hard to guess.
After a restart one entry stands for them all and holds for every name without an entry of its own,
or the delay of a name would tell that it exists.

With a reload there are two auth processes for a while. The newer one takes the file; the older sees
that and writes no more.
"""

import asyncio
import json
import math
import os
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from restante.auth.failures import Failures
from restante.auth.neighbourhood import covered
from restante.auth.throttle import IN_ALL, KINDS, Throttle
from restante.telemetry import Event, Log

FILE_NAME = "auth/throttle.json"
"""In the state directory, in the folder that is the auth process's own."""
VERSION = 1
ENTRIES_KEPT = 16_384
"""Of failures and of successes each."""
MAXIMUM_OCTETS = 32 * 2**20
"""More than so many entries can have with names of the greatest length."""
INTERVAL_SECONDS = 5.0
SUCCESSES_INTERVAL_SECONDS = 300.0
"""Successes alone are no reason to write at once: every login is one."""

Entry = tuple[str, int, float]
"""Key, count and time."""


class ThrottleFile:
    """The file of one throttle."""

    def __init__(
        self,
        state_directory: Path,
        throttle: Throttle,
        log: Log,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._path = state_directory / FILE_NAME
        self._owner = self._path.with_suffix(".owner")
        self._name = secrets.token_hex(8).encode()
        self._throttle = throttle
        self._log = log
        self._clock = clock
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._saved = throttle.changes
        self._complained = False

    def load(self) -> None:
        """Take in what was written before, and be the one who writes from now on."""
        try:
            with suppress(FileNotFoundError):
                self._take_in(_read(self._path))
        except (ValueError, OSError) as error:
            self._complain(f"nothing is known from before: {_words(error)}")
        try:
            _write(self._owner, self._name)
            for left in self._path.parent.glob(f"{self._path.stem}.*.new"):
                # Of a process that was killed while it wrote.
                left.unlink(missing_ok=True)
        except OSError as error:
            self._complain(_words(error))

    async def keep(self) -> None:
        """Write whenever something has changed, until cancelled."""
        since = self._clock()
        while True:
            await self._sleep(INTERVAL_SECONDS)
            quiet = self._saved == self._throttle.changes
            if quiet and self._clock() - since < SUCCESSES_INTERVAL_SECONDS:
                continue
            since = self._clock()
            self._saved = self._throttle.changes
            copy = self._copy()
            await asyncio.get_running_loop().run_in_executor(None, self._save, copy)

    def save(self) -> None:
        """Write now, as the process ends."""
        self._save(self._copy())

    # ---- writing

    def _copy(self) -> dict[str, Any]:
        """Return what will be written; quick, since logins wait for it."""
        throttle, offset = self._throttle, self._wall_clock() - self._clock()
        unnamed = throttle.unnamed()
        named: list[Entry] = []
        for key, failures in throttle.newest_failures(ENTRIES_KEPT):
            if not failures.count:
                continue
            if failures.lasting:
                named.append((key, failures.count, failures.last + offset))
            elif key[0] == "u" and (unnamed is None or failures.count >= unnamed.count):
                unnamed = failures
        if unnamed is not None and unnamed.count:
            named.append((IN_ALL, unnamed.count, unnamed.last + offset))
        successes = [
            (host, account, at + offset)
            for at, host, account in throttle.newest_successes(ENTRIES_KEPT)
        ]
        level = throttle.flood_level()
        # Oldest first, as they have to be taken in.
        return {
            "version": VERSION,
            "level": level,
            "failures": named[::-1],
            "successes": successes[::-1],
        }

    def _save(self, copy: dict[str, Any]) -> None:
        try:
            if self._is_ours():
                _write(self._path, _encode(copy))
                self._complained = False
        except OSError as error:
            self._complain(_words(error))

    def _is_ours(self) -> bool:
        try:
            return self._owner.read_bytes() == self._name
        except FileNotFoundError:
            _write(self._owner, self._name)
            return True

    def _complain(self, words: str) -> None:
        if not self._complained:
            self._complained = True
            self._log(Event.WARNING, reason=f"throttle file: {words}")

    # ---- reading

    def _take_in(self, document: Any) -> None:
        failures, successes, level = _check(document)
        now, wall = self._clock(), self._wall_clock()

        def since(at: float) -> float:
            # A clock that was set back would make it last for ever.
            return now - max(wall - at, 0.0)

        for key, count, at in failures:
            self._throttle.restore(key, Failures(count, since(at)))
        for host, account, at in successes:
            self._throttle.restore_success(since(at), host, account)
        self._throttle.restore_flood(level)


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        data = file.read(MAXIMUM_OCTETS + 1)
    if len(data) > MAXIMUM_OCTETS:
        raise ValueError("it is too large")
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is not JSON") from None


def _encode(document: dict[str, Any]) -> bytes:
    """Return a document as JSON, made in pieces: each keeps the interpreter from the loop."""
    members = []
    for key, value in document.items():
        if isinstance(value, list):
            pieces = [value[start : start + 256] for start in range(0, len(value), 256)]
            text = f"[{','.join(json.dumps(piece)[1:-1] for piece in pieces)}]"
        else:
            text = json.dumps(value)
        members.append(f'"{key}":{text}')
    return f"{{{','.join(members)}}}\n".encode()


def _write(path: Path, data: bytes) -> None:
    """Write a file anew, so that there is a whole one at any time."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _check(document: Any) -> tuple[list[Entry], list[tuple[str, str, float]], float]:
    """Return failures, successes and level of a document.

    Raises:
        ValueError: it is none of ours.
    """
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ValueError("it is of another version")
    failures, successes = document.get("failures"), document.get("successes")
    if not isinstance(failures, list) or not isinstance(successes, list):
        raise ValueError("a list is missing")
    for key, count, at in _rows(failures):
        _check_key(key)
        if type(count) is not int or count < 1 or not _is_time(at):
            raise ValueError("a count that is none")
    for host, account, at in _rows(successes):
        if not isinstance(account, str) or not _is_time(at):
            raise ValueError("a success that is none")
        _check_key(f"a{host}")
    level: Any = document.get("level")
    if not _is_time(level):
        raise ValueError("a level that is none")
    return [tuple(row) for row in failures], [tuple(row) for row in successes], float(level)


def _rows(rows: list[Any]) -> Iterable[tuple[Any, Any, Any]]:
    for row in rows:
        if not isinstance(row, list) or len(row) != 3:
            raise ValueError("a row that is none")
        yield row[0], row[1], row[2]


def _check_key(key: object) -> None:
    if not isinstance(key, str) or key[:1] not in KINDS:
        raise ValueError("a key that is none")
    if key[0] not in ("u", IN_ALL):
        covered(key[1:].partition(" ")[0])


def _is_time(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0  # type: ignore[arg-type,operator]


def _words(error: Exception) -> str:
    return (error.strerror or "") if isinstance(error, OSError) else str(error)

"""A passwd-file in Dovecot's format as a source of accounts.

`user:password:uid:gid:gecos:home:shell:extra`. Of the extra fields `userdb_mail` gives the mailbox
(as `maildir:PATH`) and `nologin` disables; what makes a password unnecessary, `nopassword`,
is refused by disabling. The file is read again when it has changed; one that cannot be read, or
that is being written, leaves what was read before.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from restante.auth.names import prepare
from restante.auth.sources import Account
from restante.errors import TemporaryFailure
from restante.telemetry import Event, Log

_Stamp = tuple[int, int, int]


class PasswdFile:
    """The accounts of one file."""

    def __init__(self, path: Path, default_domain: str, log: Log) -> None:
        self.name = "passwd-file"
        self._path = path
        self._default_domain = default_domain
        self._log = log
        self._stamp: _Stamp | None = None
        self._lines: dict[str, str] | None = None
        self._accounts: dict[str, Account] = {}
        """Lines that were asked for, taken apart."""

    def look_up(self, name: str) -> Account | None:
        """Return the account of a prepared name; None: there is none.

        Raises:
            TemporaryFailure: the file was never read.
        """
        lines = self._current()
        account = self._accounts.get(name)
        if account is None:
            line = lines.get(name)
            if line is None:
                return None
            account = self._accounts[name] = self._account(name, line)
        return account

    def usual_password(self) -> str | None:
        """Return the password of the first account: files are mostly of one scheme."""
        try:
            lines = self._current()
        except TemporaryFailure:
            return None
        for name, line in lines.items():
            return self._account(name, line).stored_password
        return None

    def _current(self) -> dict[str, str]:
        try:
            status = os.stat(self._path)
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                self._read(stamp)
        except (OSError, UnicodeDecodeError) as error:
            if self._stamp is not None or self._lines is None:
                self._log(Event.AUTH_UNAVAILABLE, reason=type(error).__name__, file=str(self._path))
            self._stamp = None
            if self._lines is None:
                raise TemporaryFailure from error
        assert self._lines is not None
        return self._lines

    def _read(self, stamp: _Stamp) -> None:
        text = self._path.read_text("utf-8")
        if text and not text.endswith("\n"):
            # Somebody is in the midst of writing it: the whole lines count, and it is read again.
            text, stamp = text[: text.rfind("\n") + 1], (0, 0, 0)
        self._lines = dict(self._entries(text))
        self._accounts = {}
        self._stamp = stamp

    def _entries(self, text: str) -> Iterator[tuple[str, str]]:
        for line in text.split("\n"):
            user, colon, rest = line.partition(":")
            if not colon or user.startswith("#"):
                continue
            name = prepare(user, self._default_domain)
            if name is not None:
                yield name, rest

    def _account(self, name: str, line: str) -> Account:
        fields = line.split(":", 6)
        extra = dict(_extra(fields[6] if len(fields) > 6 else ""))
        home = fields[4] if len(fields) > 4 else ""
        disabled = not fields[0] or "nologin" in extra or "nopassword" in extra
        return Account(
            name,
            fields[0],
            self.name,
            hashlib.sha256(line.encode()).hexdigest(),
            disabled,
            _mailbox(extra.get("userdb_mail", ""), extra.get("userdb_home", home)),
        )


def _extra(text: str) -> Iterator[tuple[str, str]]:
    for field in text.split():
        name, _, value = field.partition("=")
        yield name, value


def _mailbox(mail: str, home: str) -> str | None:
    """Return the path that `userdb_mail` names."""
    form, _, path = mail.partition(":")
    if form != "maildir" or not path:
        return None
    path = path.partition(":")[0]
    if path == "~" or path.startswith("~/"):
        return home + path[1:] if home else None
    return path

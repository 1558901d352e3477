"""A passwd-file in Dovecot's format as a source of accounts.

`user:password:uid:gid:gecos:home:shell:extra`. Of the extra fields `userdb_mail` gives the mailbox
(as `maildir:PATH`) and `nologin` disables. What cannot be honoured disables as well, lest somebody
gets in whom the file keeps out, or sees another's mail: `nopassword`, `allow_nets`, `proxy`, a path
with variables other than a user's name.

The file is read again when it has changed; one that cannot be read leaves what was read before. A
last line without an end counts once nobody has been writing for a while. Of two lines for one user
the first counts, as with Dovecot.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from restante.auth.names import prepare
from restante.auth.sources import Account
from restante.auth.verifiable import PASSWORDS
from restante.errors import TemporaryFailure
from restante.telemetry import Event, Log

_Stamp = tuple[int, ...]

SETTLED_SECONDS = 5.0
"""Without a change, until a file is taken to be whole."""
ACCOUNTS_KEPT = 64
"""Lines kept taken apart, at a tenth of what it takes to do again: a login that needs a hash asks
twice, and who comes often is soon asked for elsewhere."""
GRAIN_SECONDS = 0.1
"""A file may change again within the grain of its clock and look the same."""
COARSE_GRAIN_SECONDS = 2.1
"""The same, where times are kept by the second."""

_UNSUPPORTED = ("nopassword", "allow_nets", "allow_real_nets", "proxy", "proxy_maybe")
_NO_LINE = f"{'x' * 64}:1000:1000::/home/nobody::"
_VARIABLE = re.compile(r"%(.?)", re.DOTALL)


class PasswdFile:
    """The accounts of one file."""

    def __init__(
        self,
        path: Path,
        default_domain: str,
        log: Log,
        clock: Callable[[], float] = time.time,
        *,
        verifies: frozenset[str] = PASSWORDS,
    ) -> None:
        self.name = "passwd-file"
        self._path = os.fspath(path)
        self._default_domain = default_domain
        self._log = log
        self._clock = clock
        self._verifies = verifies
        self._stamp: _Stamp | None = None
        """Of what was read; None: it may change, or have changed, and look the same."""
        self._reads = 0
        self._failed = False
        self._lines: dict[str, str] | None = None
        self._names: tuple[str, ...] | None = None
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
            if len(self._accounts) >= ACCOUNTS_KEPT:
                self._accounts.clear()
            # Taken apart for names that nobody has as well, so that the time tells nobody apart.
            account = self._accounts[name] = self._account(name, lines.get(name, _NO_LINE))
        return account if name in lines else None

    def state(self) -> object:
        """Return which reading of the file counts; see the contract."""
        try:
            self._current()
        except TemporaryFailure:
            return None
        # Not the stamp: a link may have led to another file meanwhile.
        return None if self._stamp is None else self._reads

    def decoy(self, pick: int) -> Account | None:
        """Return somebody; see the contract."""
        # Whoever is looked up before has had the file looked at.
        lines = self._lines
        if lines is None:
            try:
                lines = self._current()
            except TemporaryFailure:
                return None
        if self._names is None:
            self._names = tuple(lines)
        if not self._names:
            return None
        name = self._names[pick % len(self._names)]
        stored = lines[name].partition(":")[0]
        return Account(name, stored, self.name, "", verifies=self._verifies)

    # ---- the file

    def _current(self) -> dict[str, str]:
        try:
            status = os.stat(self._path)
            stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                self._read(stamp)
            self._failed = False
        except OSError as error:
            if not self._failed:
                self._log(Event.AUTH_UNAVAILABLE, reason=type(error).__name__, file=self._path)
            self._failed = True
            self._stamp = None
            if self._lines is None:
                raise TemporaryFailure(reason=f"passwd-file: {error.strerror}") from error
        assert self._lines is not None
        return self._lines

    def _read(self, stamp: _Stamp) -> None:
        # Before it is read: what is written while that takes its time has other times.
        now = self._clock()
        # Octets that are no UTF-8 may stand in a comment or a name: they harm their own line alone.
        text = Path(self._path).read_bytes().decode("utf-8", "surrogateescape")
        settled = _is_past(stamp[0], now, SETTLED_SECONDS)
        whole = text[: text.rfind("\n") + 1]
        # The second is of the kernel alone: whoever copies a file may give it any of the first.
        trusted = all(_is_past(at_ns, now, _grain(at_ns)) for at_ns in stamp[:2])
        if text != whole and not settled:
            # Somebody may be in the midst of writing it.
            text, trusted = whole, False
        self._lines = self._entries(text)
        self._names = None
        self._accounts = {}
        self._stamp = stamp if trusted else None
        self._reads += 1

    def _entries(self, text: str) -> dict[str, str]:
        lines: dict[str, str] = {}
        # "\n" alone ends a line: a name that holds another separator must not make an account.
        for line in text.removeprefix("\ufeff").split("\n"):
            user, colon, rest = line.removesuffix("\r").partition(":")
            if colon and not user.startswith("#"):
                name = prepare(user, self._default_domain)
                if name is not None:
                    lines.setdefault(name, rest)
        return lines

    # ---- a line

    def _account(self, name: str, line: str) -> Account:
        fields = [*line.split(":", 6), *[""] * 6]
        stored, home, extra = fields[0], fields[4], dict(_extra(fields[6]))
        disabled = not stored or "nologin" in extra
        unsupported = [field for field in _UNSUPPORTED if field in extra]
        try:
            mailbox = _mailbox(name, extra.get("userdb_mail", ""), extra.get("userdb_home", home))
        except ValueError:
            mailbox = None
            unsupported.append("userdb_mail")
        if unsupported and not disabled:
            disabled = True
            words = f"passwd-file: nobody gets in with {', '.join(unsupported)}"
            self._log(Event.WARNING, reason=words, user=name)
        version = hashlib.sha256(line.encode("utf-8", "surrogateescape")).hexdigest()
        return Account(name, stored, self.name, version, disabled, mailbox, verifies=self._verifies)


def _is_past(at_ns: int, now: float, seconds: float) -> bool:
    """Say whether a time of a file is as long ago as that, or of a clock that has been set.

    The clock of a server may be a little ahead of ours.
    """
    age = now - at_ns / 1e9
    return age > seconds or age < -SETTLED_SECONDS


def _grain(at_ns: int) -> float:
    return GRAIN_SECONDS if at_ns % 1_000_000_000 else COARSE_GRAIN_SECONDS


def _extra(text: str) -> Iterator[tuple[str, str]]:
    for field in text.split():
        name, _, value = field.partition("=")
        yield name, value


def _mailbox(name: str, mail: str, home: str) -> str | None:
    """Return the path that `userdb_mail` names.

    Raises:
        ValueError: it is none that a single mailbox can have.
    """
    form, _, path = mail.partition(":")
    if form != "maildir" or not path:
        return None
    path = path.partition(":")[0]
    if path == "~" or path.startswith("~/"):
        if not home:
            return None
        path = home + path[1:]
    local, _, domain = name.partition("@")
    values = {"u": name, "n": local, "d": domain, "%": "%"}

    def value(variable: re.Match[str]) -> str:
        # Dovecot knows many more; one that stayed as it is would be the same folder for everybody.
        if variable[1] not in values:
            raise ValueError("an unknown variable")
        return values[variable[1]]

    path = _VARIABLE.sub(value, path)
    if not path.startswith("/"):
        raise ValueError("not an absolute path")
    return path

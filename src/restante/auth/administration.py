"""Administration of the accounts database: what the account commands do, on names as people type.

Names are prepared as at a login, so that the account that is made is the one that will be found.
"""

import os
import pwd
from contextlib import suppress
from pathlib import Path

from restante.auth.accounts import FILE_NAME, AccountDescription, AccountsDatabase
from restante.auth.devices import uses
from restante.auth.devices.table import DeviceTable
from restante.auth.hashes import hash_password
from restante.auth.names import prepare
from restante.auth.options import AuthOptions
from restante.auth.scram_verifiers import make, read_all
from restante.errors import AccountError, UnknownAccount
from restante.sasl.saslprep import prepare_password
from restante.secret import Secret
from restante.telemetry import Event, Log

LONGEST_PASSWORD_OCTETS = 248
"""What the PASS command has room for: RFC 2449 §4 gives a line 255 octets."""


class Administration:
    """The accounts of a state directory, as an administrator changes them.

    `owner` is the user that the auth process becomes: it has to read what is written here. Every
    change is one event of `log`.
    """

    def __init__(
        self, options: AuthOptions, owner: str | None = None, log: Log | None = None
    ) -> None:
        self._options = options
        self._owner = owner
        self._log = log
        self._path = options.state_directory / FILE_NAME
        self.database = AccountsDatabase(self._path)
        self.state_directory = options.state_directory

    def add(self, name: str, password: Secret, mailbox: Path | None = None) -> str:
        """Add an account and return its canonical name.

        Raises:
            AccountError: there is one already, or name or password cannot be used.
        """
        prepared, (stored, scram) = self.check_new(name), self._hashed(password)
        self._make_folder()
        self.database.add(prepared, stored, None if mailbox is None else str(mailbox), scram)
        self.hand_over(self._path)
        self.tell("added", prepared)
        return prepared

    def check_new(self, name: str) -> str:
        """Return the canonical form of a name that an account can be added under.

        Raises:
            AccountError: there is one already, or nobody can have this name.
        """
        prepared = self._prepared(name)
        with suppress(UnknownAccount):
            self.database.show(prepared)
            raise AccountError(f"there is an account {prepared} already")
        return prepared

    def list(self) -> list[AccountDescription]:
        """Return all accounts, by name."""
        return self.database.list()

    def show(self, name: str) -> AccountDescription:
        """Return one account.

        Raises:
            UnknownAccount: there is none of that name.
        """
        return self.database.show(self._prepared(name))

    def set_password(self, name: str, password: Secret) -> None:
        """Replace a password; the old one is worth nothing from now on."""
        prepared = self.show(name).name
        account = self.database.look_up(prepared)
        has_devices = bool(DeviceTable(self.database).find(prepared))
        # Those of its devices were made with the same salts.
        old = account.scram if account is not None and has_devices else ""
        self.database.set_password(prepared, *self._hashed(password, old))
        self.tell("password", prepared)

    def disable(self, name: str) -> None:
        """Refuse every login of an account from now on."""
        prepared = self.show(name).name
        self.database.disable(prepared)
        self.tell("disabled", prepared)

    def enable(self, name: str) -> None:
        """Let an account log in again."""
        prepared = self.show(name).name
        self.database.enable(prepared)
        self.tell("enabled", prepared)

    def remove(self, name: str) -> None:
        """Forget an account and its devices; its mail stays where it is."""
        prepared = self.show(name).name
        devices = [each.device.id for each in DeviceTable(self.database).find(prepared)]
        self.database.remove(prepared)
        uses.forget(self.state_directory / uses.FILE_NAME, devices)
        self.tell("removed", prepared)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def tell(self, change: str, account: str, device: str | None = None) -> None:
        """Log a change, and who made it."""
        if self._log is not None:
            uid = os.getuid()
            self._log(Event.ACCOUNT_CHANGED, change=change, uid=uid, device=device, user=account)

    def _prepared(self, name: str) -> str:
        prepared = prepare(name, self._options.default_domain)
        if prepared is None:
            raise AccountError(f"{name!a} cannot be the name of an account")
        return prepared

    def _hashed(self, password: Secret, old: str = "") -> tuple[str, str]:
        """Return what is kept of a password: its hash, and the verifiers of SCRAM.

        `old` are verifiers whose salts and iterations go on.
        """
        octets = password.reveal()
        if not octets:
            raise AccountError("the password is empty")
        if len(octets) > LONGEST_PASSWORD_OCTETS:
            raise AccountError(f"the password is longer than {LONGEST_PASSWORD_OCTETS} octets")
        if any(octet < 0x20 or octet == 0x7F for octet in octets):
            raise AccountError("the password holds a line end or another control character")
        hashing = self._options.hashing
        prepared = prepare_password(octets)
        kept = {name: (each.iterations, each.salt) for name, each in read_all(old)}
        new = hashing.scram_iterations, None
        verifiers = [make(each, prepared, *kept.get(each, new)) for each in hashing.scram]
        return hash_password(octets, hashing), " ".join(verifiers)

    def _make_folder(self) -> None:
        folder = self._path.parent
        try:
            folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            self.hand_over(folder)
        except OSError as error:
            raise AccountError(f"{folder}: {error.strerror}") from error

    def hand_over(self, path: Path) -> None:
        """Give a file to the user that the auth process becomes."""
        if self._owner is not None and os.geteuid() == 0:
            entry = pwd.getpwnam(self._owner)
            os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)

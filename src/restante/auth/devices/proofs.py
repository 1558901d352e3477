"""Which device of an account a proof comes from, by what is kept of the devices' passwords.

Digests are compared in constant time and before any slow hash is begun. For a name with fewer
devices than `ROUNDS`, one with none or one that nobody has, stand-ins are compared as well, so that
time tells them apart by no more than it takes to read a row, two or three microseconds; further
ones take a few microseconds each.
"""

import hmac
from collections.abc import Callable, Iterator

from restante.auth.devices import words
from restante.auth.devices.device import BY_DIGEST, Device, StoredDevice
from restante.auth.devices.key import DeviceKey, KeyFile, Place, UnusableSeal
from restante.auth.key_file import UnusableKey
from restante.auth.scram_verifiers import check, make, read_all
from restante.identity import DigestCredentials, ScramCredentials
from restante.sasl.apop import check_apop
from restante.sasl.cram_md5 import check_cram_md5
from restante.sasl.scram import SCRAM_DIGESTS, family
from restante.secret import Secret
from restante.telemetry import Event, Log

ROUNDS = 8

Find = Callable[[str], list[StoredDevice]]
"""Returns the devices of an account, by its prepared name."""

_CHECKS = {"APOP": check_apop, "CRAM-MD5": check_cram_md5}
_NOBODY = "\0"
"""No account has this name."""
_STAND_IN = words.make()


class DeviceProofs:
    """The devices that a source of accounts keeps, and the key that they were made with."""

    def __init__(self, find: Find, key_file: KeyFile, log: Log) -> None:
        self._find = find
        self._key_file = key_file
        self._log = log
        self._complaint = ""

    def by_password(self, name: str | None, password: bytes) -> Device | None:
        """Return the device whose password this is; None: it is no device's.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        secret = words.read(password)
        # What no device could have been given is told by the password alone.
        return None if secret is None else self._compared(name, secret)

    def by_digest(self, name: str | None, credentials: DigestCredentials) -> Device | None:
        """Return the device whose password was digested; None: it was no device's.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        if credentials.mechanism not in BY_DIGEST:
            return None
        found = None
        for device, secret in self._opened(name, BY_DIGEST[credentials.mechanism]):
            if _is_digest(credentials, secret) and device.id:
                found = device
        return found

    def by_scram(
        self, name: str | None, credentials: ScramCredentials
    ) -> tuple[Device, bytes] | None:
        """Return the device whose password was proved, and the server's signature; None: none's.

        Raises:
            TemporaryFailure: nobody can say now.
        """
        found, wanted = None, family(credentials.mechanism)
        _, stored = self._usable(name)
        for each in _padded([each for each in stored if each.scram]):
            texts = [text for text in each.scram.split() if text.startswith(f"{{{wanted}}}")]
            verifiers = read_all(" ".join(texts))
            signatures = [check(credentials, verifier.keys) for _, verifier in verifiers]
            if any(signatures) and each.device.id:
                found = each.device, next(filter(None, signatures))
        return found

    def _compared(self, name: str | None, secret: Secret) -> Device | None:
        found = None
        key, stored = self._usable(name)
        for each in _padded(stored):
            made = key.verifier(_place(name, each.device), secret)
            if hmac.compare_digest(made, each.verifier) and each.device.id:
                found = each.device
        return found

    def _opened(self, name: str | None, mechanism: str) -> Iterator[tuple[Device, Secret]]:
        """Yield devices that are allowed a mechanism, each with its password."""
        key, stored = self._usable(name)
        allowed = [each for each in stored if each.device.mechanism == mechanism]
        decoy = key.seal(_place(None, _NO_DEVICE.device), _STAND_IN)
        for each in _padded(allowed):
            whose = name if each.device.id else None
            try:
                secret = key.unseal(_place(whose, each.device), each.sealed or decoy)
            except UnusableSeal as error:
                self._complain(f"{error}: device {each.device.name}", name)
            else:
                yield each.device, secret

    def _usable(self, name: str | None) -> tuple[DeviceKey, list[StoredDevice]]:
        """Return the key, or one that nothing was made with, and the devices made with it."""
        stored = self._find(_NOBODY if name is None else name)
        try:
            key = self._key_file.read()
        except UnusableKey as error:
            if stored:
                self._complain(f"{error}: its devices let nobody in", name)
            return _NO_KEY, []
        usable = [each for each in stored if each.mark == key.mark]
        if len(usable) < len(stored):
            names = ", ".join(each.device.name for each in stored if each.mark != key.mark)
            self._complain(f"another key of the devices than these were made with: {names}", name)
        return key, usable

    def _complain(self, reason: str, name: str | None) -> None:
        """Say it once for an account, until something else is to be said."""
        complaint = f"{name}\0{reason}"
        if complaint != self._complaint:
            self._complaint = complaint
            self._log(Event.WARNING, reason=reason, user=name)


_NO_KEY = DeviceKey(Secret(bytes(32)))


def _nobodys() -> StoredDevice:
    return StoredDevice(Device(0, ""), 0, _NO_KEY.mark, bytes(32), None, _NO_SCRAM)


_NO_SCRAM = " ".join(
    make(each, spelling, 1) for each in SCRAM_DIGESTS for spelling in words.spellings(_STAND_IN)
)
_NO_DEVICE = _nobodys()


def _padded(stored: list[StoredDevice]) -> list[StoredDevice]:
    # Each made anew, as the others were.
    return stored + [_nobodys() for _ in range(ROUNDS - len(stored))]


def _place(name: str | None, device: Device) -> Place:
    return Place(_NOBODY if name is None else name, device.name, device.id)


def _is_digest(credentials: DigestCredentials, secret: Secret) -> bool:
    check, digest = _CHECKS[credentials.mechanism], credentials.digest.reveal()
    # Both, whichever it is.
    right = [check(credentials.challenge, each, digest) for each in words.spellings(secret)]
    return any(right)

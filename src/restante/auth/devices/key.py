"""The key of the devices of one state directory, in a file of its own.

Device passwords are digested and sealed under it, so that the database alone, in a backup say, is
of no use. Each device says by a mark which key that was: with the file lost, damaged or copied from
another server, the log tells which of these it is, and those devices let nobody in; everything else
goes on. A new file is made when a device is added and there is none, and never put over another.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from restante.auth.key_file import KEY_OCTETS, UnusableKey, make_key, read_key
from restante.errors import RestanteError
from restante.secret import Secret

FILE_NAME = "auth/devices.key"
"""In the state directory, beside the accounts."""
_NONCE_OCTETS = 12
_MARK_OCTETS = 8
_WHAT = "the key of the devices"


class UnusableSeal(RestanteError):
    """A sealed password that this key does not open for this device."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose password it is: what is sealed or digested for one is worth nothing for another."""

    account: str
    device: str
    id: int

    def octets(self) -> bytes:
        """Return what no other place has; names hold no NUL."""
        return f"{self.account}\0{self.device}\0{self.id}\0".encode()


class DeviceKey:
    """The key, and all that is done with it."""

    __slots__ = ("_digesting", "_sealing", "mark")

    def __init__(self, secret: Secret) -> None:
        key = secret.reveal()
        self._digesting = Secret(_derived(key, b"digest"))
        self._sealing = Secret(_derived(key, b"seal"))
        self.mark = _derived(key, b"mark")[:_MARK_OCTETS]
        """What tells this key from others, and tells nothing else of it."""

    def verifier(self, place: Place, secret: Secret) -> bytes:
        """Return the digest that a password of this place is known by."""
        octets = place.octets() + secret.reveal()
        return blake2b(octets, key=self._digesting.reveal(), digest_size=32).digest()

    def seal(self, place: Place, secret: Secret) -> bytes:
        """Return a password as it may be written down."""
        nonce = token_bytes(_NONCE_OCTETS)
        sealing = ChaCha20Poly1305(self._sealing.reveal())
        return nonce + sealing.encrypt(nonce, secret.reveal(), place.octets())

    def unseal(self, place: Place, sealed: bytes) -> Secret:
        """Return the password.

        Raises:
            UnusableSeal: it was sealed for another place, under another key, or is damaged.
        """
        nonce, rest = sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:]
        try:
            opened = ChaCha20Poly1305(self._sealing.reveal()).decrypt(nonce, rest, place.octets())
        except (InvalidTag, ValueError):
            raise UnusableSeal("a sealed password does not open") from None
        return Secret(opened)


@dataclass(slots=True)
class KeyFile:
    """The file of the key."""

    path: Path
    _stamp: tuple[int, ...] = ()
    _key: DeviceKey | None = field(default=None, repr=False)

    def read(self) -> DeviceKey:
        """Return the key.

        Raises:
            UnusableKey: there is none, or it cannot be read.
        """
        try:
            status = os.stat(self.path, follow_symlinks=False)
            stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
            if self._key is None or stamp != self._stamp:
                self._key, self._stamp = DeviceKey(read_key(self.path, _WHAT)), stamp
        except FileNotFoundError:
            raise UnusableKey(f"{_WHAT} is gone") from None
        except OSError as error:
            raise UnusableKey(f"{_WHAT}: {error.strerror}") from error
        return self._key

    def make(self) -> DeviceKey:
        """Return the key, made now if there is none.

        Raises:
            UnusableKey: what is there is no key, or none can be written.
        """
        with suppress(FileNotFoundError):
            # A broken link is no reason to make another key either.
            os.stat(self.path, follow_symlinks=False)
            return self.read()
        try:
            make_key(self.path)
        except OSError as error:
            raise UnusableKey(f"{_WHAT}: {error.strerror}") from error
        return self.read()


def _derived(key: bytes, purpose: bytes) -> bytes:
    return blake2b(key=key, person=purpose, digest_size=KEY_OCTETS).digest()

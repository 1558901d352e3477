"""Password hashes: argon2id for new ones, and those that Dovecot's password databases hold.

A stored password is `{SCHEME}text`; without a scheme it is crypt(3) or argon2 by its own mark.
libcrypt's `crypt_r` is called through ctypes, which lets go of the interpreter meanwhile; Python's
own `crypt` would hold it for as long as the hash takes.
"""

import base64
import binascii
import ctypes
import ctypes.util
import hashlib
import hmac
import re
from collections.abc import Callable
from functools import cache

import argon2

from restante.auth.options import HashOptions
from restante.errors import RestanteError
from restante.sasl.saslprep import saslprep

_STORED = re.compile(r"\{([A-Za-z0-9.-]+)\}(.*)", re.DOTALL)
_CRYPT_DATA_OCTETS = 32_768
"""`struct crypt_data` of libxcrypt, and as much as any other implementation wants."""


class UnusableHash(RestanteError):
    """A stored password that nothing can be compared with; the text is for the log."""


def prepare_password(password: bytes) -> bytes:
    """Return the form that is hashed (RFC 4616 §2): prepared where it can be, else as it is."""
    try:
        return saslprep(password.decode("utf-8"), allow_unassigned=True).encode("utf-8")
    except ValueError:
        return password


def hash_password(password: bytes, options: HashOptions) -> str:
    """Return the argon2id hash of a new password."""
    hasher = argon2.PasswordHasher(
        time_cost=options.passes, memory_cost=options.memory_kib, parallelism=options.lanes
    )
    return "{ARGON2ID}" + hasher.hash(prepare_password(password))


@cache
def dummy(options: HashOptions) -> str:
    """Return a hash that no password has, which costs what a real one costs."""
    return hash_password(b"\0nobody has this", options)


def verify(stored: str, password: bytes) -> bool:
    """Say whether this is the password, in its prepared form or as it was sent.

    Raises:
        UnusableHash: the stored form cannot be read.
    """
    scheme, text = split(stored)
    check = _SCHEMES.get(scheme)
    if check is None:
        raise UnusableHash(f"scheme {scheme} is not known")
    prepared = prepare_password(password)
    try:
        return check(text, prepared) or (prepared != password and check(text, password))
    except (ValueError, binascii.Error, argon2.exceptions.InvalidHashError) as error:
        raise UnusableHash(f"a hash of scheme {scheme} is malformed") from error


def split(stored: str) -> tuple[str, str]:
    """Return scheme and text of a stored password."""
    match = _STORED.fullmatch(stored)
    if match is not None:
        scheme = match[1].upper()
        encoding = scheme.rpartition(".")
        if encoding[2] in ("HEX", "B64", "BASE64"):
            return encoding[0], _reencode(match[2], encoding[2])
        return scheme, match[2]
    return ("ARGON2ID" if stored.startswith("$argon2") else "CRYPT"), stored


def _reencode(text: str, encoding: str) -> str:
    """Bring a text to base64, which is what the schemes that are encoded are read as."""
    if encoding == "HEX":
        try:
            return base64.b64encode(bytes.fromhex(text)).decode()
        except ValueError:
            return ""
    return text


def _argon2(text: str, password: bytes) -> bool:
    try:
        return argon2.PasswordHasher().verify(text, password)
    except argon2.exceptions.VerifyMismatchError:
        return False
    except argon2.exceptions.VerificationError as error:
        raise ValueError("argon2") from error


@cache
def _libcrypt() -> ctypes.CDLL:
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt_r.restype = ctypes.c_char_p
    library.crypt_r.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
    return library


def _crypt(text: str, password: bytes) -> bool:
    if b"\0" in password:
        return False
    data = ctypes.create_string_buffer(_CRYPT_DATA_OCTETS)
    made = _libcrypt().crypt_r(password, text.encode(), data)
    if not made or made.startswith(b"*"):
        raise ValueError("crypt")
    return hmac.compare_digest(made, text.encode())


def _digest(name: str) -> Callable[[str, bytes], bool]:
    def check(text: str, password: bytes) -> bool:
        return hmac.compare_digest(_plain_digest(text), hashlib.new(name, password).digest())

    size = hashlib.new(name).digest_size

    def _plain_digest(text: str) -> bytes:
        # Dovecot writes some of these in hexadecimal without saying so.
        if len(text) == 2 * size:
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)

    return check


def _salted(name: str) -> Callable[[str, bytes], bool]:
    size = hashlib.new(name).digest_size

    def check(text: str, password: bytes) -> bool:
        data = base64.b64decode(text, validate=True)
        if len(data) < size:
            raise ValueError("salted digest")
        digest, salt = data[:size], data[size:]
        return hmac.compare_digest(digest, hashlib.new(name, password + salt).digest())

    return check


def _pbkdf2(text: str, password: bytes) -> bool:
    mark, one, salt, rounds, digest = text.split("$")
    if mark or one != "1":
        raise ValueError("pbkdf2")
    made = hashlib.pbkdf2_hmac("sha1", password, salt.encode(), int(rounds))
    return hmac.compare_digest(made, bytes.fromhex(digest))


def _plain(text: str, password: bytes) -> bool:
    return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), password)


_SCHEMES: dict[str, Callable[[str, bytes], bool]] = {
    "ARGON2ID": _argon2,
    "ARGON2I": _argon2,
    **dict.fromkeys(
        ("CRYPT", "BLF-CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT", "DES-CRYPT"), _crypt
    ),
    "SSHA": _salted("sha1"),
    "SSHA256": _salted("sha256"),
    "SSHA512": _salted("sha512"),
    "SMD5": _salted("md5"),
    "SHA": _digest("sha1"),
    "SHA1": _digest("sha1"),
    "SHA256": _digest("sha256"),
    "SHA512": _digest("sha512"),
    "PLAIN-MD5": _digest("md5"),
    "LDAP-MD5": _digest("md5"),
    "PBKDF2": _pbkdf2,
    "PLAIN": _plain,
    "CLEAR": _plain,
    "CLEARTEXT": _plain,
}
"""Scheme by scheme, how a stored text is compared."""

"""Password hashes: argon2id for new ones, and those that Dovecot's password databases hold.

A stored password is `{SCHEME}text`; without a scheme it is crypt(3) or argon2 by its own mark.
libcrypt's `crypt_r` is called through ctypes, which lets go of the interpreter meanwhile; Python's
own `crypt` would hold it for as long as the hash takes.
"""

import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial

import argon2

from restante.auth import md5_states, scram_verifiers
from restante.auth.options import HashOptions
from restante.errors import RestanteError
from restante.sasl.saslprep import prepare_password
from restante.sasl.scram import SCRAM_DIGESTS

_STORED = re.compile(r"\{([A-Za-z0-9.-]+)\}(.*)", re.DOTALL)
_UNVERIFIABLE = frozenset(
    (
        "DIGEST-MD5",
        "OTP",
        "PLAIN-MD4",
        "PLAIN-TRUNC",
    )
)
"""Schemes of Dovecot's that are not read here; what else stands in braces may be a password."""

_CRYPT_PASSWORD_OCTETS = 511
"""libcrypt refuses longer ones."""
_CRYPT_DATA_OCTETS = 32_768
"""`struct crypt_data` of libxcrypt, and as much as any other implementation wants."""


class UnusableHash(RestanteError):
    """A stored password that nothing can be compared with; the text is for the log."""


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
        MemoryError: there is not enough to compute the hash now.
    """
    scheme, encoding, text = split(stored)
    check = SCHEMES.get(scheme)
    if check is None:
        known = f"scheme {scheme}" if scheme in _UNVERIFIABLE else "this scheme"
        raise UnusableHash(f"a password of {known} cannot be compared with")
    prepared = prepare_password(password)
    with suppress(ValueError, OverflowError):
        text = _decoded(scheme, encoding, text)
        return check(text, prepared) or (prepared != password and check(text, password))
    # Raised out here: the error of a codec would carry the stored password along.
    raise UnusableHash(f"a hash of scheme {scheme} is malformed")


def cleartext(stored: str) -> bytes | None:
    """Return a password that is stored as it is; None: this one is not."""
    scheme, encoding, text = split(stored)
    if SCHEMES.get(scheme) is not _plain:
        return None
    with suppress(ValueError):
        return _decoded(scheme, encoding, text).encode("utf-8", "surrogateescape") or None
    return None


def hmac_states(stored: str) -> bytes | None:
    """Return what Dovecot keeps for CRAM-MD5; None: this stored password is none of it."""
    scheme, encoding, text = split(stored)
    if SCHEMES.get(scheme) is not _cram_md5 or encoding:
        return None
    with suppress(ValueError):
        return _states(text)
    return None


def split(stored: str) -> tuple[str, str, str]:
    """Return scheme, encoding and text of a stored password."""
    match = _STORED.fullmatch(stored)
    if match is None:
        return ("ARGON2ID" if stored.startswith("$argon2") else "CRYPT"), "", stored
    scheme = match[1].upper()
    name, _, encoding = scheme.rpartition(".")
    if encoding in ("HEX", "B64", "BASE64"):
        return name, encoding, match[2]
    return scheme, "", match[2]


def _decoded(scheme: str, encoding: str, text: str) -> str:
    """Return a text as its scheme reads it: digests in base64, everything else as it is."""
    if not encoding:
        return text
    octets = bytes.fromhex(text) if encoding == "HEX" else base64.b64decode(text, validate=True)
    if scheme in _DIGESTS:
        return base64.b64encode(octets).decode()
    return octets.decode("utf-8", "surrogateescape")


def _argon2(text: str, password: bytes) -> bool:
    try:
        return argon2.PasswordHasher().verify(text, password)
    except argon2.exceptions.VerifyMismatchError:
        return False
    except argon2.exceptions.VerificationError as error:
        if "emory allocation" in str(error):
            raise MemoryError from None
        raise ValueError("argon2") from None


@cache
def _libcrypt() -> ctypes.CDLL:
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt_r.restype = ctypes.c_char_p
    library.crypt_r.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
    return library


def _crypt(text: str, password: bytes) -> bool:
    # What libcrypt would not take, or would cut off, is never right, and costs as much.
    usable = password.partition(b"\0")[0][:_CRYPT_PASSWORD_OCTETS]
    data = ctypes.create_string_buffer(_CRYPT_DATA_OCTETS)
    made = _libcrypt().crypt_r(usable, text.encode(), data)
    if not made or made.startswith(b"*"):
        raise ValueError("crypt")
    return hmac.compare_digest(made, text.encode()) and usable == password


def _digest(name: str) -> Callable[[str, bytes], bool]:
    size = hashlib.new(name).digest_size

    def check(text: str, password: bytes) -> bool:
        # Dovecot writes some of these in hexadecimal without saying so.
        hexadecimal = len(text) == 2 * size
        data = bytes.fromhex(text) if hexadecimal else base64.b64decode(text, validate=True)
        if len(data) != size:
            raise ValueError("digest")
        return hmac.compare_digest(data, hashlib.new(name, password).digest())

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
    # HMAC fills a short key up with NULs, so one more or less of them would not matter.
    return hmac.compare_digest(made, bytes.fromhex(digest)) and b"\0" not in password


def _cram_md5(text: str, password: bytes) -> bool:
    right = hmac.compare_digest(md5_states.states_of(password), _states(text))
    # HMAC fills a short key up with NULs, so one more or less of them would not matter.
    return right and b"\0" not in password


def _states(text: str) -> bytes:
    # `fromhex` takes spaces as well.
    states = base64.b16decode(text, casefold=True)
    if len(states) != md5_states.STATES_OCTETS:
        raise ValueError("CRAM-MD5")
    return states


def _plain(text: str, password: bytes) -> bool:
    if not text:
        raise ValueError("nothing")
    return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), password)


_DIGESTS: dict[str, Callable[[str, bytes], bool]] = {
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
}
SCHEMES: dict[str, Callable[[str, bytes], bool]] = _DIGESTS | {
    "ARGON2ID": _argon2,
    "ARGON2I": _argon2,
    **dict.fromkeys(("CRYPT", "BLF-CRYPT", "SHA512-CRYPT", "SHA256-CRYPT"), _crypt),
    **dict.fromkeys(("MD5", "MD5-CRYPT", "DES-CRYPT"), _crypt),
    "PBKDF2": _pbkdf2,
    **{family: partial(scram_verifiers.is_password, family) for family in SCRAM_DIGESTS},
    **dict.fromkeys(("CRAM-MD5", "HMAC-MD5"), _cram_md5),
    "PLAIN": _plain,
    "CLEAR": _plain,
    "CLEARTEXT": _plain,
}
"""Scheme by scheme, how a stored text is compared."""

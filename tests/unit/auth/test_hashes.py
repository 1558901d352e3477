"""Stored passwords: every scheme against known values, and what cannot be read never matches."""

import base64
import ctypes
import hashlib
import subprocess
import threading
import time
import traceback

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.auth import hashes
from restante.auth.hashes import (
    UnusableHash,
    dummy,
    hash_password,
    split,
    verify,
)
from restante.auth.options import HashOptions
from restante.sasl.saslprep import LONGEST_PREPARED_OCTETS, prepare_password
from unit.auth.scene import CHEAP, PATIENCE_SECONDS

from conftest import require

BIRD = "kanarienvogel"

KNOWN = [
    ("{PLAIN}test", "test"),
    ("{CLEARTEXT}test", "test"),
    ("{CLEAR}te:st", "te:st"),
    ("{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=", "test"),
    ("{SHA1}a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", "test"),
    ("{sha.hex}A94A8FE5CCB19BA61C4C0873D391E987982FBBD3", "test"),
    ("{SHA256}n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=", "test"),
    ("{SHA256}9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "test"),
    ("{PLAIN-MD5}098f6bcd4621d373cade4e832627b4f6", "test"),
    ("{LDAP-MD5}CY9rzUYh03PK3k6DJie09g==", "test"),
    ("{PLAIN.B64}dGVzdA==", "test"),
    ("{PLAIN.HEX}74657374", "test"),
    ("{CRYPT}CCNf8Sbh3HDfQ", "U*U*U*U*"),
    ("CCNf8Sbh3HDfQ", "U*U*U*U*"),
    ("{MD5-CRYPT}$1$saltstri$YMyguxXMBpd2TEZ.vS/3q1", "Hello world!"),
    ("{MD5}$1$saltstri$YMyguxXMBpd2TEZ.vS/3q1", "Hello world!"),
    ("{BLF-CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    ("{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"),
    ("{PBKDF2}$1$salt$1$0c60c80f961f0e71f3a9b524af6012062fe037a6", "password"),
    ("{PBKDF2}$1$salt$4096$4b007901b765489abead49d926f721d065a429c1", "password"),
    (
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "password",
    ),
    (
        "{ARGON2I}$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ"
        "$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "password",
    ),
    ("$y$j75$abcdefgh$uSEEM7Zvf2pAxpcCjT91NjHUs3paELMhdshGm3r7811", "pencil"),
    ("{CRYPT}$gy$j75$abcdefgh$KmD.rYIR3QLgI0yJ5spnBIMWTb6uHAzlMlIUweUczo8", "pencil"),
]

DOVECOTS = [
    "PLAIN",
    "CLEAR",
    "CLEARTEXT",
    "SHA",
    "SHA1",
    "SHA256",
    "SHA512",
    "SSHA",
    "SSHA256",
    "SSHA512",
    "SMD5",
    "LDAP-MD5",
    "PLAIN-MD5",
    "MD5",
    "MD5-CRYPT",
    "DES-CRYPT",
    "CRYPT",
    "BLF-CRYPT",
    "SHA256-CRYPT",
    "SHA512-CRYPT",
    "PBKDF2",
    "ARGON2I",
    "ARGON2ID",
]


@pytest.mark.parametrize(("stored", "password"), KNOWN)
def test_known_values(stored: str, password: str) -> None:
    octets = password.encode()
    assert verify(stored, octets)
    assert not verify(stored, octets.swapcase())
    assert not verify(stored, octets[:-1])
    assert not verify(stored, b"")
    assert not verify(stored, octets + b"\0")


@pytest.mark.parametrize("number", ["5", "6"])
@pytest.mark.parametrize("rounds", ["", "rounds=1000$"])
def test_crypt_as_openssl_makes_it(number: str, rounds: str) -> None:
    command = [require("openssl"), "passwd", f"-{number}", "-salt", f"{rounds}seasalt", BIRD]
    stored = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    assert verify(stored, BIRD.encode())
    assert not verify(stored, BIRD.upper().encode())


@pytest.mark.parametrize("scheme", DOVECOTS)
@pytest.mark.parametrize("password", ["kana:rien", "vögel zu Füßen"])
def test_what_dovecot_makes(scheme: str, password: str) -> None:
    command = [require("doveadm"), "pw", "-s", scheme, "-p", password]
    command += {"BLF-CRYPT": ["-r", "4"], "PBKDF2": ["-r", "10"]}.get(scheme, [])
    stored = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    assert verify(stored, password.encode())
    assert not verify(stored, password.upper().encode())
    assert not verify(stored, password.encode()[1:])


@given(st.sampled_from(["sha1", "sha256", "sha512", "md5"]), st.binary(), st.binary(max_size=20))
def test_salted_digests(name: str, password: bytes, salt: bytes) -> None:
    scheme = {"sha1": "SSHA", "sha256": "SSHA256", "sha512": "SSHA512", "md5": "SMD5"}[name]
    data = hashlib.new(name, password + salt).digest() + salt
    assert verify(f"{{{scheme}}}{base64.b64encode(data).decode()}", password)
    assert verify(f"{{{scheme}.HEX}}{data.hex()}", password)
    assert not verify(f"{{{scheme}}}{base64.b64encode(data).decode()}", password + b"x")


MALFORMED = [
    "",
    "*",
    "!",
    "x",
    "!$6$saltstring$svn8",
    "{}test",
    "{NOSUCH}test",
    "{CRAM-MD5}abcdef",
    "{SCRAM-SHA-256}4096,abc,def,ghi",
    "{PLAIN}",
    "{PLAIN.HEX}",
    "{PLAIN.HEX}zz",
    "{PLAIN.B64}!",
    "{CRYPT}",
    "{CRYPT}*0",
    "{CRYPT}\udcff",
    "{BLF-CRYPT}$2y$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "{SHA}",
    "{SHA}dGVzdA==",
    "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M",
    "{SHA}" + "z" * 40,
    "{SHA256.HEX}abc",
    "{SSHA}dGVzdA==",
    "{SSHA}not base64",
    "{SMD5}",
    "{PBKDF2}",
    "{PBKDF2}$1$salt$1",
    "{PBKDF2}$2$salt$1$0c60c80f961f0e71f3a9b524af6012062fe037a6",
    "{PBKDF2}$1$salt$0$0c60c80f961f0e71f3a9b524af6012062fe037a6",
    "{PBKDF2}$1$salt$x$0c60c80f961f0e71f3a9b524af6012062fe037a6",
    "{PBKDF2}$1$salt$99999999999999999999$0c60c80f961f0e71f3a9b524af6012062fe037a6",
    "{ARGON2ID}",
    "{ARGON2ID}test",
    "{ARGON2ID}$argon2id$",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
    "$argon2id$v=19$m=1,t=0,p=0$c29tZXNhbHQ$nf65EOgLrQMR",
    "$argon2id$v=19$m=256,t=2,p=1$ü$nf65EOgLrQMR",
    "$argon2x$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR",
]


@pytest.mark.parametrize("stored", MALFORMED)
@pytest.mark.parametrize("password", [b"", b"test", b"*0", b"\xff"])
def test_what_cannot_be_read_never_matches(stored: str, password: bytes) -> None:
    with pytest.raises(UnusableHash):
        verify(stored, password)


@pytest.mark.parametrize("stored", ["$6$", "{CRYPT}$6$salt", "{DES-CRYPT}ab", "$1$salt$"])
@pytest.mark.parametrize("password", [b"", b"test", b"salt"])
def test_a_salt_without_a_hash_never_matches(stored: str, password: bytes) -> None:
    assert not verify(stored, password)


@given(st.text(max_size=60), st.binary(max_size=20))
def test_a_stored_text_matches_or_is_refused(stored: str, password: bytes) -> None:
    try:
        right = verify(stored, password)
    except UnusableHash:
        return
    assert not right or split(stored)[0] in ("PLAIN", "CLEAR", "CLEARTEXT")


@pytest.mark.parametrize(
    "stored", [f"{{{BIRD}}}", f"{{SHA}}{BIRD}", f"{{{BIRD}}}x", f"{{PBKDF2}}{BIRD}"]
)
def test_an_unusable_hash_shows_nothing_of_itself(stored: str) -> None:
    """It may be a password that somebody wrote down without its scheme."""
    with pytest.raises(UnusableHash) as caught:
        verify(stored, b"kanarien" + b"vogel")
    assert BIRD not in str(caught.value).lower()
    assert caught.value.__cause__ is None
    shown = traceback.format_exception_only(caught.value)
    assert BIRD not in "".join(shown).lower()


def test_a_known_scheme_that_is_not_read_is_named() -> None:
    with pytest.raises(UnusableHash, match="SCRAM-SHA-256"):
        verify("{SCRAM-SHA-256}4096,abc,def,ghi", b"x")


# ---- new passwords


def test_a_new_password_is_argon2id_of_the_cost_that_is_set() -> None:
    stored = hash_password(b"secret", HashOptions(memory_kib=64, passes=3, lanes=2))
    assert stored.startswith("{ARGON2ID}$argon2id$v=19$m=64,t=3,p=2$")
    assert verify(stored, b"secret")
    assert not verify(stored, b"Secret")
    assert stored != hash_password(b"secret", HashOptions(memory_kib=64, passes=3, lanes=2))


def test_nobody_has_the_dummy() -> None:
    stored = dummy(CHEAP)
    assert dummy(CHEAP) is stored
    for password in (b"", b"nobody has this", b"dummy"):
        assert not verify(stored, password)
    assert "m=8,t=1,p=1" in stored


def test_dovecot_takes_what_is_made_here() -> None:
    stored = hash_password(b"secret", CHEAP)
    command = [require("doveadm"), "pw", "-t", stored, "-p", "secret"]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr


# ---- preparation


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("\u2168", "IX"), ("I\u00adX", "IX"), ("p\u00aa", "pa"), ("a\u00a0b", "a b")],
)
def test_a_password_is_prepared(sent: str, stored: str) -> None:
    """conformance: 4616-S-03"""
    assert prepare_password(sent.encode()) == stored.encode()
    assert verify(hash_password(stored.encode(), CHEAP), sent.encode())
    assert verify(hash_password(sent.encode(), CHEAP), stored.encode())
    assert verify(f"{{PLAIN}}{sent}", sent.encode())


@pytest.mark.parametrize("sent", [b"\xff\xfe", b"a\x07b", "\u05d0a".encode()])
def test_what_cannot_be_prepared_is_compared_as_it_is(sent: bytes) -> None:
    assert prepare_password(sent) == sent
    assert verify(hash_password(sent, CHEAP), sent)


def test_a_very_long_password_is_not_prepared() -> None:
    """Preparing it would hold the interpreter for the longer the more a client sends."""
    sent = "\u00aa".encode() * LONGEST_PREPARED_OCTETS
    assert prepare_password(sent) == sent
    assert verify(hash_password(sent, CHEAP), sent)


# ---- what the schemes would let through


def test_libcrypt_sees_the_whole_password_or_none() -> None:
    """It ends at a NUL and refuses what is long; neither may match, or be a fault."""
    stored = subprocess.run(
        [require("openssl"), "passwd", "-6", "-salt", "rounds=1000$seasalt", "x" * 511],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.strip()
    whole = b"x" * 511
    assert not verify(stored, whole + b"x")
    assert not verify(stored, whole + b"\0")
    assert not verify("CCNf8Sbh3HDfQ", b"U*U*U*U*\0more")


def test_too_little_memory_is_no_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise argon2.exceptions.VerificationError("Memory allocation error")

    monkeypatch.setattr(argon2.PasswordHasher, "verify", fail)
    with pytest.raises(MemoryError):
        verify("{ARGON2ID}$argon2id$", b"secret")


@pytest.mark.parametrize(
    "stored",
    [
        "$6$rounds=200000$saltstring$" + "a" * 86,
        "{ARGON2ID}$argon2id$v=19$m=65536,t=8,p=1$c29tZXNhbHQ$" + "A" * 43,
    ],
)
def test_a_hash_does_not_hold_the_interpreter(stored: str) -> None:
    """Other threads go on while it is computed: a switch within C would show as one long pause."""
    done = threading.Event()
    outcome: list[bool] = []

    def work() -> None:
        started = time.thread_time()
        outcome.append(verify(stored, b"secret"))
        outcome.append(time.thread_time() - started > 0.02)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    rounds = 0
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done.is_set() and time.monotonic() < deadline:
        rounds += 1
    thread.join(PATIENCE_SECONDS)
    assert outcome == [False, True]
    # Held, the interpreter would be had for one switch at the start and one at the end.
    assert rounds > 2_000


def test_libcrypt_is_called_through_a_handle_that_lets_go() -> None:
    library = hashes._libcrypt()
    assert isinstance(library, ctypes.CDLL)
    assert not isinstance(library, ctypes.PyDLL)

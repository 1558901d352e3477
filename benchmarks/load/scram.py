"""The client's side of SCRAM-SHA-256, for many logins: what is slow is computed once an account.

Written for the benchmark alone, so that no server is judged by code it shares (RFC 5802 §3, §5).
"""

import base64
import hashlib
import hmac
from functools import cache
from secrets import token_hex

from benchmarks.load.expectation import ReplyWrong
from benchmarks.load.logins import Visit

ITERATIONS = 4_096
_SALT = b"restante-salt-16"
_HASH = "sha256"
_WITHOUT_BINDING = "n,,"


def stored_keys(password: str) -> str:
    """Return what a server keeps of a password, as Dovecot's passwd-files have it."""
    salted = _salted(password.encode(), _SALT, ITERATIONS)
    stored = hashlib.new(_HASH, _mac(salted, b"Client Key")).digest()
    keys = ",".join(_encode(octets) for octets in (_SALT, stored, _mac(salted, b"Server Key")))
    return f"{{SCRAM-SHA-256}}{ITERATIONS},{keys}"


def scram_visit(user: str, password: str, messages: int, octets: int) -> Visit:
    """Make the session AUTH, STAT, QUIT of a user whose maildrop is known."""
    exchange = _Exchange(user, password)
    stat = b"+OK %d %d" % (messages, octets)
    return Visit(
        (exchange.first, exchange.final, exchange.finish, b"STAT\r\n", b"QUIT\r\n"),
        (b"+OK", b"+ ", b"+ ", b"+OK", stat, b"+OK"),
    )


class _Exchange:
    """One exchange after another of the same account, each with a nonce of its own."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password.encode()
        self._first = self._signature = ""

    def first(self, greeting: bytes) -> bytes:
        """Begin."""
        self._first = f"n={self._user},r={token_hex(12)}"
        message = _encode(f"{_WITHOUT_BINDING}{self._first}".encode())
        return f"AUTH SCRAM-SHA-256 {message}\r\n".encode()

    def final(self, answer: bytes) -> bytes:
        """Prove the password with the server's salt."""
        server_first = base64.b64decode(answer[2:]).decode()
        fields = dict(field.split("=", 1) for field in server_first.split(","))
        salted = _salted(self._password, base64.b64decode(fields["s"]), int(fields["i"]))
        without_proof = f"c={_encode(_WITHOUT_BINDING.encode())},r={fields['r']}"
        message = f"{self._first},{server_first},{without_proof}".encode()
        key = _mac(salted, b"Client Key")
        signature = _mac(hashlib.new(_HASH, key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        self._signature = _encode(_mac(_mac(salted, b"Server Key"), message))
        return _encode(f"{without_proof},p={_encode(proof)}".encode()).encode() + b"\r\n"

    def finish(self, answer: bytes) -> bytes:
        """Check that the server knows the password as well."""
        if base64.b64decode(answer[2:]).decode() != f"v={self._signature}":
            raise ReplyWrong("the server does not prove itself")
        return b"\r\n"


@cache
def _salted(password: bytes, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac(_HASH, password, salt, iterations)


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, _HASH)


def _encode(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")

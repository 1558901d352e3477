"""What the crooked server knows of mechanisms beyond PLAIN, and what its faults make of them.

The server's side is written apart from the suite's `proofs.py`, so that the two check each other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import itertools
import re
import secrets
import socket
import ssl
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from unit.examine.crooked_bindings import channel_bindings, has_extended_secret
from unit.examine.crooked_texts import Texts, prepared

if TYPE_CHECKING:
    from unit.examine.crooked import CrookedServer

SCRAM = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}
BEARERS = ("OAUTHBEARER", "XOAUTH2")
OTHERS = ("CRAM-MD5", *SCRAM, "LOGIN", "ANONYMOUS")
_serial = itertools.count(1)


def digest_equals(given: str, right: str, faults: frozenset[str]) -> bool:
    """Compare digests in hexadecimal, or carelessly."""
    if "no-secrets" in faults:
        return False
    if "lax-digests" in faults:
        return right.startswith(given[:31])
    if "strict-case" not in faults:
        given = given.lower()
    return given == right


def token_of(name: str) -> str:
    """Return the token that lets an account in, as unguessable as a double needs it."""
    return f"token.{hashlib.sha256(name.encode()).hexdigest()}.signature"


def read_bearer(message: bytes, *, lax: bool, strict: bool) -> tuple[str, str | None]:
    """Return name and token of RFC 7628 §3.1; no token where there is none or it is not meant."""
    header, _, rest = message.decode().partition("\x01")
    pairs = rest.split("\x01")
    values = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    known = {"host", "port", "auth"}
    scheme, _, token = values.get("auth", "").partition(" ")
    formed = lax or (rest.endswith("\x01\x01") and values.get("host", "localhost") == "localhost")
    if strict:
        formed = formed and scheme == "Bearer" and set(values) <= known
    if not token and lax:
        token = "token.of-anybody"
    meant = formed and (lax or scheme.lower() == "bearer")
    return header.removeprefix("n,").removeprefix("a=").rstrip(","), token if meant else None


def read_xoauth2(message: bytes, *, lax: bool, strict: bool) -> tuple[str, str | None]:
    """Return name and token as XOAUTH2 has them."""
    found = re.fullmatch(r"user=(.*)\x01auth=Bearer (.*)\x01\x01", message.decode())
    return (found[1], found[2]) if found else ("", None)


class Proofs(Texts, ABC):
    """APOP and the mechanisms of AUTH that have more than one message."""

    server: CrookedServer
    user: str | None
    timestamp: str
    failed: bool

    socket: socket.socket
    hello: bytes
    tls: bool

    @abstractmethod
    def line(self) -> bytes | None:
        """Return the next line."""

    @abstractmethod
    def open(self, name: str) -> bool:
        """Open the mailbox of somebody who has proved the identity."""

    @abstractmethod
    def wrong(self, known: bool) -> bool:
        """Refuse credentials."""

    @abstractmethod
    def prepare(self, text: str) -> str:
        """Return the text prepared, where this server bothers."""

    @abstractmethod
    def last_name(self) -> str:
        """Return the youngest account."""

    def new_timestamp(self) -> str:
        """Return a message-id nobody has seen."""
        if "same-challenge" in self.faults:
            return "<the.same@localhost>"
        if "odd-timestamp" in self.faults:
            return f"<{next(_serial)}(odd)@localhost>"
        return f"<{secrets.token_hex(12)}.{next(_serial)}@localhost>"

    def ask(self, challenge: bytes) -> bytes | None:
        """Send a challenge and return the response; None where it is none, and is refused."""
        self.say("+ " + base64.b64encode(challenge).decode())
        line = self.line()
        if line is None:
            return None
        try:
            return base64.b64decode(line, validate=True)
        except binascii.Error:
            self.no()
            return None

    def do_apop(self, rest: str, arguments: list[str]) -> bool:
        """Compare the digest."""
        lax = "lax-digests" in self.faults
        if len(arguments) != 2 and not (lax and len(arguments) > 2):
            return self.no("what")
        between, self.user = self.user is not None, None
        if between and "apop-anytime" not in self.faults:
            return self.no("PASS is due")
        if self.failed and "one-try" in self.faults:
            return self.no("too late")
        name, given = self.prepare(arguments[0]), arguments[1]
        mailbox = self.server.mailboxes.get(name)
        secret = self.timestamp + self.prepare(mailbox.password if mailbox else "")
        right = hashlib.md5(secret.encode(), usedforsecurity=False).hexdigest()
        if mailbox is None or not digest_equals(given, right, self.faults):
            return self.wrong(mailbox is not None)
        return self.open(name)

    def other_mechanism(self, mechanism: str, initial: bytes | None) -> bool:
        """Play one of the other mechanisms."""
        bare = mechanism.removesuffix("-PLUS")
        if bare in SCRAM:
            return self.scram(SCRAM[bare], initial, plus=bare != mechanism)
        if mechanism == "EXTERNAL":
            return self.external(initial)
        if mechanism == "ANONYMOUS" and "lax-anonymous" in self.faults:
            return self.open(self.last_name())
        if mechanism == "CRAM-MD5":
            return self.cram(initial)
        if mechanism == "LOGIN" and initial is None:
            return self.login()
        if mechanism in BEARERS and initial is not None:
            return self.bearer(mechanism, initial)
        return self.no()

    def cram(self, initial: bytes | None) -> bool:
        """Challenge, and compare the digest."""
        if initial is not None and "lax-initial" not in self.faults:
            return self.no()
        challenge = self.new_timestamp().encode()
        response = self.ask(challenge)
        if response is None:
            return True
        name, _, given = response.decode().rpartition(" ")
        if "first-space" in self.faults:
            name, _, given = response.decode().partition(" ")
        if "lax-digests" in self.faults and not name:
            name, given = given, ""
        mailbox = self.server.mailboxes.get(name)
        key = mailbox.password.encode() if mailbox else b""
        right = hmac.digest(key, challenge, "md5").hex()
        if mailbox is None or not digest_equals(given, right, self.faults):
            return self.wrong(mailbox is not None)
        return self.open(name)

    def login(self) -> bool:
        """Ask for a name and for a password."""
        questions = (b"Username:", b"Password:")
        if "odd-questions" in self.faults:
            questions = (b"Who?", b"What?")
        answers = [self.ask(question) for question in questions]
        if None in answers:
            return True
        name, password = ((answer or b"").decode() for answer in answers)
        mailbox = self.server.mailboxes.get(name)
        if mailbox is None or mailbox.password != password:
            return self.wrong(mailbox is not None)
        return self.open(name)

    def bearer(self, mechanism: str, initial: bytes) -> bool:
        """Take a token apart from what is said with it, and where it is bad tell why in JSON."""
        if initial == b"\x01":
            return self.no()
        lax = "lax-bearer" in self.faults
        strict = "strict-bearer" in self.faults
        read = read_bearer if mechanism == "OAUTHBEARER" else read_xoauth2
        name, token = read(initial, lax=lax, strict=strict)
        owner = next((n for n in self.server.mailboxes if token_of(n) == token), None)
        if lax and token is not None and token.startswith("token."):
            owner = name or self.last_name()
        if owner is not None and name in (owner, ""):
            return self.open(owner)
        told = b"no" if "bad-json" in self.faults else b'{"status":"invalid_token"}'
        response = self.ask(told)
        return self.no() if response is not None else True

    def by_channel(self) -> list[str]:
        """Return the mechanisms that rest on TLS: what shows a certificate, or binds to it."""
        listed = []
        if "no-external" not in self.faults:
            listed += ["EXTERNAL"] if self.certified() or "external-for-all" in self.faults else []
        if isinstance(self.socket, ssl.SSLSocket) and (
            has_extended_secret(self.socket, self.hello) or "lax-session" in self.faults
        ):
            listed += [f"{name}-PLUS" for name in SCRAM]
        return listed

    def certified(self) -> str:
        """Return the name in the client's certificate, or nothing."""
        shown = self.socket.getpeercert() if isinstance(self.socket, ssl.SSLSocket) else None
        names = (shown or {}).get("subject", ())
        return "".join(str(name[0][1]) for name in names if name[0][0] == "commonName")

    def external(self, initial: bytes | None) -> bool:
        """Let in who showed a certificate."""
        if initial is None:
            if "needs-initial" in self.faults:
                return self.no()
            if (initial := self.ask(b"")) is None:
                return True
        if "lax-external" in self.faults:
            return self.open(self.last_name())
        name = self.certified()
        if not name or initial not in (b"", name.encode()):
            return self.wrong(known=bool(name))
        if initial and "no-authzid" in self.faults:
            return self.no()
        return self.open(name)

    def bindings(self) -> dict[str, bytes]:
        """Return what this connection may be bound to."""
        if not isinstance(self.socket, ssl.SSLSocket):
            return {}
        own = self.server.certificates
        return channel_bindings(self.socket, self.hello, own.key_log, own.own, self.faults)

    def scram(self, hash_name: str, initial: bytes | None, *, plus: bool) -> bool:
        """Play RFC 5802, bound to the connection where that is in the name of the mechanism."""
        if initial is None:
            if "needs-initial" in self.faults:
                return self.no()
            if (initial := self.ask(b"")) is None:
                return True
        exchange = ServerScram(self, hash_name, plus=plus)
        if not exchange.take_first(initial.decode()):
            return self.wrong(known=False)
        response = self.ask(exchange.first().encode())
        if response is None:
            return True
        verifier = exchange.take_final(response.decode())
        if verifier is None:
            if "tells-error" in self.faults and self.ask(b"e=invalid-proof") is None:
                return True
            return self.wrong(exchange.known)
        if "no-verifier" not in self.faults:
            answer = self.ask(verifier.encode())
            if answer is None:
                return True
            if answer and "lax-scram" not in self.faults:
                return self.no()
        return self.open(exchange.name)


class ServerScram:
    """One exchange of SCRAM, the server's side."""

    def __init__(self, session: Proofs, hash_name: str, *, plus: bool) -> None:
        self.session = session
        self.faults = session.faults
        self.hash_name = hash_name
        self.lax = "lax-scram" in self.faults
        self.plus = plus
        self.known = False
        self.name = ""
        self.bound = b""

    def take_first(self, message: str) -> bool:
        """Read the client's first message and tell whether to go on."""
        flag, _, rest = message.partition(",")
        authzid, _, self.bare = rest.partition(",")
        self.header = f"{flag},{authzid},"
        fields = self.bare.split(",")
        values = {field[0]: field[2:] for field in fields if field}
        formed = [field[:2] for field in fields[:2]] == ["n=", "r="] and self._agrees_on(flag)
        if flag == "y" and "strict-scram" in self.faults:
            return False
        if len(fields) > 2 and "strict-scram" in self.faults:
            return False
        name = values.get("n", "").replace("=2C", ",")
        formed = formed and "=" not in name.replace("=3D", "")
        if not formed and not self.lax:
            return False
        self.name = name.replace("=3D", "=")
        if "strict-scram" not in self.faults:
            self.name = prepared(self.name)
        if self.lax and self.name not in self.session.server.mailboxes:
            self.name = self.session.last_name()
        self.authzid = authzid.removeprefix("a=")
        self.known = self.name in self.session.server.mailboxes
        self.nonce = values.get("r", "") + self._addition()
        return self.known or "enumerates" not in self.faults

    def _agrees_on(self, flag: str) -> bool:
        """Tell whether a flag goes with the name of the mechanism and with what is announced."""
        if flag.startswith("p="):
            found = self.session.bindings()
            self.bound = found.get(flag[2:], b"")
            return self.plus and (flag[2:] in found or "fails-plus-late" in self.faults)
        if self.plus:
            return "fails-plus-late" in self.faults
        names = self.session.by_channel()
        bindable = any(SCRAM.get(name.removesuffix("-PLUS")) == self.hash_name for name in names)
        return flag == "n" or (flag == "y" and not bindable)

    def _addition(self) -> str:
        return "same" if "same-challenge" in self.faults else secrets.token_urlsafe(12)

    def first(self) -> str:
        """Return the server's first message."""
        rounds = 512 if "few-rounds" in self.faults else 4096
        self.salt = hashlib.sha256(self.name.encode()).digest()[:16]
        if "fleeting-salt" in self.faults:
            self.salt = secrets.token_bytes(16)
        self.rounds = rounds
        self.said = f"r={self.nonce},s={base64.b64encode(self.salt).decode()},i={rounds}"
        return self.said

    def take_final(self, message: str) -> str | None:
        """Return the verifier where the proof is right."""
        unproven, _, proof = message.rpartition(",p=")
        values = {field[0]: field[2:] for field in unproven.split(",")}
        box = self.session.server.mailboxes.get(self.name)
        password = box.password if box else ""
        salted = hashlib.pbkdf2_hmac(self.hash_name, password.encode(), self.salt, self.rounds)
        signed = f"{self.bare},{self.said},{unproven}".encode()
        key = self._mac(salted, b"Client Key")
        signature = self._mac(hashlib.new(self.hash_name, key).digest(), signed)
        right = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        if "lax-binding" in self.faults and self.plus:
            self.bound = base64.b64decode(values.get("c", ""))[len(self.header) :]
        bound = base64.b64encode(self.header.encode() + self.bound).decode()
        agreed = values.get("c") == bound and values.get("r") == self.nonce
        agreed = agreed and self.authzid in ("", self.name)
        agreed = agreed and (bool(self.bound) == self.plus or "lax-binding" in self.faults)
        proven = base64.b64decode(proof) == right and self.known
        proven = proven and "no-secrets" not in self.faults
        if not (agreed and proven) and not self.lax:
            return None
        verifier = self._mac(self._mac(salted, b"Server Key"), signed)
        return "v=" + base64.b64encode(verifier).decode()

    def _mac(self, key: bytes, octets: bytes) -> bytes:
        return hmac.digest(key, octets, self.hash_name)

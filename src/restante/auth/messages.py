"""What the frames say: the bodies of logins, identities and refusals.

A body begins with the sizes of its fields, but for the last, which takes what is left.
"""

import struct
from functools import lru_cache
from sys import intern

from restante.auth.frames import AUTHENTICATE, HEAD, BadFrame
from restante.errors import (
    AuthenticationFailed,
    PermanentFailure,
    Refusal,
    TemporaryFailure,
)
from restante.identity import Identity, PasswordCredentials, Peer
from restante.secret import Secret

IDENTITIES_KEPT = 256
"""Read and kept by a worker for whoever comes often, a third of a KiB each."""

ADDRESS_OCTETS = 128
"""Twice what any address has: the throttle remembers them by the thousand."""

_REFUSALS: tuple[type[Refusal], ...] = (AuthenticationFailed, TemporaryFailure, PermanentFailure)

_LOGIN = struct.Struct("!5I")
_LOGIN_OCTETS = _LOGIN.size
_LOGIN_FRAME = struct.Struct(f"{HEAD}5I")
_IDENTITY = struct.Struct("!IIIB")
"""Sizes of name, source and device, and what holds besides; the mailbox follows."""
_HAS_MAILBOX, _READ_ONLY = 1, 2
_REFUSAL = struct.Struct("!BI")
"""Which refusal, and the size of its text; the reason follows."""

Login = tuple[bytes, bytes, bytes, bytes, bytes, bytes]
"""Name, authorization name, address, mechanism, session and password."""


def login_frame(number: int, credentials: PasswordCredentials, peer: Peer) -> tuple[bytes, ...]:
    """Return a login as the pieces of its frame."""
    name = credentials.name.encode()
    authorization_name = credentials.authorization_name.encode()
    address = peer.address.encode("ascii")
    mechanism = credentials.mechanism.encode("ascii")
    session = peer.session.encode("ascii")
    password = credentials.password.reveal()
    a, b, c = len(name), len(authorization_name), len(address)
    d, e = len(mechanism), len(session)
    octets = _LOGIN_OCTETS + a + b + c + d + e + len(password)
    head = _LOGIN_FRAME.pack(number, AUTHENTICATE, octets, a, b, c, d, e)
    return head, name, authorization_name, address, mechanism, session, password


def read_login(body: bytes) -> Login:
    """Return the fields of a login.

    Raises:
        BadFrame: the body holds none.
    """
    if len(body) < _LOGIN_OCTETS:
        raise BadFrame("a login that is cut off")
    # Written out: a loop over the fields takes three times as long.
    a, b, c, d, e = _LOGIN.unpack_from(body)
    a += _LOGIN_OCTETS
    b += a
    c += b
    d += c
    e += d
    if e > len(body):
        raise BadFrame("fields of another size than their frame")
    if c - b > ADDRESS_OCTETS:
        raise BadFrame("an address of that size")
    return body[_LOGIN_OCTETS:a], body[a:b], body[b:c], body[c:d], body[d:e], body[e:]


def read_credentials(login: Login) -> tuple[PasswordCredentials, Peer]:
    """Return what the fields of a login say.

    Raises:
        BadFrame: they are no text.
    """
    name, authorization_name, address, mechanism, session, password = login
    credentials = PasswordCredentials(
        text(name), Secret(password), text(mechanism), text(authorization_name)
    )
    return credentials, Peer(text(address), 0, "", 0, text(session))


def identity_body(identity: Identity) -> bytes:
    """Return an identity as the body of its frame."""
    name, source = identity.name.encode(), identity.source.encode()
    device = identity.device.encode()
    mailbox = (identity.mailbox or "").encode("utf-8", "surrogateescape")
    flags = _HAS_MAILBOX * (identity.mailbox is not None) | _READ_ONLY * identity.read_only
    head = _IDENTITY.pack(len(name), len(source), len(device), flags)
    return head + name + source + device + mailbox


@lru_cache(IDENTITIES_KEPT)
def read_identity(body: bytes) -> Identity:
    """Return the identity of a body.

    Raises:
        BadFrame: it holds none.
    """
    if len(body) < _IDENTITY.size:
        raise BadFrame("an identity that is cut off")
    source_at, device_at, mailbox_at, flags = _IDENTITY.unpack_from(body)
    source_at += _IDENTITY.size
    device_at += source_at
    mailbox_at += device_at
    has_mailbox = bool(flags & _HAS_MAILBOX)
    if mailbox_at > len(body) or (mailbox_at < len(body) and not has_mailbox):
        raise BadFrame("fields of another size than their frame")
    # Sources are few, and every session keeps the name of its own.
    return Identity(
        name=text(body[_IDENTITY.size : source_at]),
        source=intern(text(body[source_at:device_at])),
        mailbox=body[mailbox_at:].decode("utf-8", "surrogateescape") if has_mailbox else None,
        device=text(body[device_at:mailbox_at]),
        read_only=bool(flags & _READ_ONLY),
    )


def refusal_body(refusal: Refusal) -> bytes:
    """Return a refusal as the body of its frame; none of a login is a temporary failure."""
    kind = next((known for known in _REFUSALS if isinstance(refusal, known)), TemporaryFailure)
    words = refusal.text.encode()
    head = _REFUSAL.pack(_REFUSALS.index(kind), len(words))
    return head + words + (refusal.reason or "").encode()


def read_refusal(body: bytes) -> Refusal:
    """Return the refusal of a body.

    Raises:
        BadFrame: it holds none.
    """
    if len(body) < _REFUSAL.size:
        raise BadFrame("a refusal that is cut off")
    number, end = _REFUSAL.unpack_from(body)
    end += _REFUSAL.size
    if number >= len(_REFUSALS) or end > len(body):
        raise BadFrame("no refusal of a login")
    refusal: type[Refusal] = _REFUSALS[number]
    return refusal(text(body[_REFUSAL.size : end]), reason=text(body[end:]) or None)


def text(octets: bytes) -> str:
    """Return the text of a field.

    Raises:
        BadFrame: it is none.
    """
    try:
        return octets.decode()
    except UnicodeDecodeError:
        decoded = None
    # Raised out here: the error of the codec would carry the octets along.
    if decoded is None:
        raise BadFrame("a field that is not UTF-8")
    return decoded

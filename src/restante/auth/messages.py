"""What the frames say: requests, identities and refusals as fields."""

from sys import intern

from restante.auth.frames import BadFrame
from restante.errors import (
    AuthenticationFailed,
    PermanentFailure,
    Refusal,
    TemporaryFailure,
)
from restante.identity import Credentials, Identity, PasswordCredentials, Peer
from restante.secret import Secret

_REFUSALS: tuple[type[Refusal], ...] = (AuthenticationFailed, TemporaryFailure, PermanentFailure)


def request_fields(credentials: Credentials, peer: Peer) -> list[bytes]:
    """Return a login as fields."""
    return [
        credentials.name.encode("utf-8"),
        credentials.password.reveal(),
        credentials.mechanism.encode("ascii"),
        credentials.authorization_name.encode("utf-8"),
        peer.address.encode("ascii"),
        peer.session.encode("ascii"),
    ]


def read_request(fields: tuple[bytes, ...]) -> tuple[PasswordCredentials, Peer]:
    """Return the login of fields.

    Raises:
        BadFrame: they hold none.
    """
    if len(fields) != 6:
        raise BadFrame("a login has six fields")
    name, password, mechanism, authorization_name, address, session = fields
    credentials = PasswordCredentials(
        _text(name), Secret(password), _text(mechanism), _text(authorization_name)
    )
    return credentials, Peer(_text(address), 0, "", 0, _text(session))


def identity_fields(identity: Identity) -> list[bytes]:
    """Return an identity as fields."""
    fields = [identity.name.encode(), identity.source.encode()]
    if identity.mailbox is not None:
        fields.append(identity.mailbox.encode("utf-8", "surrogateescape"))
    return fields


def read_identity(fields: tuple[bytes, ...]) -> Identity:
    """Return the identity of fields.

    Raises:
        BadFrame: they hold none.
    """
    if len(fields) not in (2, 3):
        raise BadFrame("an identity has two fields or three")
    mailbox = fields[2].decode("utf-8", "surrogateescape") if len(fields) == 3 else None
    # Sources are few, and every session keeps the name of its own.
    return Identity(_text(fields[0]), intern(_text(fields[1])), mailbox)


def refusal_fields(refusal: Refusal) -> list[bytes]:
    """Return a refusal as fields; what is no refusal of a login is a temporary failure."""
    kind = next((known for known in _REFUSALS if isinstance(refusal, known)), TemporaryFailure)
    number = _REFUSALS.index(kind)
    return [bytes([number]), refusal.text.encode(), (refusal.reason or "").encode()]


def read_refusal(fields: tuple[bytes, ...]) -> Refusal:
    """Return the refusal of fields.

    Raises:
        BadFrame: they hold none.
    """
    if len(fields) != 3 or len(fields[0]) != 1 or fields[0][0] >= len(_REFUSALS):
        raise BadFrame("a refusal has three fields")
    return _REFUSALS[fields[0][0]](_text(fields[1]), reason=_text(fields[2]) or None)


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    # Raised out here: the error of the codec would carry the octets along.
    if text is None:
        raise BadFrame("a field that is not UTF-8")
    return text

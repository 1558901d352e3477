"""What the frames say of proofs other than a password: one layout for every kind of question.

A body is the kind of the question, the sizes of its fields and the fields themselves; first of them
are the address and the session of whoever asks. Passwords have a frame of their own in `messages`,
which every login of a warm server goes through.
"""

import struct
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any

from restante.auth.frames import BadFrame
from restante.auth.messages import ADDRESS_OCTETS, identity_body, read_identity
from restante.identity import (
    CertificateCredentials,
    DigestCredentials,
    MutualIdentity,
    PasswordCredentials,
    Peer,
    Question,
    SaltRequest,
    ScramCredentials,
    ScramParameters,
    TokenCredentials,
)
from restante.secret import Secret

NAME_OCTETS = 16_384
"""Of a name as it is sent: a line is no longer."""

_Reader = Callable[[bytes], Any]

_read_text: _Reader = bytes.decode
_OCTETS: dict[type[Any], Callable[[Any], bytes]] = {
    str: str.encode,
    bytes: bytes,
    Secret: Secret.reveal,
}
"""How a field is written."""


class _Layout:
    """How questions of one kind are laid out."""

    def __init__(self, number: int, kind: type[Any], *readers: _Reader) -> None:
        self.number = number
        self.kind = kind
        self.readers = (_read_text, _read_text, *readers)
        """Field by field, how it is read: of the address and the session, then of the kind."""
        self.head = struct.Struct(f"!B{len(self.readers)}I")


_LAYOUTS = (
    _Layout(0, DigestCredentials, _read_text, bytes, Secret, _read_text, _read_text),
    _Layout(1, ScramCredentials, _read_text, bytes, Secret, _read_text, _read_text),
    _Layout(2, TokenCredentials, _read_text, Secret, _read_text, _read_text),
    _Layout(3, CertificateCredentials, _read_text, bytes, _read_text, _read_text),
    _Layout(4, SaltRequest, _read_text, _read_text),
)
_BY_KIND: dict[type[Any], _Layout] = {layout.kind: layout for layout in _LAYOUTS}
_PARAMETERS = struct.Struct("!I")
_MUTUAL = struct.Struct("!B")


def question_body(question: Question, peer: Peer) -> bytes:
    """Return a question as the body of its frame.

    Raises:
        TypeError: passwords have another frame.
    """
    if isinstance(question, PasswordCredentials):
        raise TypeError("a password goes in a frame of its own")
    layout = _BY_KIND[type(question)]
    parts: tuple[str | bytes | Secret, ...] = (peer.address, peer.session, *question)
    fields = [_OCTETS[type(part)](part) for part in parts]
    return layout.head.pack(layout.number, *map(len, fields)) + b"".join(fields)


def read_question(body: bytes) -> tuple[Question, Peer]:
    """Return the question of a body, and who asks.

    Raises:
        BadFrame: it holds none.
    """
    if not body or body[0] >= len(_LAYOUTS):
        raise BadFrame("no question")
    layout = _LAYOUTS[body[0]]
    fields = _split(body, layout.head)
    if len(fields[0]) > ADDRESS_OCTETS:
        raise BadFrame("an address of that size")
    if len(fields[2]) > NAME_OCTETS:
        raise BadFrame("a name of that size")
    values = _read(layout.readers, fields)
    # Raised out here: the error of the codec would carry the octets along.
    if values is None:
        raise BadFrame("a field that is not UTF-8")
    address, session, *parts = values
    question: Question = layout.kind(*parts)
    return question, Peer(address, 0, "", 0, session)


def parameters_body(parameters: ScramParameters) -> bytes:
    """Return the parameters of a name as the body of their frame."""
    return _PARAMETERS.pack(parameters.iterations) + parameters.salt


def read_parameters(body: bytes) -> ScramParameters:
    """Return the parameters of a body.

    Raises:
        BadFrame: it holds none.
    """
    if len(body) <= _PARAMETERS.size:
        raise BadFrame("parameters that are cut off")
    (iterations,) = _PARAMETERS.unpack_from(body)
    return ScramParameters(body[_PARAMETERS.size :], iterations)


def mutual_body(identity: MutualIdentity) -> bytes:
    """Return the body of an identity that comes with the server's signature."""
    signature = identity.server_signature
    return _MUTUAL.pack(len(signature)) + signature + identity_body(identity)


def read_mutual(body: bytes) -> MutualIdentity:
    """Return the identity of a body, with the server's signature.

    Raises:
        BadFrame: it holds none.
    """
    if not body or len(body) <= body[0]:
        raise BadFrame("a signature that is cut off")
    end = _MUTUAL.size + body[0]
    proved = read_identity(body[end:])
    return MutualIdentity(
        proved.name,
        proved.source,
        proved.mailbox,
        proved.device,
        proved.read_only,
        server_signature=body[_MUTUAL.size : end],
    )


def _split(body: bytes, head: struct.Struct) -> list[bytes]:
    if len(body) < head.size:
        raise BadFrame("a question that is cut off")
    _, *sizes = head.unpack_from(body)
    ends = list(accumulate(sizes, initial=head.size))
    if ends[-1] != len(body):
        raise BadFrame("fields of another size than their frame")
    return [body[begin:end] for begin, end in pairwise(ends)]


def _read(readers: tuple[_Reader, ...], fields: list[bytes]) -> list[Any] | None:
    try:
        return [read(field) for read, field in zip(readers, fields, strict=True)]
    except UnicodeDecodeError:
        return None

"""What the frames say of proofs other than a password: one layout for every kind of question.

A body is the kind of the question, the sizes of its fields and the fields themselves; first of them
are the address and the session of whoever asks. Passwords have a frame of their own in `messages`,
which every login of a warm server goes through.
"""

import struct
from collections.abc import Callable
from typing import Any

from restante.auth.frames import BadFrame
from restante.auth.messages import ADDRESS_OCTETS, identity_body, read_identity, text
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

_LAYOUTS: dict[type[Any], tuple[_Reader, ...]] = {
    DigestCredentials: (text, bytes, Secret, text, text),
    ScramCredentials: (text, bytes, Secret, text, text),
    TokenCredentials: (text, Secret, text, text),
    CertificateCredentials: (text, bytes, text, text),
    SaltRequest: (text, text),
}
"""Field by field, how it is read."""
_KINDS = tuple(_LAYOUTS)
_PARAMETERS = struct.Struct("!I")
_MUTUAL = struct.Struct("!B")


def question_body(question: Question, peer: Peer) -> bytes:
    """Return a question as the body of its frame.

    Raises:
        TypeError: passwords have another frame.
    """
    if isinstance(question, PasswordCredentials):
        raise TypeError("a password goes in a frame of its own")
    parts: tuple[str | bytes | Secret, ...] = question
    fields = [peer.address.encode("ascii"), peer.session.encode("ascii"), *map(_octets, parts)]
    sizes = [len(field) for field in fields]
    head = struct.pack(f"!B{len(sizes)}I", _KINDS.index(type(question)), *sizes)
    return head + b"".join(fields)


def read_question(body: bytes) -> tuple[Question, Peer]:
    """Return the question of a body, and who asks.

    Raises:
        BadFrame: it holds none.
    """
    if not body or body[0] >= len(_KINDS):
        raise BadFrame("no question")
    kind = _KINDS[body[0]]
    readers = _LAYOUTS[kind]
    address, session, *fields = _split(body, 2 + len(readers))
    if len(address) > ADDRESS_OCTETS:
        raise BadFrame("an address of that size")
    if len(fields[0]) > NAME_OCTETS:
        raise BadFrame("a name of that size")
    question: Question = kind(*(read(field) for read, field in zip(readers, fields, strict=True)))
    return question, Peer(text(address), 0, "", 0, text(session))


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


def _split(body: bytes, count: int) -> list[bytes]:
    form = struct.Struct(f"!B{count}I")
    if len(body) < form.size:
        raise BadFrame("a question that is cut off")
    _, *sizes = form.unpack_from(body)
    if form.size + sum(sizes) != len(body):
        raise BadFrame("fields of another size than their frame")
    fields, at = [], form.size
    for size in sizes:
        fields.append(body[at : at + size])
        at += size
    return fields


def _octets(field: str | bytes | Secret) -> bytes:
    if isinstance(field, Secret):
        return field.reveal()
    return field.encode() if isinstance(field, str) else field

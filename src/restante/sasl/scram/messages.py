"""The messages of SCRAM: attributes in a fixed order, extensions behind them (RFC 5802 §7)."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from restante.sasl.fields import read_base64, read_text
from restante.sasl.gs2 import Gs2Header, parse_header, split_header, unescape
from restante.sasl.mechanism import MechanismError

MESSAGE_OCTETS = 16_384
ATTRIBUTES = 32
NONCE_OCTETS = 512

_NONCE = re.compile(rb"[!-+\x2d-~]{1,%d}" % NONCE_OCTETS)
_COUNT = re.compile(rb"[1-9][0-9]{0,9}")
_ERROR = re.compile(rb"[a-z-]{1,64}")
_LIST = re.compile(rb"[A-Za-z]=[^,]+(?:,[A-Za-z]=[^,]+)*")
_ASSIGNED = frozenset(b"anmrcsipve")


class ClientFirst(NamedTuple):
    """What a client begins with."""

    header: Gs2Header
    header_octets: bytes
    bare: bytes
    """The message without the header: the part that is signed."""
    name: str
    nonce: bytes


@dataclass(frozen=True, slots=True)
class ClientFinal:
    """What a client ends with."""

    without_proof: bytes
    """The part that is signed."""
    binding: bytes
    """What `c=` says, in base64 still."""
    nonce: bytes
    proof: bytes = field(repr=False)


def read_client_first(message: bytes) -> ClientFirst:
    """Return what a first message says.

    Raises:
        MechanismError: it is none.
    """
    header_octets, bare = split_header(message)
    header = parse_header(header_octets)
    name_octets, nonce = read_values(bare, b"nr")
    name = unescape(name_octets)
    if name is None:
        raise MechanismError("the user name is malformed")
    return ClientFirst(header, header_octets, bare, name, read_nonce(nonce))


def read_client_final(message: bytes) -> ClientFinal:
    """Return what a final message says.

    Raises:
        MechanismError: it is none.
    """
    without_proof, _, proof_octets = message.rpartition(b",p=")
    binding, nonce = read_values(without_proof, b"cr")
    proof = read_base64(proof_octets)
    if not proof:
        raise MechanismError("the proof is malformed")
    return ClientFinal(without_proof, binding, read_nonce(nonce), proof)


def read_nonce(octets: bytes) -> bytes:
    """Return a nonce, checked.

    Raises:
        MechanismError: it is none, or longer than any has to be.
    """
    if not _NONCE.fullmatch(octets):
        raise MechanismError("the nonce is malformed")
    return octets


def read_values(message: bytes, names: bytes) -> list[bytes]:
    """Return the values of the attributes that a message has to begin with, in this order.

    RFC 5802 §5.1: what follows are extensions, ignored where nobody knows them; a mandatory one
    (`m`) fails the exchange wherever it stands.

    Raises:
        MechanismError: they are not there, or the message is no list of attributes.
    """
    if len(message) > MESSAGE_OCTETS or read_text(message) is None:
        raise MechanismError("a SCRAM message is a short text in UTF-8")
    parts = message.split(b",", ATTRIBUTES)
    if len(parts) > ATTRIBUTES:
        raise MechanismError("a SCRAM message has a few attributes")
    if not _LIST.fullmatch(message):
        raise MechanismError("a SCRAM message is a list of attributes")
    order = b"".join([part[:1] for part in parts])
    if b"m" in order:
        raise MechanismError("mandatory extensions are not supported")
    if not order.startswith(names) or not _ASSIGNED.isdisjoint(order[len(names) :]):
        raise MechanismError("the attributes of a SCRAM message have their order")
    return [part[2:] for part in parts[: len(names)]]


@dataclass(frozen=True, slots=True)
class ServerFirst:
    """What a server answers with."""

    nonce: bytes
    salt: bytes
    iterations: int


def read_server_first(message: bytes) -> ServerFirst:
    """Return what a server's first message says.

    Raises:
        MechanismError: it is none.
    """
    nonce, salt_octets, count = read_values(message, b"rsi")
    salt = read_base64(salt_octets)
    if not salt or not _COUNT.fullmatch(count):
        raise MechanismError("the salt or the iteration count is malformed")
    return ServerFirst(read_nonce(nonce), salt, int(count))


def read_server_final(message: bytes) -> bytes | str:
    """Return the server's proof; text: the error that is told in its stead.

    Raises:
        MechanismError: it is neither.
    """
    if message.startswith(b"e="):
        (error,) = read_values(message, b"e")
        return error.decode("ascii") if _ERROR.fullmatch(error) else "other-error"
    (proof,) = read_values(message, b"v")
    signature = read_base64(proof)
    if not signature:
        raise MechanismError("the server's proof is malformed")
    return signature

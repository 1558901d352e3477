"""Local delivery: one message from a program on this machine into a store that takes deposits.

The message goes in as it is, but for an mbox separator line in front, which is the way some
programs hand over a message and is no part of it. Header fields that say how it came (Return-Path,
Delivered-To) are the caller's to add.
"""

import io
from typing import TYPE_CHECKING, BinaryIO, cast

from restante.errors import RestanteError
from restante.identity import Identity
from restante.maildrop import Deposits
from restante.telemetry import Event, Log

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SEPARATOR = b"From "


class EmptyMessage(RestanteError):
    """An input without an octet: more likely a mistake than a message."""


def deliver(store: Deposits, identity: Identity, message: BinaryIO, log: Log) -> bytes:
    """Store a message durably and return its unique-id.

    Raises:
        EmptyMessage: there was none.
        TemporaryFailure: it was not stored.
    """
    first = message.read(len(_SEPARATOR))
    if first == _SEPARATOR:
        message.readline()
        first = message.read(1)
    if not first:
        raise EmptyMessage("there is no message on standard input")
    unique_id = store.deposit(identity, cast("BinaryIO", _Rejoined(first, message)))
    log(Event.DELIVERED, user=identity.name, unique_id=unique_id.decode("ascii"))
    return unique_id


class _Rejoined(io.RawIOBase):
    """What was read already, and behind it the rest."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first = first
        self._rest = rest

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read up to as much as there is room for; 0 at the end alone."""
        view = memoryview(buffer)
        data, self._first = self._first[: len(view)], self._first[len(view) :]
        data = data or self._rest.read(len(view))
        view[: len(data)] = data
        return len(data)

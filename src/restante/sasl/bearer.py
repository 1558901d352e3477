"""Bearer tokens: what OAUTHBEARER and XOAUTH2 have in common (RFC 7628, RFC 6750).

One message with a token. Where it proves nothing a challenge in JSON tells why, and the exchange
fails behind the client's response to that.
"""

import json
import re
from abc import ABC, abstractmethod
from typing import ClassVar

from restante.errors import AuthenticationFailed, Refusal
from restante.identity import Identity, TokenCredentials
from restante.sasl.fields import TOKEN_OCTETS
from restante.sasl.mechanism import Challenge, Channel, MechanismError, Step

SEPARATOR = b"\x01"
ACKNOWLEDGEMENTS = (SEPARATOR, b"")
"""RFC 7628 §3.2.3 wants the one, XOAUTH2 the other, and programs mix them up."""

_PAIRS = 32
_MESSAGE_OCTETS = TOKEN_OCTETS + 8192
_PAIR = re.compile(rb"([A-Za-z]+)=(.*)", re.DOTALL)
_BEARER = re.compile(rb"bearer +([!-~]+)", re.IGNORECASE)


class BearerServer(ABC):
    """The server's side of one exchange with a bearer token."""

    name: str
    invalid_request: ClassVar[str]
    """The status that tells of a message without what it needs, or with what is not ours."""
    invalid_token: ClassVar[str]
    """The status that tells of a token that proves nothing."""

    def __init__(self, channel: Channel, scope: str) -> None:
        self._channel = channel
        self._scope = scope
        self._told: AuthenticationFailed | None = None
        self._taken = False

    def start(self, initial_response: bytes | None) -> Step:
        """Ask for the message, or take it at once."""
        return Challenge(b"") if initial_response is None else self.respond(initial_response)

    def respond(self, response: bytes) -> Step:
        """Take the message, or the response to a failure that was told."""
        if self._told is not None:
            self.acknowledge(response)
            raise self._told
        if self._taken:
            raise MechanismError("no message is due")
        self._taken = True
        found = self._read(response)
        if isinstance(found, TokenCredentials):
            return found
        self._told = AuthenticationFailed(reason=found)
        return self._tell(self.invalid_request)

    def admitted(self, identity: Identity) -> Challenge | None:
        """Say nothing: the positive reply is enough."""
        return None

    def refused(self, refusal: Refusal) -> Challenge | None:
        """Tell of a token that proves nothing; the reply tells of anything else."""
        return self._tell(self.invalid_token) if isinstance(refusal, AuthenticationFailed) else None

    def acknowledge(self, response: bytes) -> None:
        """Take the response to a failure that was told."""
        if response not in ACKNOWLEDGEMENTS:
            raise MechanismError("the response to a failure is empty, or a separator")

    def _tell(self, status: str) -> Challenge:
        told = {"status": status, **self._explanation()}
        return Challenge(json.dumps({key: text for key, text in told.items() if text}).encode())

    @abstractmethod
    def _read(self, message: bytes) -> TokenCredentials | str:
        """Return the credentials, or for the log why there are none in a well-formed message.

        Raises:
            MechanismError: the message is malformed.
        """

    @abstractmethod
    def _explanation(self) -> dict[str, str]:
        """Return what is told besides the status; what is empty is left out."""


def read_pairs(octets: bytes) -> dict[bytes, bytes]:
    """Return the pairs of a message, each closed by a separator, and all of them by one more.

    Raises:
        MechanismError: they are none, there are too many, or one comes twice.
    """
    if len(octets) > _MESSAGE_OCTETS:
        raise MechanismError("the message is too long")
    *parts, last, end = [b"", *octets.split(SEPARATOR, _PAIRS + 1)]
    if not parts or last or end:
        raise MechanismError("the message is a few pairs, and ends in two separators")
    found = [_PAIR.fullmatch(part) for part in parts[1:]]
    pairs = {match[1]: match[2] for match in found if match is not None}
    if len(pairs) != len(found):
        raise MechanismError("the message is a list of keys with values, each there once")
    return pairs


def read_token(authorization: bytes) -> bytes | None:
    """Return the token of an HTTP Authorization value; None: it has none of this kind.

    RFC 7628 §4: the name of the scheme is written in either case.
    """
    match = _BEARER.fullmatch(authorization)
    return match[1] if match is not None and len(match[1]) <= TOKEN_OCTETS else None

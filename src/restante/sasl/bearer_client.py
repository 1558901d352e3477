"""The client's side of bearer tokens: one message, and a courteous end where it is refused."""

import json
from abc import ABC, abstractmethod
from typing import ClassVar

from restante.sasl.bearer import SEPARATOR, read_token
from restante.sasl.client_mechanism import MechanismUnusable
from restante.sasl.mechanism import MechanismError
from restante.secret import Secret

FAILURE_OCTETS = 8192
_STATUS_CHARACTERS = 128


class BearerClient(ABC):
    """The client's side of one exchange with a bearer token."""

    name: str
    acknowledgement: ClassVar[bytes]
    """What answers a failure that was told."""

    def __init__(self, token: Secret) -> None:
        self._authorization = b"Bearer " + token.reveal()
        if read_token(self._authorization) is None:
            raise MechanismUnusable("this token cannot be sent")
        self._told: dict[str, str] | None = None

    def first_message(self) -> bytes:
        """Return the message with the token."""
        pairs = [*self._pairs(), b"auth=" + self._authorization]
        return self._header() + SEPARATOR.join(pairs) + 2 * SEPARATOR

    def step(self, challenge: bytes) -> bytes:
        """Take what the server tells of the failure, and let it finish (RFC 7628 §3.2.3)."""
        if self._told is not None:
            raise MechanismError("a failure is told once")
        self._told = _read_failure(challenge)
        return self.acknowledgement

    @property
    def verified(self) -> bool:
        """No failure was told; nothing proves the server but TLS."""
        return self._told is None

    @property
    def failure(self) -> str:
        """The status that the server has told."""
        return self._failure("status")[:_STATUS_CHARACTERS]

    @property
    def wanted_scope(self) -> str:
        """The scope that a token has to have here, as the server tells it with a failure."""
        return self._failure("scope")

    @property
    def openid_configuration(self) -> str:
        """Where tokens come from, as the server tells it with a failure: not to be trusted."""
        return self._failure("openid-configuration")

    def _failure(self, key: str) -> str:
        return "" if self._told is None else self._told.get(key, "")

    def _header(self) -> bytes:
        return b""

    @abstractmethod
    def _pairs(self) -> list[bytes]:
        """Return what stands in the message before the token."""


def _read_failure(challenge: bytes) -> dict[str, str]:
    """Return what a server tells of a failure; what is no JSON tells nothing and is one as well."""
    if len(challenge) > FAILURE_OCTETS:
        return {}
    try:
        told = json.loads(challenge)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {key: text for key, text in told.items() if _is_plain(text)}


def _is_plain(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isprintable()

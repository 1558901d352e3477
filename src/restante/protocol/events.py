"""What a server session tells its driver, and how a session ends.

Most events want an answer before anything else of the client's is read; the docstring says which.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class LoginAttempted:
    """USER and PASS: answer with `admit` or `refuse`."""

    name: bytes
    password: bytes

    def __repr__(self) -> str:
        return "LoginAttempted(…)"


@dataclass(frozen=True, slots=True)
class ApopAttempted:
    """APOP: answer with `admit` or `refuse`."""

    name: bytes
    timestamp: bytes
    """Of the greeting, in its angle brackets."""
    digest: bytes
    """16 octets."""

    def __repr__(self) -> str:
        return "ApopAttempted(…)"


@dataclass(frozen=True, slots=True)
class SaslStarted:
    """AUTH: answer with `challenge`, `admit` or `refuse`."""

    mechanism: str
    initial_response: bytes | None
    """None: there was none; b"": there was an empty one (RFC 5034 §4)."""

    def __repr__(self) -> str:
        return f"SaslStarted({self.mechanism}, …)"


@dataclass(frozen=True, slots=True)
class SaslAnswered:
    """The response to a challenge: answer with `challenge`, `admit` or `refuse`."""

    response: bytes

    def __repr__(self) -> str:
        return "SaslAnswered(…)"


@dataclass(frozen=True, slots=True)
class SaslCancelled:
    """The exchange is over without a result; no answer."""


@dataclass(frozen=True, slots=True)
class CleartextRefused:
    """A password would have come in clear where it may not; no answer."""

    mechanism: str


@dataclass(frozen=True, slots=True)
class TlsRequested:
    """STLS: send what is queued, make TLS, then call `tls_established`."""


@dataclass(frozen=True, slots=True)
class MessageRequested:
    """RETR or TOP: answer with `message_data`… and `message_end`, or with `refuse`."""

    number: int
    lines: int | None
    """None: all of it."""


@dataclass(frozen=True, slots=True)
class UpdateRequested:
    """QUIT with messages marked: answer with `update_done` or `update_failed`."""

    numbers: tuple[int, ...]


class EndReason(Enum):
    """Why a session ended."""

    QUIT = "quit"
    CLIENT_GONE = "client gone"
    BAD_COMMANDS = "too many bad commands"
    ENDLESS_LINE = "line without end"
    WEB_CLIENT = "not a mail client"
    OCTETS_BEHIND_STLS = "octets behind stls"
    MESSAGE_FAILED = "message could not be read"


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nothing more will be read or said: release the maildrop, send what is queued, close."""

    reason: EndReason


Event = (
    LoginAttempted
    | ApopAttempted
    | SaslStarted
    | SaslAnswered
    | SaslCancelled
    | CleartextRefused
    | TlsRequested
    | MessageRequested
    | UpdateRequested
    | SessionEnded
)
